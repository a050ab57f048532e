/**
 * Rules, protection and packets in words.
 *
 * @module
 */
import { addressBits, formatAddress, formatPrefix, type Prefix } from '../model/address.ts'
import { type AlgorithmTable, algorithmByNumber, PROTOCOL_AH, PROTOCOL_ESP } from '../model/algorithm.ts'
import { ALGORITHM_NULL } from '../model/default-algorithms.ts'
import { keySizeBounds } from '../model/key-sizes.ts'
import type { Action, AlgorithmRequirement, IcmpRange, Protection } from '../model/policy.ts'
import { ICMP_ANY, type Mismatch } from './match.ts'
import { hasPorts, isIcmp, type OpenPart, type Packet } from './packet.ts'

const UNLIMITED_BITS = 65535

/** What people call the IP protocols that rules are about. */
const PROTOCOL_NAMES: Readonly<Record<number, string>> = {
  1: 'ICMP',
  2: 'IGMP',
  4: 'IPv4 in IP',
  6: 'TCP',
  17: 'UDP',
  33: 'DCCP',
  41: 'IPv6 in IP',
  47: 'GRE',
  50: 'ESP',
  51: 'AH',
  58: 'ICMPv6',
  89: 'OSPF',
  103: 'PIM',
  112: 'VRRP',
  132: 'SCTP',
  136: 'UDP-Lite',
}

export function protocolText(protocol: number): string {
  return PROTOCOL_NAMES[protocol] ?? `protocol ${protocol}`
}

/** What an action does: `ESP aes(256) + sha256`, `pass in clear`, `drop`. */
export function actionText(action: Action, table: AlgorithmTable): string {
  if (action.kind === 'bypass') return 'pass in clear'
  return action.kind === 'drop' ? 'drop' : protectionText(action.protection, table)
}

/** `AH sha256 around ESP aes(256)`. */
function protectionText({ ah, esp, unique }: Protection, table: AlgorithmTable): string {
  const headers: string[] = []
  if (ah) headers.push(`AH ${requirementText(ah, PROTOCOL_AH, table, 'any algorithm')}`)
  if (esp) {
    const { encryption, authentication } = esp
    const integrity =
      authentication && requirementText(authentication, PROTOCOL_AH, table, 'any integrity algorithm')
    if (encryption.algorithm === ALGORITHM_NULL) {
      headers.push(`ESP ${integrity === undefined ? 'without encryption' : `${integrity}, no encryption`}`)
    } else {
      const cipher = requirementText(encryption, PROTOCOL_ESP, table, 'any cipher')
      headers.push(`ESP ${cipher}${integrity === undefined ? '' : ` + ${integrity}`}`)
    }
  }
  return `${headers.join(' around ')}${unique ? ', an SA for each flow' : ''}`
}

function requirementText(
  { algorithm, minBits, maxBits }: AlgorithmRequirement,
  protocol: number,
  table: AlgorithmTable,
  any: string,
): string {
  const known = algorithm === 0 ? undefined : algorithmByNumber(table, protocol, algorithm)
  const name = algorithm === 0 ? any : (known?.names[0] ?? `#${algorithm}`)
  // Most integrity algorithms have keys of one length only.
  const { min, max } = known ? keySizeBounds(known.keySizes) : { min: 0, max: UNLIMITED_BITS }
  if (minBits <= min && maxBits >= max) return name
  if (minBits === maxBits) return `${name}(${minBits})`
  return `${name}(${minBits || ''}..${maxBits === UNLIMITED_BITS ? '' : maxBits})`
}

/** A prefix as short as it can be: without the length where it is one address. */
export function endText(prefix: Prefix | undefined): string {
  if (!prefix) return 'any'
  return prefix.length === addressBits(prefix.family) ? formatAddress(prefix) : formatPrefix(prefix)
}

export function rangeText({ from, to }: IcmpRange): string {
  if (from === ICMP_ANY) return 'any'
  return from === to ? String(from) : `${from}-${to}`
}

/** Why a rule is not about a packet: what it is about instead. */
export function mismatchText(why: Mismatch): string {
  switch (why.part) {
    case 'direction':
      return `for packets that ${why.rule === 'in' ? 'come in' : 'go out'} only`
    case 'local':
      return `another local address: ${endText(why.rule)}`
    case 'remote':
      return `another remote address: ${endText(why.rule)}`
    case 'protocol':
      return `another protocol: ${protocolText(why.rule)}`
    case 'ports':
      return 'for protocols with ports only'
    case 'localPort':
      return `another local port: ${why.rule}`
    case 'remotePort':
      return `another remote port: ${why.rule}`
    case 'type':
      return `another ICMP type: ${rangeText(why.rule)}`
    case 'code':
      return `another ICMP code: ${rangeText(why.rule)}`
  }
}

/**
 * `192.0.2.1:49152 -> 192.0.2.2:443 TCP`.
 *
 * @param open parts that stand for others: `*`
 */
export function packetText(packet: Packet, way: 'in' | 'out', open: readonly OpenPart[] = []): string {
  const { local, remote, protocol, family } = packet
  const value = (part: OpenPart) => (open.includes(part) ? '*' : packet[part])
  const isOpen = open.includes('protocol')
  const end = (address: typeof local, part: 'localPort' | 'remotePort') => {
    const text = formatAddress(address)
    if (isOpen || !hasPorts(protocol)) return text
    return family === 'inet6' ? `[${text}]:${value(part)}` : `${text}:${value(part)}`
  }
  const ends = [end(local, 'localPort'), end(remote, 'remotePort')]
  const [source, destination] = way === 'out' ? ends : ends.reverse()
  if (isOpen) return `${source} -> ${destination}, any protocol`
  const icmp = isIcmp(protocol) ? ` type ${value('type')} code ${value('code')}` : ''
  return `${source} -> ${destination} ${protocolText(protocol)}${icmp}`
}
