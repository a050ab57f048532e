/**
 * Which nested SAs satisfy a rule, and the templates that ask for them.
 *
 * @module
 */
import type { Family } from '../model/address.ts'
import type { Action, Protection } from '../model/policy.ts'
import type { Mark, UserTmpl } from '../../netlink/xfrm/structs.ts'
import type { ClassTable, Combination, ProtectionClass } from './classes.ts'
import { inField, type MarkLayout } from './marks.ts'
import { requirementsOf, type TunnelEndpoints } from './requirements.ts'
import { AF_INET, AF_INET6, xfrmAddress } from './selectors.ts'

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
  for (const action of actions) {
    if (action.kind !== 'protect') continue
    for (const combination of combinationsOf(action.protection, classes, tunnel)) {
      if (!combinations.some((one) => one.esp === combination.esp && one.ah === combination.ah)) {
        combinations.push(combination)
      }
    }
  }
  return { combinations, clear: actions.some((action) => action.kind === 'bypass') }
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

/** XFRM_MODE_TRANSPORT, XFRM_MODE_TUNNEL. */
export const MODE_TRANSPORT = 0
export const MODE_TUNNEL = 1

const IPPROTO_ESP = 50
const IPPROTO_AH = 51
const ALL_ALGORITHMS = 0xffff_ffff
const NO_ADDRESS = new Uint8Array(16)

/**
 * The templates of a combination, innermost first. The other order, ESP around AH, cannot be received by Linux
 * in transport mode.
 *
 * @param optional "use it if there is an SA": only for outbound policies
 */
export function templatesOf(
  combination: Combination,
  family: Family,
  endpoints: { source: TunnelEndpoints['local']; destination: TunnelEndpoints['local'] } | undefined,
  optional: boolean,
): UserTmpl[] {
  const templates: UserTmpl[] = []
  const add = (protectionClass: ProtectionClass, proto: number) => {
    const outer = templates.length === 0 ? endpoints : undefined
    const outerFamily = endpoints?.source.family ?? family
    templates.push({
      id: { daddr: outer ? xfrmAddress(outer.destination) : NO_ADDRESS, spi: 0, proto },
      family: outerFamily === 'inet' ? AF_INET : AF_INET6,
      saddr: outer ? xfrmAddress(outer.source) : NO_ADDRESS,
      reqid: protectionClass.reqid,
      mode: outer ? MODE_TUNNEL : MODE_TRANSPORT,
      share: 0,
      optional: optional ? 1 : 0,
      aalgos: ALL_ALGORITHMS,
      ealgos: ALL_ALGORITHMS,
      calgos: ALL_ALGORITHMS,
    })
  }
  if (combination.esp) add(combination.esp, IPPROTO_ESP)
  if (combination.ah) add(combination.ah, IPPROTO_AH)
  return templates
}
