/**
 * Every word that the key language knows as an extension: which slot its value goes to, and the words that it
 * knows only to refuse. Synonyms share a slot, and a slot takes one value.
 *
 * @module
 */

export type NumberSlot = 'spi' | 'pairSpi' | 'replayWindow' | 'saltBits'
export type CounterSlot =
  | 'replayValue'
  | `${'soft' | 'hard'}${'Bytes' | 'AddTime' | 'UseTime' | 'Allocations'}`
  | `idle${'AddTime' | 'UseTime'}`
export type AddressesSlot = 'source' | 'destination'
export type PrefixSlot = 'innerSource' | 'innerDestination'
export type NatAddressSlot = 'natLocal' | 'natRemote'
export type PortSlot =
  | 'sourcePort'
  | 'destinationPort'
  | 'innerSourcePort'
  | 'innerDestinationPort'
  | 'natLocalPort'
  | 'natRemotePort'
export type ProtocolSlot = 'upperProtocol' | 'innerProtocol'
export type AlgorithmSlot = 'authAlgorithm' | 'encrAlgorithm'
export type KeySlot = 'authKey' | 'encrKey'
export type IdentitySlot = 'sourceIdentity' | 'destinationIdentity'
export type FlagSlot = 'inbound' | 'outbound'

export type Slot =
  | NumberSlot
  | CounterSlot
  | AddressesSlot
  | PrefixSlot
  | NatAddressSlot
  | PortSlot
  | ProtocolSlot
  | AlgorithmSlot
  | KeySlot
  | IdentitySlot
  | FlagSlot
  | 'state'
  | 'encapsulation'

export interface ExtensionName {
  readonly slot: Slot
  /** A `…6` form: IPv6 addresses only. */
  readonly onlyInet6: boolean
}

const SLOTS: readonly (readonly [Slot, string])[] = [
  ['spi', 'spi'],
  ['pairSpi', 'pair-spi'],
  ['replayWindow', 'replay'],
  ['replayValue', 'replay_value'],
  ['state', 'state'],
  ['authAlgorithm', 'auth_alg authalg'],
  ['encrAlgorithm', 'encr_alg encralg'],
  ['softBytes', 'soft_bytes'],
  ['hardBytes', 'hard_bytes'],
  ['softAddTime', 'soft_addtime'],
  ['hardAddTime', 'hard_addtime'],
  ['softUseTime', 'soft_usetime'],
  ['hardUseTime', 'hard_usetime'],
  ['softAllocations', 'soft_alloc'],
  ['hardAllocations', 'hard_alloc'],
  ['idleAddTime', 'idle_addtime'],
  ['idleUseTime', 'idle_usetime'],
  ['source', 'src saddr srcaddr'],
  ['destination', 'dst daddr dstaddr'],
  ['innerSource', 'isrc innersrc proxy proxyaddr'],
  ['innerDestination', 'idst innerdst'],
  ['sourcePort', 'sport'],
  ['destinationPort', 'dport'],
  ['innerSourcePort', 'isport innersport'],
  ['innerDestinationPort', 'idport innerdport'],
  ['upperProtocol', 'proto ulp'],
  ['innerProtocol', 'iproto iulp'],
  ['authKey', 'authkey'],
  ['encrKey', 'encrkey'],
  ['sourceIdentity', 'srcidtype'],
  ['destinationIdentity', 'dstidtype'],
  ['natLocal', 'nat_loc'],
  ['natRemote', 'nat_rem'],
  ['natLocalPort', 'nat_lport'],
  ['natRemotePort', 'nat_rport'],
  ['encapsulation', 'encap'],
  ['inbound', 'inbound'],
  ['outbound', 'outbound'],
  ['saltBits', 'reserved_bits'],
]

const SLOTS_WITH_INET6_FORMS: ReadonlySet<Slot> = new Set([
  'source',
  'destination',
  'innerSource',
  'innerDestination',
])

/** Extension names that carry something; case counts. */
export const EXTENSIONS: ReadonlyMap<string, ExtensionName> = new Map(
  SLOTS.flatMap(([slot, words]) => words.split(' ').flatMap((word) => forms(slot, word))),
)

function forms(slot: Slot, word: string): [string, ExtensionName][] {
  const plain: [string, ExtensionName] = [word, { slot, onlyInet6: false }]
  return SLOTS_WITH_INET6_FORMS.has(slot) ? [plain, [`${word}6`, { slot, onlyInet6: true }]] : [plain]
}

const NOT_FOR_ADD = 'It describes an SA that exists; it cannot be set.'
const LABELS = 'Labels need Trusted Extensions, which Linux does not have.'

/** Words of the language that no command may carry, with the reason. */
export const REFUSED_EXTENSIONS: ReadonlyMap<string, string> = new Map([
  ['current_alloc', NOT_FOR_ADD],
  ['current_bytes', NOT_FOR_ADD],
  ['current_addtime', NOT_FOR_ADD],
  ['current_usetime', NOT_FOR_ADD],
  ['flags', 'Flags follow from the other extensions: inbound, outbound, encap, isrc.'],
  ['dpd', LABELS],
  ['sens_level', LABELS],
  ['sens_map', LABELS],
  ['integ_level', LABELS],
  ['integ_map', LABELS],
  ['label', LABELS],
  ['outer-label', LABELS],
  ['implicit-label', LABELS],
])

/** Every known extension word. */
export const EXTENSION_NAMES: ReadonlySet<string> = new Set([
  ...EXTENSIONS.keys(),
  ...REFUSED_EXTENSIONS.keys(),
])

/** Slots that name an SA: all that `delete`, `delete-pair` and `get` take. */
export const TARGET_SLOTS: ReadonlySet<Slot> = new Set([
  'spi',
  'source',
  'destination',
  'sourcePort',
  'destinationPort',
  'upperProtocol',
  'inbound',
  'outbound',
])
