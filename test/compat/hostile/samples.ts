/**
 * Good texts in each language, each with something of everything that the language has.
 *
 * @module
 */
import { emptyState, replaceRules, setTunables } from '../../../agent/reconcile/policy-edit.ts'
import { encodeState } from '../../../agent/reconcile/policy-state.ts'
import { parsePolicy } from '../../../compat/solaris/ipsecconf/index.ts'
import { EXTENSION_NAMES } from '../../../compat/solaris/ipseckey/extension-names.ts'
import { COMMANDS } from '../../../compat/solaris/ipseckey/words.ts'
import { environment, KEY_128, KEY_256 } from '../configuration/support.ts'
import { WORDS } from '../solaris/ipsecconf/arbitraries.ts'

export const POLICIES = [
  '{laddr 192.0.2.1 raddr 198.51.100.0/24 ulp tcp rport 23} ipsec {encr_algs aes(256) encr_auth_algs sha256 sa shared}\n',
  '# ssh\n{lport 22 ulp tcp dir both} bypass {}\n{raddr 10.0.0.0/8} drop {}\n',
  '{raddr 198.51.100.7} ipsec {auth_algs sha256} or ipsec {encr_algs any encr_auth_algs any} or pass {}\n',
  '{tunnel tun0 negotiate tunnel laddr 10.1.0.0/16 raddr 10.2.0.0/16 dir out} ipsec {encr_algs aes-gcm(128..256) sa unique}\n',
  '{saddr beta sport ssh ulp udp dir in} permit {encr_algs 3des encr_auth_algs md5}\n{ulp icmp type 8-11 code 0-5} \\\n apply {auth_algs any sa unique}\n',
]

export const KEY_FILES = [
  `flush esp\nadd esp spi 0x1001 src 192.0.2.1 dst 198.51.100.2 encr_alg aes encrkey ${KEY_128} auth_alg sha256 authkey ${KEY_256}/256 hard_addtime 28800 soft_bytes 4096\n`,
  `add ah spi 300 src6 2001:db8::1 dst6 2001:db8::2 authalg sha256 authkey 0x${KEY_256} replay 32 # key\n`,
  `add esp spi 0x1003 dst dual encralg aes-gcm encrkey ${KEY_128}00000000 srcidtype fqdn "a b" proto tcp sport 5 isrc 10.0.0.0/8 idst 10.1.0.0/16 \\\n  encap udp nat_rport 4500 nat_lport 4500 outbound\n`,
  'update esp spi 0x1001 dst right pair-spi 0x1003 idle_usetime 60\ndelete-pair esp spi 0x1004 dst 2001:db8::2\nget ah spi 7 dst left\ndump all\nsave esp /tmp/x\n',
]
export const KEY_WORDS = [...COMMANDS.keys(), ...EXTENSION_NAMES, KEY_128, 'left', 'esp', 'ah', '"a b"']

export const TABLES = [
  '# Start SUNWcs\nPROTO|2|PROTO_IPSEC_AH|sync\nALG|2|2|hmac-md5,md5|CKM_MD5_HMAC_GENERAL|128|12\nPROTO|3|PROTO_IPSEC_ESP|async\n',
  'PROTO|3|PROTO_IPSEC_ESP|async\nALG|3|11|null|-|0|0\nALG|3|12|aes-cbc,aes|CKM_AES_CBC|128/128-256,64|16\nALG|3|20|aes-gcm,aes-gcm16|CKM_AES_GCM|128/128-256,64|16|8,16,4|23\n',
]
export const TABLE_WORDS = ['ALG|', 'PROTO|', '|', '128/128-256,64', '0xffff', 'sync', 'aes-cbc,aes', '12,']

const sa = {
  protocol: 'esp',
  spi: '0x1001',
  source: '192.0.2.1',
  destination: '198.51.100.2',
  encryption: { algorithm: 'aes', key: KEY_128 },
  authentication: { algorithm: 'sha256', key: KEY_256 },
  hard: { bytes: 100 },
}
export const DOCUMENTS = [
  {
    policies: [{ local: '192.0.2.1', remotePort: 23, protect: { encryption: 'aes(256)' } }],
    drift: 'report',
  },
  { associations: [sa, { ...sa, spi: 300, authentication: { algorithm: 'sha256', key: { file: 'key' } } }] },
  {
    policies: [
      { comment: ['a', 'b'], tunnel: { name: 'tun0', mode: 'tunnel' }, protect: [{ ah: 'any' }, 'bypass'] },
      { remote: ['10.0.0.0/8', 'alpha'], action: 'drop', direction: 'in' },
    ],
    tunnels: [{ name: 'tun0', kind: 'ipip', local: '192.0.2.1', remote: '198.51.100.2' }],
    sockets: [{ service: 'a.service', action: 'bypass' }],
    tunables: { ip: { acceptClearIcmp: false } },
    dataPath: 'auto',
  },
].map((document) => JSON.stringify(document))
export const DOCUMENT_WORDS = [
  ...['"policies":', '"associations":', '"key":', '"spi":', '"local":', '"protect":', '"tunnels":', '"ike":'],
  ...['null', 'true', '[[[[', '{"a":', '],', '}', '"', '\\u0000', '"__proto__":', '"comment":', KEY_128],
]

export const POLICY_WORDS = WORDS

export const FILTERS = [
  'host alpha and not port 22 or (ip6 and tcp)',
  'ether 08:00:20:01:02:03 or net 192.0.2 and greater 100',
  'ip[9] = 6 and (tcp[13] & 0x3f != 0) or esp spi 0x1001',
  'from beta to gateway and vlan-id 7 or ethertype 0x86dd',
]
export const FILTER_WORDS = [
  'and',
  'or',
  'not',
  'host',
  'port',
  'net',
  '(',
  ')',
  'ip[',
  ']',
  '0x',
  'ether',
  'less',
]

export const REQUESTS = [
  '{"jsonrpc":"2.0","id":1,"method":"agent.status"}',
  '{"jsonrpc":"2.0","id":"x","method":"command.show","params":{"command":"ipsecconf","argv":["-l","-n"]}}',
]
export const REQUEST_WORDS = ['"id":', '"method":', '"params":', 'null', '[', '{', '"argv":', '"-a"', '2.0']

const parsed = parsePolicy(POLICIES.join(''), 'ipsecinit.conf', environment).rules
const state = {
  ...setTunables(emptyState(0xff00_0000), [['ipsecesp_acquire_timeout', 20]]),
  settings: { acquireExpiry: { value: 20, before: 30 } },
}
export const STATES = [encodeState(state), encodeState(replaceRules(state, parsed, { kind: 'all' }))]
export const STATE_WORDS = [
  '"version":5',
  '"rules":',
  '"numbers":',
  '"prefixes":',
  '"192.0.2.1/32"',
  'null',
  '[',
  '{',
  '9e9',
]

const set = {
  groups: { config: 'application', own: 'framework' },
  properties: {
    'config/config_file': { type: 'astring', values: ['/etc/inet/ipsecinit.conf'] },
    'own/number': { type: 'count', values: ['1', '2'] },
  },
}
export const PROPERTIES = [
  JSON.stringify({ editing: set, running: { groups: {}, properties: {} } }),
  JSON.stringify({ editing: { groups: {}, properties: {} }, running: set }, undefined, 2),
]
export const PROPERTY_WORDS = [
  '"values":',
  '"type":',
  'astring',
  'boolean',
  '"config/',
  '__proto__',
  '[]',
  '{}',
  'null',
]
