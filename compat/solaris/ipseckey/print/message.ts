/**
 * The block that `get`, `dump` and `monitor` print for one message: a heading, then lines that each begin with the
 * three letters of the PF_KEY extension that they show.
 *
 * @module
 */
import { type Address, addressBits, formatAddress, isUnspecified } from '../../../../agent/model/address.ts'
import {
  type AlgorithmTable,
  algorithmByNumber,
  PROTOCOL_AH,
  PROTOCOL_ESP,
} from '../../../../agent/model/algorithm.ts'
import type {
  Acquire,
  AssociationStatus,
  Identity,
  InnerSelector,
  SaProtocol,
} from '../../../../agent/model/association.ts'
import { ALGORITHM_NULL } from '../../../../agent/model/default-algorithms.ts'
import type { Resolver } from '../../../../agent/model/resolver.ts'
import type { Secret } from '../../../../agent/model/secret.ts'
import { identityTypeWord, SA_TYPE_NUMBERS } from '../words.ts'
import { flagBits, flagNames } from './flags.ts'
import { displayedKey } from './key.ts'
import { lifetimeLines } from './lifetime.ts'
import { acquireLength, BARE_LENGTH, messageLength } from './message-length.ts'
import { date } from './units.ts'

export interface PrintOptions {
  readonly algorithms: AlgorithmTable
  readonly resolver: Resolver
  /** `-n`: no names for addresses. */
  readonly numeric?: boolean
  /** `-p`: `XX` for each byte of a key. */
  readonly paranoid?: boolean
  /** `-v`: times also as numbers. */
  readonly verbose?: boolean
  /** Seconds since 1970; given, expirations are counted down to. */
  readonly now?: bigint
}

/** PF_KEY message types that are shown. */
export type MessageType = 'ADD' | 'UPDATE' | 'DELETE' | 'GET' | 'ACQUIRE' | 'EXPIRE' | 'FLUSH' | 'DUMP'

/** The base header. */
export interface MessageHeading {
  readonly type: MessageType
  readonly sequence: number
  readonly pid: number
}

/** A message about one SA. */
export function formatMessage(
  heading: MessageHeading,
  status: AssociationStatus,
  options: PrintOptions,
): string {
  const lines = [
    ...base(heading, status.protocol, messageLength(status)),
    ...associationLines(status, options),
    ...lifetimeLines(status, options),
    ...addressLines(status, options),
    ...innerLines(status.inner, options),
    ...keyLines('AKY', 'Authentication', status.authKey, 0, options),
    ...keyLines('EKY', 'Encryption', status.encrKey, status.saltBits, options),
    ...identityLines('SID', 'Source', status.sourceIdentity),
    ...identityLines('DID', 'Destination', status.destinationIdentity),
    ...encapsulationLines(status, options),
    ...(status.pairSpi === undefined ? [] : [`OTH: Paired with spi=0x${status.pairSpi.toString(16)}`]),
    ...(status.replayValue === 0n ? [] : [`RPL: Replay value ${status.replayValue}`]),
  ]
  return `${lines.join('\n')}\n`
}

/** A message that the kernel wants an SA. */
export function formatAcquire(heading: MessageHeading, acquire: Acquire, options: PrintOptions): string {
  const addresses = addressLines(acquire, options)
  const inner = innerLines(acquire.inner, options)
  return `${[...base(heading, acquire.protocol, acquireLength(acquire)), ...addresses, ...inner].join('\n')}\n`
}

/** A message without an SA: FLUSH. */
export function formatBare(heading: MessageHeading, protocol: SaProtocol | 'all'): string {
  return `${base(heading, protocol, BARE_LENGTH).join('\n')}\n`
}

/** The last line of a dump. */
export function formatDumpEnd(protocol: SaProtocol | 'all'): string {
  return `Dump succeeded for SA type ${SA_TYPE_NUMBERS[protocol]}.\n`
}

/** What `monitor` prints before each message. */
export function formatTimestamp(time: bigint, length: number): string {
  return `Timestamp: ${date(time)}\nRead ${length} bytes.\n`
}

/** What `monitor` prints before the first message. */
export function monitorHeading(passive: boolean): string {
  return `${passive ? 'Passively' : 'Actively'} monitoring the PF_KEY socket.\n`
}

const TYPE_NAMES: Readonly<Record<SaProtocol | 'all', string>> = {
  ah: 'AH',
  esp: 'ESP',
  all: '<unspecified>',
}

function base(
  { type, sequence, pid }: MessageHeading,
  protocol: SaProtocol | 'all',
  length: number,
): string[] {
  return [
    `Base message (version 2) type ${type}, SA type ${TYPE_NAMES[protocol]}.`,
    `Message length ${length} bytes, seq=${sequence}, pid=${pid}.`,
  ]
}

function associationLines(status: AssociationStatus, { algorithms }: PrintOptions): string[] {
  const flags = flagNames(status)
  const bits = flagBits(flags).toString(16)
  const { authAlgorithm, encrAlgorithm, spi, replayWindow, state } = status
  const name = (protocol: number, number: number) =>
    algorithmByNumber(algorithms, protocol, number)?.names[0] ??
    (number === ALGORITHM_NULL ? 'null' : `<${number}>`)
  return [
    `SA: SADB_ASSOC spi=0x${spi.toString(16)}, replay window size=${replayWindow}, state=${state.toUpperCase()}`,
    ...(authAlgorithm ? [`SA: Authentication algorithm = ${name(PROTOCOL_AH, authAlgorithm)}`] : []),
    ...(encrAlgorithm ? [`SA: Encryption algorithm = ${name(PROTOCOL_ESP, encrAlgorithm)}`] : []),
    `SA: flags=0x${bits}${flags.length > 0 ? ` < ${flags.join(' ')} >` : ''}`,
  ]
}

function addressLines(acquire: Omit<Acquire, 'protocol'>, options: PrintOptions): string[] {
  const { source, destination, upperProtocol, sourcePort, destinationPort } = acquire
  const protocol = protocolSuffix(upperProtocol, options)
  return [
    `SRC: Source address${protocol}`,
    `SRC: ${socketAddress(source, sourcePort, options)}`,
    `DST: Destination address${protocol}`,
    `DST: ${socketAddress(destination, destinationPort, options)}`,
  ]
}

function protocolSuffix(number: number, { resolver }: PrintOptions): string {
  if (number === 0) return ''
  return ` (proto=${number}/${resolver.protocolName(number) ?? '<unknown>'})`
}

function socketAddress(address: Address, port: number, options: PrintOptions): string {
  const family = address.family === 'inet' ? 'AF_INET' : 'AF_INET6'
  return `${family}: port ${port}, ${formatAddress(address)}${nameSuffix(address, options)}.`
}

function nameSuffix(address: Address, { numeric, resolver }: PrintOptions): string {
  if (numeric) return ''
  if (isUnspecified(address)) return ' <unspecified>'
  const name = resolver.hostName(address)
  return name === undefined ? ' <unknown>' : ` (${name})`
}

function innerLines(inner: InnerSelector | undefined, options: PrintOptions): string[] {
  if (!inner) return []
  const side = (prefix: string, name: string, address: InnerSelector['source'], port: number) => [
    `${prefix}: Inner ${name} address${protocolSuffix(inner.protocol, options)}`,
    `${prefix}: ${socketAddress(address, port, options).replace(/\.$/, '')}${innerPrefix(address)}.`,
  ]
  return [
    ...side('INS', 'source', inner.source, inner.sourcePort),
    ...side('IND', 'destination', inner.destination, inner.destinationPort),
  ]
}

function innerPrefix({ family, length }: InnerSelector['source']): string {
  return length === addressBits(family) ? '' : ` (prefix length ${length})`
}

function keyLines(
  prefix: string,
  name: string,
  key: Secret | undefined,
  saltBits: number,
  { paranoid = false }: PrintOptions,
): string[] {
  return key ? [`${prefix}: ${name} key.`, `${prefix}: ${displayedKey(key, saltBits, paranoid)}`] : []
}

function identityLines(prefix: string, name: string, identity: Identity | undefined): string[] {
  if (!identity) return []
  return [
    `${prefix}: ${name} identity, type ${identityTypeWord(identity.type)}.`,
    `${prefix}: ${identity.value}`,
  ]
}

function encapsulationLines({ encapsulation }: AssociationStatus, options: PrintOptions): string[] {
  if (!encapsulation) return []
  const { local, remote, localPort, remotePort } = encapsulation
  return [
    ...(remote ? ['NRM: NAT-T remote address', `NRM: ${socketAddress(remote, remotePort, options)}`] : []),
    ...(local ? ['NLC: NAT-T local address', `NLC: ${socketAddress(local, localPort, options)}`] : []),
  ]
}
