/** A resolver with a few names in it, and short ways into the parser. */
import { defaultAlgorithmTable } from '../../../../agent/model/default-algorithms.ts'
import type { Diagnostic } from '../../../../agent/model/diagnostic.ts'
import type { Resolver } from '../../../../agent/model/resolver.ts'
import type { KeyCommand, KeyFile } from '../../../../compat/solaris/ipseckey/command.ts'
import { parseKeyFile } from '../../../../compat/solaris/ipseckey/parser.ts'
import { address } from '../../../support/address.ts'

export const algorithms = defaultAlgorithmTable

const HOSTS: Readonly<Record<string, readonly string[]>> = {
  left: ['192.0.2.1'],
  right: ['198.51.100.2'],
  dual: ['198.51.100.2', '2001:db8::2'],
  dualsource: ['192.0.2.1', '2001:db8::1'],
  twosources: ['192.0.2.1', '192.0.2.9'],
  repeated: ['192.0.2.1', '192.0.2.1'],
  mapped: ['::ffff:192.0.2.1'],
  linklocal: ['fe80::1', '2001:db8::1'],
  sitelocal: ['fec0::1'],
}

export const resolver: Resolver = {
  addresses: (name) => (HOSTS[name] ?? []).map(address),
  network: () => undefined,
  service: (name) => ({ telnet: 23, https: 443 })[name],
  protocol: (name) => ({ icmp: 1, tcp: 6, udp: 17 })[name],
  hostName: (host) => (host.bytes.join('.') === '192.0.2.1' ? 'left.example.net' : undefined),
  serviceName: () => undefined,
  protocolName: (number) => ({ 6: 'tcp', 17: 'udp' })[number],
}

export const options = { algorithms, resolver }

/** Keys of each size, every digit of them different from what else stands in the tests. */
export const KEY_64 = '0123456789abcdef'
export const KEY_128 = '00112233445566778899aabbccddeeff'
export const KEY_160 = `${KEY_128}01234567`
export const KEY_256 = `${KEY_128}ffeeddccbbaa99887766554433221100`

export const ENDS = 'src 192.0.2.1 dst 198.51.100.2'
export const AUTH = `auth_alg sha256 authkey ${KEY_256}`
export const ENCR = `encr_alg aes encrkey ${KEY_128}`
/** An `add` line that lacks nothing; what a test is about is added at its end. */
export const ADD = `add esp spi 0x1234 ${ENDS} ${ENCR} ${AUTH}`
export const ADD_AH = `add ah spi 0x1234 ${ENDS} ${AUTH}`
export const DELETE = 'delete esp spi 0x1234 dst 198.51.100.2'
export const UPDATE = 'update esp spi 0x1234 dst 198.51.100.2'

export function parse(text: string): KeyFile {
  return parseKeyFile(text, 'keys', options)
}

/** The one command of a text that has no error. */
export function command(text: string): KeyCommand {
  const { commands, diagnostics } = parse(text)
  const [first] = commands
  const error = diagnostics.find(({ severity }) => severity === 'error')
  if (error) throw new TypeError(`${error.message} ${error.hint ?? ''}`)
  if (!first || commands.length !== 1) throw new TypeError(`${commands.length} commands, not one`)
  return first
}

/** The SA of the one `add` of a text that has no error. */
export function added(text: string): Extract<KeyCommand, { kind: 'add' }>['association'] {
  const parsed = command(text)
  if (parsed.kind !== 'add') throw new TypeError(`not an add: ${parsed.kind}`)
  return parsed.association
}

export function messages(diagnostics: readonly Diagnostic[]): string[] {
  return diagnostics.map(({ severity, message }) => `${severity}: ${message}`)
}
