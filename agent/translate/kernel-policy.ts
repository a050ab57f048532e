/**
 * A policy as the kernel stores it, without what the kernel adds (index, counters).
 *
 * @module
 */
import type { Mark, Selector, UserTmpl } from '../../netlink/xfrm/structs.ts'

/** XFRM_POLICY_IN, _OUT, _FWD. */
export const DIR_IN = 0
export const DIR_OUT = 1
export const DIR_FWD = 2
export type PolicyDirection = typeof DIR_IN | typeof DIR_OUT | typeof DIR_FWD

/** XFRM_POLICY_ALLOW, XFRM_POLICY_BLOCK. */
export const ALLOW = 0
export const BLOCK = 1

export interface KernelPolicy {
  readonly dir: PolicyDirection
  readonly sel: Selector
  readonly priority: number
  readonly action: typeof ALLOW | typeof BLOCK
  /** Innermost first. Lists are shared between policies: treat them as immutable. */
  readonly tmpl: readonly UserTmpl[]
  /** Absent = the mark is not looked at. */
  readonly mark?: Mark
}

export const NO_TEMPLATES: readonly UserTmpl[] = []
