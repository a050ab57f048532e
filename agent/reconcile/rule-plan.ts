/**
 * What becomes of rules between two states of policy, in the terms of whoever wrote them. Pure.
 *
 * @module
 */
import type { Rule } from '../model/policy.ts'
import { aboutText } from './policy-edit.ts'
import type { LoadedRule, PolicyState } from './policy-state.ts'

/** A rule that is there in another form. */
export interface RuleChange {
  readonly from: LoadedRule
  readonly to: LoadedRule
  /** `actions`: the same packets are treated otherwise. `place`: another rule is asked first now. */
  readonly what: 'actions' | 'place'
}

export interface RulePlan {
  readonly add: readonly LoadedRule[]
  readonly change: readonly RuleChange[]
  readonly remove: readonly LoadedRule[]
  readonly untouched: number
}

/** @param after made of `before` by an edit of `policy-edit.ts`: rules that stay keep their index numbers */
export function planRules(before: PolicyState, after: PolicyState): RulePlan {
  const gone = new Map(before.rules.map((loaded) => [firstIndex(loaded), loaded]))
  const fresh: LoadedRule[] = []
  const change: RuleChange[] = []
  let untouched = 0
  for (const to of after.rules) {
    const from = gone.get(firstIndex(to))
    if (!from) fresh.push(to)
    else {
      gone.delete(firstIndex(to))
      if (samePlace(from, to)) untouched++
      else change.push({ from, to, what: 'place' })
    }
  }
  const old = new Map([...gone.values()].map((loaded) => [aboutText(loaded.rule), loaded]))
  const add: LoadedRule[] = []
  for (const to of fresh) {
    const about = aboutText(to.rule)
    const from = old.get(about)
    old.delete(about)
    if (from) change.push({ from, to, what: 'actions' })
    else add.push(to)
    if (from) gone.delete(firstIndex(from))
  }
  return { add, change, remove: [...gone.values()], untouched }
}

function firstIndex({ placements: [first] }: LoadedRule): number {
  return first?.firstIndex ?? 0
}

function samePlace(from: LoadedRule, to: LoadedRule): boolean {
  return from.placements.every(({ position }, i) => to.placements[i]?.position === position)
}

/** The text of a rule on one line. */
export function ruleLine({ text }: Rule): string {
  return text.replace(/\s+/g, ' ').trim()
}
