/**
 * Why packets were refused, counted under the names of `/proc/net/xfrm_stat` (Documentation/networking/xfrm_proc.rst).
 *
 * @module
 */

/** Counters in the order of the kernel's file. */
export const COUNTERS = [
  'XfrmInError',
  'XfrmInBufferError',
  'XfrmInHdrError',
  'XfrmInNoStates',
  'XfrmInStateProtoError',
  'XfrmInStateModeError',
  'XfrmInStateSeqError',
  'XfrmInStateExpired',
  'XfrmInStateMismatch',
  'XfrmInStateInvalid',
  'XfrmInTmplMismatch',
  'XfrmInNoPols',
  'XfrmInPolBlock',
  'XfrmInPolError',
  'XfrmOutError',
  'XfrmOutBundleGenError',
  'XfrmOutBundleCheckError',
  'XfrmOutNoStates',
  'XfrmOutStateProtoError',
  'XfrmOutStateModeError',
  'XfrmOutStateSeqError',
  'XfrmOutStateExpired',
  'XfrmOutPolBlock',
  'XfrmOutPolDead',
  'XfrmOutPolError',
  'XfrmFwdHdrError',
  'XfrmOutStateInvalid',
  'XfrmAcquireError',
  'XfrmOutStateDirError',
  'XfrmInStateDirError',
] as const

/** One counter's name. */
export type Counter = (typeof COUNTERS)[number]

/** All counters, from 0 on. */
export type Statistics = Record<Counter, number>

export function newStatistics(): Statistics {
  return Object.fromEntries(COUNTERS.map((name) => [name, 0])) as Statistics
}
