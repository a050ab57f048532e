/**
 * The lifetime lines of a message: current, soft, hard, idle.
 *
 * @module
 */
import type { AssociationStatus, IdleLifetime, Lifetime } from '../../../../agent/model/association.ts'
import { hasLimit } from './message-length.ts'
import { bytes, date, seconds } from './units.ts'

interface LifetimeOptions {
  readonly verbose?: boolean
  readonly now?: bigint
}

/** Every line; soft, hard and idle only where they limit something. */
export function lifetimeLines(status: AssociationStatus, options: LifetimeOptions): string[] {
  return [
    ' LT: Lifetime information',
    ...currentLines(status.current, options),
    ...limitLines('SLT', 'Soft', status.soft, status.current, options),
    ...limitLines('HLT', 'Hard', status.hard, status.current, options),
    ...idleLines(status.idle),
  ]
}

function currentLines(current: Lifetime, options: LifetimeOptions): string[] {
  return [
    `CLT: ${bytes(current.bytes)} protected, ${current.allocations} allocations used.`,
    ...(current.addTime > 0n ? [`CLT: SA added at time ${moment(current.addTime, options)}`] : []),
    ...(current.useTime > 0n ? [`CLT: SA first used at time ${moment(current.useTime, options)}`] : []),
  ]
}

function moment(time: bigint, { verbose }: LifetimeOptions): string {
  return verbose ? `${date(time)} (raw time value ${time})` : date(time)
}

function limitLines(
  prefix: string,
  name: string,
  limits: Lifetime,
  current: Lifetime,
  options: LifetimeOptions,
): string[] {
  if (!hasLimit(limits)) return []
  return [
    `${prefix}: ${name} lifetime information:`,
    `${prefix}: ${bytes(limits.bytes)} of lifetime, ${limits.allocations} allocations.`,
    `${prefix}: ${seconds(limits.addTime)} of post-add lifetime.`,
    `${prefix}: ${seconds(limits.useTime)} of post-use lifetime.`,
    ...expirationLine(prefix, name, limits, current, options),
  ]
}

/** The earlier of the two moments at which time alone ends the SA. */
function expirationLine(
  prefix: string,
  name: string,
  limits: Lifetime,
  current: Lifetime,
  { now, verbose }: LifetimeOptions,
): string[] {
  if (now === undefined) return []
  const ends = [
    ...(limits.addTime > 0n && current.addTime > 0n ? [current.addTime + limits.addTime] : []),
    ...(limits.useTime > 0n && current.useTime > 0n ? [current.useTime + limits.useTime] : []),
  ].sort((a, b) => (a < b ? -1 : 1))
  const [end] = ends
  if (end === undefined) return []
  if (end <= now) return [`${prefix}: ${name} expiration occurred ${seconds(now - end)} ago.`]
  const raw = verbose ? ` (raw time value ${end})` : ''
  return [`${prefix}: ${name} expiration occurs in ${seconds(end - now)}, at ${date(end)}${raw}`]
}

function idleLines(idle: IdleLifetime): string[] {
  if (!hasLimit(idle)) return []
  return [
    'ILT: Idle lifetime information:',
    `ILT: ${seconds(idle.addTime)} of post-add idle lifetime.`,
    `ILT: ${seconds(idle.useTime)} of post-use idle lifetime.`,
  ]
}
