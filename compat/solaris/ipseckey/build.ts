/**
 * From the extensions of one entry to its commands: the checks that need more than one extension, and one command
 * for each destination address.
 *
 * @module
 */
import { isUnspecified } from '../../../agent/model/address.ts'
import type {
  SaChanges,
  SaProtocol,
  SaTarget,
  SecurityAssociation,
} from '../../../agent/model/association.ts'
import { type Cryptography, cryptographyOf } from './algorithms.ts'
import type { KeyCommand, SaExpectation } from './command.ts'
import { encapsulationOf } from './encapsulation.ts'
import { type Endpoints, endpointsOf } from './endpoints.ts'
import type { EntryReader } from './entry.ts'
import type { Fields } from './extensions.ts'
import { checkLimits, givenIdleLimits, givenLimits, idleLimitsOf, limitsOf } from './lifetimes.ts'
import { pfkeyDiagnostic } from './pfkey-diagnostics.ts'
import { type TrafficSelection, trafficOf } from './tunnel.ts'
import type { Given } from './values.ts'

/** RFC 4303 section 2.1: 1 to 255 are reserved by IANA. */
const MIN_SPI = 256

/** The commands of an `add` entry; none where something is wrong. */
export function buildAdd(reader: EntryReader, protocol: SaProtocol, fields: Fields): KeyCommand[] {
  checkState(reader, fields)
  const { spi } = fields
  if (!spi) reader.error('Need to define SPI for add.', undefined, 'spi')
  else checkUsableSpi(reader, spi)
  checkPairSpi(reader, fields)
  const endpoints = checkedEndpoints(reader, fields, 'add')
  const cryptography = cryptographyOf(reader, protocol, fields)
  const traffic = trafficOf(reader, fields)
  const encapsulation = encapsulationOf(reader, protocol, fields, endpoints)
  checkLimits(reader, fields)
  checkPairAddresses(reader, fields, endpoints)
  const direction = directionOf(reader, fields)
  warnOfReplay(reader, fields)
  if (reader.failed || !spi || !cryptography) return []
  const { value } = spi
  return endpoints.map((pair) => {
    const association = newAssociation(protocol, value, fields, pair, traffic, cryptography)
    if (direction) association.direction = direction
    if (encapsulation) association.encapsulation = encapsulation
    return { kind: 'add', association }
  })
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] }

/** One object literal, then the rare fields: built this way, ten thousand SAs share one layout in memory. */
function newAssociation(
  protocol: SaProtocol,
  spi: number,
  fields: Fields,
  { source, destination }: Endpoints,
  traffic: TrafficSelection,
  { authentication, encryption }: Cryptography,
): Mutable<SecurityAssociation> {
  const association: Mutable<SecurityAssociation> = {
    protocol,
    spi,
    source,
    destination,
    upperProtocol: traffic.upperProtocol,
    sourcePort: traffic.sourcePort,
    destinationPort: traffic.destinationPort,
    authAlgorithm: authentication.authAlgorithm,
    encrAlgorithm: encryption.encrAlgorithm,
    saltBits: encryption.saltBits,
    soft: limitsOf(fields, 'soft'),
    hard: limitsOf(fields, 'hard'),
    idle: idleLimitsOf(fields),
    replayWindow: fields.replayWindow?.value ?? 0,
    replayValue: fields.replayValue?.value ?? 0n,
  }
  if (authentication.authKey) association.authKey = authentication.authKey
  if (encryption.encrKey) association.encrKey = encryption.encrKey
  if (traffic.inner) association.inner = traffic.inner
  if (fields.pairSpi) association.pairSpi = fields.pairSpi.value
  if (fields.sourceIdentity) association.sourceIdentity = fields.sourceIdentity.value
  if (fields.destinationIdentity) association.destinationIdentity = fields.destinationIdentity.value
  return association
}

/** The commands of an `update` or `update-pair` entry. */
export function buildUpdate(
  reader: EntryReader,
  kind: 'update' | 'update-pair',
  protocol: SaProtocol,
  fields: Fields,
): KeyCommand[] {
  if (kind === 'update-pair' && fields.pairSpi) {
    reader.error('pair-spi can not be used with the "update-pair" command.', fields.pairSpi.token)
  }
  refuseNewKeys(reader, protocol, fields)
  checkPairSpi(reader, fields)
  const endpoints = targetEndpoints(reader, fields, kind)
  const traffic = trafficOf(reader, fields)
  const encapsulation = encapsulationOf(reader, protocol, fields, endpoints)
  checkLimits(reader, fields)
  const direction = directionOf(reader, fields)
  warnOfReplay(reader, fields)
  const { spi } = fields
  if (reader.failed || !spi) return []
  const { inner, ...selection } = traffic
  const changes = changesOf(fields, encapsulation)
  const expected: SaExpectation = {
    ...(fields.authAlgorithm && { authAlgorithm: fields.authAlgorithm.value.number }),
    ...(fields.encrAlgorithm && { encrAlgorithm: fields.encrAlgorithm.value.number }),
    ...(inner && { inner }),
  }
  return endpoints.map((pair) => {
    const target = {
      protocol,
      spi: spi.value,
      ...selection,
      ...targetPair(pair),
      ...(direction && { direction }),
    }
    return { kind, target, changes, expected }
  })
}

/** The commands of a `delete`, `delete-pair` or `get` entry. */
export function buildTarget(
  reader: EntryReader,
  kind: 'delete' | 'delete-pair' | 'get',
  protocol: SaProtocol,
  fields: Fields,
): KeyCommand[] {
  const endpoints = targetEndpoints(reader, fields, kind)
  const direction = directionOf(reader, fields)
  const { spi } = fields
  if (reader.failed || !spi) return []
  const { inner: _, ...selection } = trafficOf(reader, fields)
  if (reader.failed) return []
  return endpoints.map((pair) => {
    const target: SaTarget = {
      protocol,
      spi: spi.value,
      ...selection,
      ...targetPair(pair),
      ...(direction && { direction }),
    }
    return { kind, target }
  })
}

function targetPair(pair: Endpoints): Pick<SaTarget, 'source' | 'destination'> {
  return isUnspecified(pair.source) ? { destination: pair.destination } : pair
}

function targetEndpoints(reader: EntryReader, fields: Fields, kind: string): Endpoints[] {
  if (!fields.spi && !fields.destination) {
    reader.error(`Need SA parameters for ${kind}.`, undefined, 'spi and dst')
    return []
  }
  if (!fields.spi) reader.error(`Need to define SPI for ${kind}.`, undefined, 'spi')
  return checkedEndpoints(reader, fields, kind)
}

function checkedEndpoints(reader: EntryReader, fields: Fields, kind: string): Endpoints[] {
  if (!fields.destination) reader.error(`Need destination address for ${kind}.`, undefined, 'dst')
  return endpointsOf(reader, fields)
}

function checkUsableSpi(reader: EntryReader, spi: Given<number>): void {
  if (spi.value >= MIN_SPI) return
  const hint = 'RFC 4303 section 2.1 reserves 1 to 255; both ends must use the new number.'
  reader.error(`Invalid SPI value ${reader.quote(spi.token)}.`, spi.token, 'an SPI from 256 up', hint)
}

function checkPairSpi(reader: EntryReader, { pairSpi }: Fields): void {
  if (pairSpi) checkUsableSpi(reader, pairSpi)
}

function checkPairAddresses(reader: EntryReader, { pairSpi }: Fields, endpoints: readonly Endpoints[]): void {
  if (!pairSpi || !endpoints.some((pair) => isUnspecified(pair.source))) return
  const hint = 'The other half has source and destination exchanged, so both must be given.'
  reader.error(pfkeyDiagnostic(74), pairSpi.token, 'src', hint)
}

function checkState(reader: EntryReader, { state }: Fields): void {
  if (!state || state.value === 'mature') return
  reader.error(pfkeyDiagnostic(43), state.token, '"mature", the state of every SA that is added')
}

function directionOf(reader: EntryReader, { inbound, outbound }: Fields): 'in' | 'out' | undefined {
  if (inbound && outbound) reader.error(pfkeyDiagnostic(77), outbound.token, 'one of inbound, outbound')
  if (inbound) return 'in'
  return outbound ? 'out' : undefined
}

function warnOfReplay(reader: EntryReader, { replayWindow }: Fields): void {
  if (!replayWindow?.value) return
  const hint = 'After a restart the sender counts from 1 again, and its packets are taken for old ones.'
  reader.warnOnce('WARNING:  Replay with manual keying considered harmful.', replayWindow.token, hint)
}

/** A key cannot be exchanged under a living SA: neither kernel does it, and Linux would not even say so. */
function refuseNewKeys(reader: EntryReader, protocol: SaProtocol, fields: Fields): void {
  const hint = 'Delete the SA and add it again, best under a new SPI.'
  if (fields.authKey) reader.error(pfkeyDiagnostic(36), fields.authKey.token, undefined, hint)
  if (fields.encrKey) reader.error(pfkeyDiagnostic(37), fields.encrKey.token, undefined, hint)
  if (protocol === 'ah' && fields.encrAlgorithm) {
    reader.error('Cannot specify encryption with SA type ah.', fields.encrAlgorithm.token)
  }
}

function identitiesOf(fields: Fields): Pick<SecurityAssociation, 'sourceIdentity' | 'destinationIdentity'> {
  return {
    ...(fields.sourceIdentity && { sourceIdentity: fields.sourceIdentity.value }),
    ...(fields.destinationIdentity && { destinationIdentity: fields.destinationIdentity.value }),
  }
}

function changesOf(fields: Fields, encapsulation: SaChanges['encapsulation']): SaChanges {
  const soft = givenLimits(fields, 'soft')
  const hard = givenLimits(fields, 'hard')
  const idle = givenIdleLimits(fields)
  return {
    ...(fields.state && { state: fields.state.value }),
    ...(soft && { soft }),
    ...(hard && { hard }),
    ...(idle && { idle }),
    ...(fields.replayWindow && { replayWindow: fields.replayWindow.value }),
    ...(fields.replayValue && { replayValue: fields.replayValue.value }),
    ...(fields.pairSpi && { pairSpi: fields.pairSpi.value }),
    ...(encapsulation && { encapsulation }),
    ...identitiesOf(fields),
  }
}
