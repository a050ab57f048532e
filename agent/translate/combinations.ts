/**
 * Which nested SAs satisfy a rule, and the templates that ask for them.
 *
 * @module
 */

import { toXfrmAddress } from '../../netlink/xfrm/address.ts'
import { mode, proto } from '../../netlink/xfrm/constants.ts'
import { defaultId, defaultTemplate } from '../../netlink/xfrm/defaults.ts'
import type { Mark, UserTmpl } from '../../netlink/xfrm/structs.ts'
import type { Address, Family } from '../model/address.ts'
import { type Action, type Protection, reachableActions } from '../model/policy.ts'
import type { ClassTable, Combination } from './classes.ts'
import { inField, type MarkLayout } from './marks.ts'
import { requirementsOf, type TunnelEndpoints } from './requirements.ts'
import { familyNumber } from './selectors.ts'

/** What a rule lets through: protected by one of `combinations`, in clear if `clear`, nothing otherwise. */
export interface Acceptance {
  /** In order of preference: by alternative, then by class. */
  readonly combinations: readonly Combination[]
  readonly clear: boolean
}

/** Everything that the alternatives of a rule accept. */
export function acceptanceOf(
  actions: readonly Action[],
  classes: ClassTable,
  tunnel?: TunnelEndpoints,
): Acceptance {
  const combinations: Combination[] = []
  const reachable = reachableActions(actions)
  for (const action of reachable) {
    if (action.kind !== 'protect') continue
    for (const combination of combinationsOf(action.protection, classes, tunnel)) {
      if (!combinations.some((one) => one.esp === combination.esp && one.ah === combination.ah)) {
        combinations.push(combination)
      }
    }
  }
  return { combinations, clear: reachable.some(({ kind }) => kind === 'bypass') }
}

function combinationsOf(
  protection: Protection,
  classes: ClassTable,
  tunnel: TunnelEndpoints | undefined,
): Combination[] {
  let combinations: Combination[] = [{}]
  for (const requirement of requirementsOf(protection, tunnel)) {
    const accepted = classes.accepting(requirement)
    combinations = combinations.flatMap((one) =>
      accepted.map((protectionClass) => ({ ...one, [requirement.protocol]: protectionClass })),
    )
  }
  return combinations
}

/**
 * True where a policy without a mark accepts exactly this: one combination whose templates leave no room for
 * more. Linux tolerates protection beyond the templates, so ESP alone is only exact where no AH class exists.
 */
export function isExactWithoutMark({ combinations, clear }: Acceptance, classes: ClassTable): boolean {
  if (clear) return combinations.length === 0 && classes.esp.length === 0 && classes.ah.length === 0
  const [only] = combinations
  if (!only || combinations.length > 1) return false
  if (only.esp && only.ah) return true
  return only.esp ? classes.ah.length === 0 : classes.esp.length === 0
}

/** The mark that a packet bears when exactly these SAs protected it. */
export function combinationMark(combination: Combination, layout: MarkLayout): Mark {
  const esp = combination.esp ? inField(layout.esp, combination.esp.colour) : 0
  const ah = combination.ah ? inField(layout.ah, combination.ah.colour) : 0
  return { v: (esp | ah) >>> 0, m: layout.classes }
}

/** The reqids that the templates of a packet's headers name; 0 on input = that of any SA. */
export interface Reqids {
  readonly esp?: number
  readonly ah?: number
}

/** The reqids of exactly this combination. */
export function reqidsOf({ esp, ah }: Combination): Reqids {
  return { ...(esp && { esp: esp.reqid }), ...(ah && { ah: ah.reqid }) }
}

/** What one inbound policy admits: packets of this mark, under SAs of these reqids. */
export interface Admission {
  readonly mark: Mark
  readonly reqids: Reqids
}

/**
 * Combinations as inbound policies can tell them apart: by mark, and where several bear the same mark, which they
 * only do if all SAs that write it are welcome (see `colours.ts`), without regard to the reqid.
 */
export function admissions(combinations: readonly Combination[], layout: MarkLayout): Admission[] {
  const byMark = new Map<number, Admission>()
  for (const combination of combinations) {
    const mark = combinationMark(combination, layout)
    const reqids = reqidsOf(combination)
    const same = byMark.get(mark.v)
    byMark.set(mark.v, { mark, reqids: same ? common(same.reqids, reqids) : reqids })
  }
  return [...byMark.values()]
}

function common(a: Reqids, b: Reqids): Reqids {
  return {
    ...(a.esp !== undefined && { esp: a.esp === b.esp ? a.esp : 0 }),
    ...(a.ah !== undefined && { ah: a.ah === b.ah ? a.ah : 0 }),
  }
}

/** The outer header of tunnel-mode templates, as a packet in their direction bears it. */
export interface OuterHeader {
  readonly source: Address
  readonly destination: Address
}

/**
 * The templates for a packet's headers, innermost first. The other order, ESP around AH, cannot be received by
 * Linux in transport mode.
 *
 * @param outer present = the innermost SA is a tunnel
 * @param optional "use it if there is an SA": only for outbound transport
 */
export function templatesOf(
  { esp, ah }: Reqids,
  family: Family,
  outer: OuterHeader | undefined,
  optional: boolean,
): UserTmpl[] {
  const plain = defaultTemplate(familyNumber(outer?.source.family ?? family))
  const header = (number: number, reqid: number): UserTmpl => ({
    ...plain,
    id: { ...defaultId(), proto: number },
    reqid,
    optional: optional ? 1 : 0,
  })
  const templates: UserTmpl[] = []
  if (esp !== undefined) templates.push(header(proto.ESP, esp))
  if (ah !== undefined) templates.push(header(proto.AH, ah))
  return templates.map((one, i) => (outer && i === 0 ? tunnelTemplate(one, outer) : one))
}

function tunnelTemplate(plain: UserTmpl, { source, destination }: OuterHeader): UserTmpl {
  return {
    ...plain,
    id: { ...plain.id, daddr: toXfrmAddress(destination.bytes) },
    saddr: toXfrmAddress(source.bytes),
    mode: mode.TUNNEL,
  }
}
