/**
 * Which rule a kernel policy was made of, for those who wrote rules and not policies.
 *
 * @module
 */
import type { Policy } from '../../../../agent/datapath/software/policy/policy.ts'
import { isOurPolicyIndex } from '../../../../agent/reconcile/ownership.ts'
import { type PlainPolicy, plainPolicy, policyLine } from '../../../../agent/reconcile/plain-policy.ts'
import type { InstalledPolicy } from '../../../../agent/reconcile/plan.ts'
import { type PolicyState, shownIndex } from '../../../../agent/reconcile/policy-state.ts'
import { positionOf } from '../../../../agent/translate/priorities.ts'

export interface NamedRule {
  /** As `ipsecconf` and `solipsec status` number it. */
  readonly index: number
  readonly file: string
  readonly line: number
  readonly text: string
}

export class Rules {
  readonly #load: () => PolicyState | undefined
  readonly #byPolicy = new WeakMap<Policy, NamedRule | 'none'>()

  /** @param load the rules that are loaded; asked at each policy that was not asked for before */
  constructor(load: () => PolicyState | undefined) {
    this.#load = load
  }

  /** @returns `undefined` for policies of other programs, and for those that no single rule has made */
  find(policy: Policy): NamedRule | undefined {
    const known = this.#byPolicy.get(policy) ?? this.#look(policy) ?? 'none'
    this.#byPolicy.set(policy, known)
    return known === 'none' ? undefined : known
  }

  #look({ info }: Policy): NamedRule | undefined {
    const position = isOurPolicyIndex(info.index) ? positionOf(info.priority) : undefined
    if (position === undefined) return undefined
    for (const loaded of this.#load()?.rules ?? []) {
      if (!loaded.placements.some((placement) => placement.position === position)) continue
      const { file, span, text } = loaded.rule
      return { index: shownIndex(loaded), file, line: span.line, text: text.trim().replace(/\s+/g, ' ') }
    }
    return undefined
  }
}

/** A policy in ip-xfrm(8)'s terms, nearly. */
export function policyText(policy: Policy): string {
  return policyLine(installed(policy))
}

export function policyJson(policy: Policy): PlainPolicy {
  return plainPolicy(installed(policy))
}

function installed({ info, templates, attributes: { mark, if_id = 0 } }: Policy): InstalledPolicy {
  return { info, tmpl: templates, ...(mark && { mark }), ifId: if_id }
}
