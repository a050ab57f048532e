/**
 * The services of solipsec: what SMF knows of a service from its manifest.
 *
 * @module
 */
import { DATA_PATH_CHOICES } from '../support/data-path-option.ts'

/** A property that a service reads, with what it is until somebody sets it. */
export interface DeclaredProperty {
  /** `config/config_file`. */
  readonly path: string
  readonly type: 'astring'
  readonly value: string
  /** The variable that the unit's programs find it in. */
  readonly variable: string
  /** What is wrong with a value; `undefined` where nothing is. */
  readonly problem: (value: string) => string | undefined
}

export interface Dependency {
  readonly grouping: 'optional_all' | 'require_all'
  readonly on: ServiceName
}

export type ServiceName = 'ipsecalgs' | 'policy' | 'manual-key' | 'agent'

export interface Service {
  readonly name: ServiceName
  /** `svc:/network/ipsec/policy:default`. */
  readonly fmri: string
  /** The systemd unit that does the work. */
  readonly unit: string
  readonly commonName: string
  /** Manual page, without and with its section. */
  readonly manual: { readonly title: string; readonly section: string }
  readonly dependencies: readonly Dependency[]
  readonly properties: readonly DeclaredProperty[]
  /** What its methods run, for people; `:true` where there is nothing to do. */
  readonly methods: { readonly start: string; readonly stop: string; readonly refresh: string }
  /** What holds while the service is in maintenance. */
  readonly impact: string
}

const SERVICE_PREFIX = 'network/ipsec/'
const INSTANCE = 'default'

/** Names of files cannot have control characters, for one line of a file tells the unit of them. */
function pathProblem(value: string): string | undefined {
  if (!value.startsWith('/')) return 'expected an absolute path'
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
  if (/[\x00-\x1f\x7f]/.test(value)) return 'a path with control characters cannot be told to a unit'
  return value.length > 4095 ? 'the path is too long' : undefined
}

const DATA_PATHS: readonly string[] = DATA_PATH_CHOICES

const dataPath: DeclaredProperty = {
  path: 'config/data_path',
  type: 'astring',
  value: 'auto',
  variable: 'SOLIPSEC_DATAPATH',
  problem: (value) => (DATA_PATHS.includes(value) ? undefined : `expected one of ${DATA_PATHS.join(', ')}`),
}

const configFile = (value: string): DeclaredProperty => ({
  path: 'config/config_file',
  type: 'astring',
  value,
  variable: 'CONFIG_FILE',
  problem: pathProblem,
})

function service(
  name: ServiceName,
  rest: Pick<Service, 'commonName' | 'manual' | 'dependencies' | 'properties' | 'methods' | 'impact'>,
): Service {
  return {
    name,
    fmri: `svc:/${SERVICE_PREFIX}${name}:${INSTANCE}`,
    unit: `solipsec-${name}.service`,
    ...rest,
  }
}

/** In the order in which they start. */
export const SERVICES: readonly Service[] = [
  service('ipsecalgs', {
    commonName: 'IPsec algorithm initialization',
    manual: { title: 'ipsecalgs', section: '8' },
    dependencies: [],
    properties: [],
    methods: { start: 'ipsecalgs -s', stop: ':true', refresh: 'ipsecalgs -s' },
    impact: 'What was known of the kernel’s algorithms before stays as it is.',
  }),
  service('policy', {
    commonName: 'IPsec policy initialization',
    manual: { title: 'ipsecconf', section: '8' },
    dependencies: [{ grouping: 'optional_all', on: 'ipsecalgs' }],
    properties: [configFile('/etc/inet/ipsecinit.conf'), dataPath],
    methods: {
      start: 'ipsecconf -q -Fa %{config/config_file}',
      stop: 'ipsecconf -q -F',
      refresh: 'ipsecconf -q -Fa %{config/config_file}',
    },
    impact: 'The policy that was loaded before stays in force.',
  }),
  service('manual-key', {
    commonName: 'manually defined IPsec keys startup',
    manual: { title: 'ipseckey', section: '8' },
    dependencies: [
      { grouping: 'optional_all', on: 'ipsecalgs' },
      { grouping: 'optional_all', on: 'policy' },
    ],
    properties: [configFile('/etc/inet/secret/ipseckeys'), dataPath],
    methods: {
      start: 'ipseckey -f %{config/config_file}',
      stop: 'ipseckey flush',
      refresh: 'ipseckey -f %{config/config_file}',
    },
    impact: 'The keys that were loaded before stay in force.',
  }),
  service('agent', {
    commonName: 'IPsec agent',
    manual: { title: 'solipsec-agent', section: '8' },
    dependencies: [
      { grouping: 'optional_all', on: 'ipsecalgs' },
      { grouping: 'optional_all', on: 'policy' },
      { grouping: 'optional_all', on: 'manual-key' },
    ],
    properties: [configFile('/etc/solipsec.json'), dataPath],
    methods: {
      start: 'solipsec agent --config %{config/config_file}',
      stop: ':kill',
      refresh: 'solipsec check %{config/config_file} && kill -HUP',
    },
    impact: 'What was loaded before stays in force.',
  }),
]

/** The service of a name that is known to be one. */
export function serviceNamed(name: ServiceName): Service {
  const found = SERVICES.find((one) => one.name === name)
  if (!found) throw new TypeError(`no service ${name}`)
  return found
}

/** `network/ipsec/policy`: the FMRI of the service without scheme and instance. */
export function serviceOf({ name }: Service): string {
  return `${SERVICE_PREFIX}${name}`
}

/** `network-ipsec-policy:default.log`, as SMF names its logs. */
export function logName(service: Service): string {
  return `${serviceOf(service).replaceAll('/', '-')}:${INSTANCE}.log`
}
