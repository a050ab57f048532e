/**
 * One SA as a report has it.
 *
 * @module
 */
import type { UsersaInfo } from '../../netlink/xfrm/structs.ts'
import { formatAddress, formatPrefix } from '../model/address.ts'
import { type AlgorithmTable, algorithmByNumber, PROTOCOL_AH, PROTOCOL_ESP } from '../model/algorithm.ts'
import type { AssociationStatus, Lifetime } from '../model/association.ts'
import type { Secret } from '../model/secret.ts'
import type { AssociationErrors, AssociationReport, Remainder } from './report.ts'

/** What is to be known beside the SA itself. */
export interface AssociationContext {
  /** Seconds since 1970. */
  readonly now: number
  readonly algorithms: AlgorithmTable
  readonly owner: AssociationReport['owner']
  /** Whether the other half of its pair is there. */
  readonly hasPair: boolean
  readonly isAuthenticated: boolean
  readonly isUnclaimed: boolean
  /** From the kernel's message: what the model has no place for. */
  readonly body: Pick<UsersaInfo, 'curlft' | 'stats'>
  readonly lastUsed: bigint | undefined
}

export function reportAssociation(sa: AssociationStatus, context: AssociationContext): AssociationReport {
  const { now, owner, body, hasPair } = context
  const { addTime, useTime } = sa.current
  const lastUsed = Number(context.lastUsed ?? 0n)
  const soft = remainder(sa.soft, sa.current, now)
  const hard = remainder(sa.hard, sa.current, now)
  const idleLimit = least([Number(sa.idle.addTime), Number(sa.idle.useTime)].filter((limit) => limit > 0))
  const selector = selectorText(sa)
  return {
    protocol: sa.protocol,
    spi: sa.spi,
    source: formatAddress(sa.source),
    destination: formatAddress(sa.destination),
    owner,
    ...(sa.direction && { direction: sa.direction }),
    state: sa.state,
    mode: sa.inner ? 'tunnel' : 'transport',
    ...algorithmNames(sa, context.algorithms),
    isAuthenticated: context.isAuthenticated,
    ...(selector !== '' && { selector }),
    ...(context.isUnclaimed && { servesNoRule: true as const }),
    bytes: Number(body.curlft.bytes),
    packets: Number(body.curlft.packets),
    errors: errorsOf(body.stats),
    replayWindow: sa.replayWindow,
    sequence: Number(sa.replayValue),
    added: Number(addTime),
    ...(useTime > 0n && { firstUsed: Number(useTime) }),
    ...(lastUsed > 0 && { lastUsed }),
    ...(soft && { soft }),
    ...(hard && { hard }),
    ...(idleLimit !== undefined && { idleLimit }),
    ...(sa.pairSpi !== undefined && { pair: { spi: sa.pairSpi, isThere: hasPair } }),
    ...(sa.encapsulation && {
      udp: { local: sa.encapsulation.localPort, remote: sa.encapsulation.remotePort },
    }),
  }
}

function errorsOf({ replay_window, replay, integrity_failed }: UsersaInfo['stats']): AssociationErrors {
  return { integrity: integrity_failed, replay, replayWindow: replay_window }
}

/** @returns `undefined` where there is no limit */
function remainder(limit: Lifetime, current: Lifetime, now: number): Remainder | undefined {
  const left = (most: bigint, used: bigint) => Math.max(0, Number(most - used))
  const seconds: number[] = []
  if (limit.addTime > 0n) seconds.push(left(limit.addTime, BigInt(now) - current.addTime))
  if (limit.useTime > 0n) {
    // Before its first use, its time does not run.
    const used = current.useTime > 0n ? BigInt(now) - current.useTime : 0n
    seconds.push(left(limit.useTime, used))
  }
  const time = least(seconds)
  if (limit.bytes === 0n && time === undefined) return undefined
  return {
    ...(limit.bytes > 0n && { bytes: left(limit.bytes, current.bytes) }),
    ...(time !== undefined && { seconds: time }),
  }
}

function least(numbers: readonly number[]): number | undefined {
  return numbers.length === 0 ? undefined : Math.min(...numbers)
}

/** Names and bits of keys, never keys. */
export function algorithmNames(
  { authAlgorithm, authKey, encrAlgorithm, encrKey, saltBits }: AssociationStatus,
  table: AlgorithmTable,
): Pick<AssociationReport, 'encryption' | 'authentication'> {
  const words = (protocol: number, number: number, key: Secret | undefined, salt: number) => {
    const name = algorithmByNumber(table, protocol, number)?.names[0] ?? `algorithm ${number}`
    return key && key.bits > salt ? `${name} ${key.bits - salt}` : name
  }
  return {
    ...(encrAlgorithm !== 0 && { encryption: words(PROTOCOL_ESP, encrAlgorithm, encrKey, saltBits) }),
    ...(authAlgorithm !== 0 && { authentication: words(PROTOCOL_AH, authAlgorithm, authKey, 0) }),
  }
}

/** Packets that an SA is for, in words; empty: all between its ends. */
export function selectorText({
  inner,
  upperProtocol,
  sourcePort,
  destinationPort,
}: Pick<AssociationStatus, 'inner' | 'upperProtocol' | 'sourcePort' | 'destinationPort'>): string {
  const flow = inner
    ? { ...inner, ends: `${formatPrefix(inner.source)} -> ${formatPrefix(inner.destination)}` }
    : { protocol: upperProtocol, sourcePort, destinationPort, ends: '' }
  const words = [
    flow.ends,
    flow.protocol > 0 && `protocol ${flow.protocol}`,
    flow.sourcePort > 0 && `source port ${flow.sourcePort}`,
    flow.destinationPort > 0 && `destination port ${flow.destinationPort}`,
  ]
  return words.filter((word) => word).join(' ')
}
