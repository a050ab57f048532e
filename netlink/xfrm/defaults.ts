/**
 * Values to start from. A struct full of zeros is dangerous in XFRM: zero algorithm masks match nothing, and
 * a zero byte limit expires at the first packet. These are the safe ones.
 *
 * @module
 */
import { action, family, INF, mode, share } from './constants.ts'
import type {
  Id,
  LifetimeCfg,
  LifetimeCur,
  Selector,
  Stats,
  UserpolicyInfo,
  UsersaInfo,
  UserTmpl,
} from './structs.ts'

const allOnes = 0xffff_ffff

/** The unspecified address. A new array each time: the caller may write to it. */
export function anyAddress(): Uint8Array {
  return new Uint8Array(16)
}

/** A lifetime without end: all ones for bytes and packets, none for seconds. */
export function defaultLifetime(): LifetimeCfg {
  return {
    soft_byte_limit: INF,
    hard_byte_limit: INF,
    soft_packet_limit: INF,
    hard_packet_limit: INF,
    soft_add_expires_seconds: 0n,
    hard_add_expires_seconds: 0n,
    soft_use_expires_seconds: 0n,
    hard_use_expires_seconds: 0n,
  }
}

/** Counters at zero, as every request has them. */
export function zeroCounters(): LifetimeCur {
  return { bytes: 0n, packets: 0n, add_time: 0n, use_time: 0n }
}

/** Statistics at zero, as every request has them. */
export function zeroStats(): Stats {
  return { replay_window: 0, replay: 0, integrity_failed: 0 }
}

/** A selector that matches all traffic of a family (`AF_INET` where none is given). */
export function defaultSelector(of: number = family.INET): Selector {
  return {
    daddr: anyAddress(),
    saddr: anyAddress(),
    dport: 0,
    dport_mask: 0,
    sport: 0,
    sport_mask: 0,
    family: of,
    prefixlen_d: 0,
    prefixlen_s: 0,
    proto: 0,
    ifindex: 0,
    user: 0,
  }
}

/** An id of no SA yet: any address, any SPI, no protocol. */
export function defaultId(): Id {
  return { daddr: anyAddress(), spi: 0, proto: 0 }
}

/** A required transport-mode template that any algorithm satisfies. Protocol and reqid are the caller's. */
export function defaultTemplate(of: number = family.INET): UserTmpl {
  return {
    id: defaultId(),
    family: of,
    saddr: anyAddress(),
    reqid: 0,
    mode: mode.TRANSPORT,
    share: share.ANY,
    optional: 0,
    aalgos: allOnes,
    ealgos: allOnes,
    calgos: allOnes,
  }
}

/** An inbound policy without end that lets all traffic of a family through. */
export function defaultPolicy(of: number = family.INET): UserpolicyInfo {
  return {
    sel: defaultSelector(of),
    lft: defaultLifetime(),
    curlft: zeroCounters(),
    priority: 0,
    index: 0,
    dir: 0,
    action: action.ALLOW,
    flags: 0,
    share: share.ANY,
  }
}

/**
 * A transport-mode SA without end. Its replay window is 0, which is right for an outbound SA and means **no
 * protection against replay** for an inbound one: set `replay_window`, or the attribute `replay_esn_val`.
 */
export function defaultState(of: number = family.INET): UsersaInfo {
  return {
    sel: defaultSelector(of),
    id: defaultId(),
    saddr: anyAddress(),
    lft: defaultLifetime(),
    curlft: zeroCounters(),
    stats: zeroStats(),
    seq: 0,
    reqid: 0,
    family: of,
    mode: mode.TRANSPORT,
    replay_window: 0,
    flags: 0,
  }
}
