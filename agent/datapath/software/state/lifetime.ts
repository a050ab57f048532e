/**
 * When an SA comes to its end: limits on bytes, packets and time (`xfrm_lifetime_cfg`, RFC 4301 section 4.4.2.1).
 *
 * @module
 */
import { INF } from '../../../../netlink/xfrm/constants.ts'
import type { LifetimeCfg } from '../../../../netlink/xfrm/structs.ts'

export const ALIVE = 0
/** A soft limit has been passed: time for a successor. */
export const SOFT = 1
/** A hard limit has been reached: the SA may not be used any more. */
export const HARD = 2
export type LifeStage = typeof ALIVE | typeof SOFT | typeof HARD

/** What an SA has been used for so far. Times are seconds since 1970; 0 = not yet. */
export interface Usage {
  bytes: number
  packets: number
  addTime: number
  useTime: number
  lastUsed: number
}

/** Limits as plain numbers, `Infinity` where there is none. */
export interface Limits {
  readonly softBytes: number
  readonly hardBytes: number
  readonly softPackets: number
  readonly hardPackets: number
  readonly softAdd: number
  readonly hardAdd: number
  readonly softUse: number
  readonly hardUse: number
  /** Whether any of them is about time. */
  readonly isTimed: boolean
}

/** The kernel's limits. For amounts all ones means none, for times 0 does. */
export function limitsOf(config: LifetimeCfg): Limits {
  const amount = (value: bigint) => (value === INF ? Number.POSITIVE_INFINITY : Number(value))
  const time = (value: bigint) => (value === 0n ? Number.POSITIVE_INFINITY : Number(value))
  const softAdd = time(config.soft_add_expires_seconds)
  const hardAdd = time(config.hard_add_expires_seconds)
  const softUse = time(config.soft_use_expires_seconds)
  const hardUse = time(config.hard_use_expires_seconds)
  return {
    softBytes: amount(config.soft_byte_limit),
    hardBytes: amount(config.hard_byte_limit),
    softPackets: amount(config.soft_packet_limit),
    hardPackets: amount(config.hard_packet_limit),
    softAdd,
    hardAdd,
    softUse,
    hardUse,
    isTimed: Math.min(softAdd, hardAdd, softUse, hardUse) < Number.POSITIVE_INFINITY,
  }
}

/** How far the amounts are, before another packet. */
export function stageByAmount(limits: Limits, usage: Usage): LifeStage {
  if (usage.bytes >= limits.hardBytes || usage.packets >= limits.hardPackets) return HARD
  return usage.bytes >= limits.softBytes || usage.packets >= limits.softPackets ? SOFT : ALIVE
}

/** How far the times are. @param now seconds since 1970 */
export function stageByTime(limits: Limits, usage: Usage, now: number): LifeStage {
  const age = now - usage.addTime
  // The kernel counts an SA that was never used as used now.
  const used = usage.useTime === 0 ? 0 : now - usage.useTime
  if (age >= limits.hardAdd || used >= limits.hardUse) return HARD
  return age >= limits.softAdd || used >= limits.softUse ? SOFT : ALIVE
}
