/**
 * Edits of the set of loaded rules. Pure: each takes a state and gives the next one, keeping positions and index
 * numbers wherever a rule stays, so that the kernel has as little to change as possible.
 *
 * @module
 */
import { formatPrefix, type Prefix, sameAddress } from '../model/address.ts'
import type { Rule } from '../model/policy.ts'
import { type TunableValues, withValues } from '../model/tunables.ts'
import { assignPositions } from '../translate/priorities.ts'
import { NO_NETFILTER_RULES } from './netfilter.ts'
import { entriesOf, entryCount, type LoadedRule, type PolicyState } from './policy-state.ts'
import { NO_SYSTEM_SETTINGS } from './system-settings.ts'

/** Which rules an edit is about: those of the host, of one tunnel, or all. */
export type Scope =
  | { readonly kind: 'host' }
  | { readonly kind: 'all' }
  | { readonly kind: 'tunnel'; readonly name: string }

/** A state without rules. */
export function emptyState(markMask: number): PolicyState {
  return {
    markMask,
    netfilter: NO_NETFILTER_RULES,
    tunnels: new Map(),
    ownTunnels: [],
    tunables: {},
    settings: NO_SYSTEM_SETTINGS,
    latch: false,
    pins: [],
    nextIndex: 1,
    rules: [],
  }
}

/** With other values of some tunables. */
export function setTunables(
  state: PolicyState,
  changes: Iterable<readonly [name: string, value: number]>,
): PolicyState {
  return { ...state, tunables: withValues(state.tunables, changes) }
}

/** With these values, and the initial one for every tunable that has none. */
export function replaceTunables(state: PolicyState, tunables: TunableValues): PolicyState {
  return { ...state, tunables }
}

/** True where a rule belongs to a scope. */
export function inScope(rule: Rule, scope: Scope): boolean {
  if (scope.kind === 'all') return true
  return scope.kind === 'host' ? rule.tunnel === undefined : rule.tunnel?.name === scope.name
}

/** Rules after all that are loaded. */
export function appendRules(state: PolicyState, rules: readonly Rule[]): PolicyState {
  return arrange(state, [...state.rules, ...rules])
}

/** These rules instead of all of a scope. Rules that say the same as before keep their place and numbers. */
export function replaceRules(state: PolicyState, rules: readonly Rule[], scope: Scope): PolicyState {
  const stay = state.rules.filter(({ rule }) => !inScope(rule, scope))
  const old = stay.length === 0 ? state.rules : state.rules.filter(({ rule }) => inScope(rule, scope))
  const meanings = new Meanings()
  const same = (a: LoadedRule | undefined, b: Rule | undefined) => a && b && meanings.areSame(a.rule, b)
  // Most replacements change little: what is the same at both ends needs no search.
  let start = 0
  while (same(old[start], rules[start])) start++
  let end = 0
  while (end < Math.min(old.length, rules.length) - start && same(old.at(-1 - end), rules.at(-1 - end))) end++
  const reusable = new Map<string, LoadedRule[]>()
  for (const loaded of old.slice(start, old.length - end)) {
    const key = meanings.of(loaded.rule)
    const alike = reusable.get(key)
    if (alike) alike.push(loaded)
    else reusable.set(key, [loaded])
  }
  const next = rules.map((rule, i) => {
    const fromEnd = rules.length - i
    const kept =
      i < start ? old[i] : fromEnd <= end ? old.at(-fromEnd) : reusable.get(meanings.of(rule))?.shift()
    return kept ? { rule, placements: kept.placements } : rule
  })
  return arrange(state, [...stay, ...next])
}

/** Without the rules that say the same as one of these. */
export function removeMatching(state: PolicyState, rules: readonly Rule[]): PolicyState {
  const meanings = new Meanings()
  const gone = new Set(rules.map((rule) => meanings.of(rule)))
  return { ...state, rules: state.rules.filter(({ rule }) => !gone.has(meanings.of(rule))) }
}

/** Without the rules of a scope. */
export function flushRules(state: PolicyState, scope: Scope): PolicyState {
  return { ...state, rules: state.rules.filter(({ rule }) => !inScope(rule, scope)) }
}

/** The rule that has an entry of this index number within the host's rules or those of a tunnel. */
export function findByIndex(state: PolicyState, index: number, tunnel?: string): LoadedRule | undefined {
  return state.rules.find(
    (loaded) =>
      loaded.rule.tunnel?.name === tunnel && entriesOf(loaded).some((entry) => entry.index === index),
  )
}

/** Without one rule. */
export function removeRule(state: PolicyState, gone: LoadedRule): PolicyState {
  return { ...state, rules: state.rules.filter((loaded) => loaded !== gone) }
}

/** Those of the rules that no loaded rule says the same as. */
export function notLoaded(state: PolicyState, rules: readonly Rule[]): Rule[] {
  const meanings = new Meanings()
  const loaded = new Set(state.rules.map(({ rule }) => meanings.of(rule)))
  return rules.filter((rule) => !loaded.has(meanings.of(rule)))
}

/** What rules say, without how and where it was written, as texts: equal for rules of equal meaning. */
class Meanings {
  /** Rules share lists of actions: each list is written once. */
  readonly #actions = new Map<Rule['actions'], string>()

  of(rule: Rule): string {
    return aboutText(rule) + this.#actionsText(rule.actions)
  }

  /** As equality of {@link of}, without the texts. */
  areSame(a: Rule, b: Rule): boolean {
    const [one, other] = [a.selector, b.selector]
    const isPlain = !one.icmpType && !one.icmpCode && !a.tunnel
    const { pairs } = other
    if (!isPlain || other.icmpType || other.icmpCode || b.tunnel) return this.of(a) === this.of(b)
    return (
      a.direction === b.direction &&
      one.protocol === other.protocol &&
      one.localPort === other.localPort &&
      one.remotePort === other.remotePort &&
      one.pairs.length === pairs.length &&
      one.pairs.every(
        ({ local, remote }, i) => sameEnd(local, pairs[i]?.local) && sameEnd(remote, pairs[i]?.remote),
      ) &&
      this.#actionsText(a.actions) === this.#actionsText(b.actions)
    )
  }

  #actionsText(actions: Rule['actions']): string {
    let text = this.#actions.get(actions)
    if (text === undefined) {
      text = JSON.stringify(actions)
      this.#actions.set(actions, text)
    }
    return text
  }
}

/** Which packets a rule is about, as text: equal for rules about the same. */
export function aboutText({ selector, direction, tunnel }: Rule): string {
  const { pairs, protocol = '', localPort = '', remotePort = '', icmpType, icmpCode } = selector
  let text = `${direction} ${protocol} ${localPort} ${remotePort} `
  if (icmpType || icmpCode || tunnel) text += JSON.stringify([icmpType, icmpCode, tunnel])
  for (const { local, remote } of pairs) text += `${endText(local)}>${endText(remote)} `
  return text
}

function endText(end: Prefix | undefined): string {
  return end ? formatPrefix(end) : '*'
}

function sameEnd(a: Prefix | undefined, b: Prefix | undefined): boolean {
  if (!a || !b) return a === b
  return a === b || (a.length === b.length && sameAddress(a, b))
}

/** Gives every rule of a new order its positions and numbers. */
function arrange(state: PolicyState, order: readonly (LoadedRule | Rule)[]): PolicyState {
  const old: (number | undefined)[] = []
  for (const one of order) {
    if ('placements' in one) for (const { position } of one.placements) old.push(position)
    else for (const _ of one.selector.pairs) old.push(undefined)
  }
  const positions = assignPositions(old)
  let next = 0
  let { nextIndex } = state
  const rules = order.map((one): LoadedRule => {
    if ('placements' in one) {
      const placements = one.placements.map(({ firstIndex }) => ({
        position: positions[next++] ?? 0,
        firstIndex,
      }))
      return { rule: one.rule, placements }
    }
    const placements = one.selector.pairs.map((pair) => {
      const firstIndex = nextIndex
      nextIndex += entryCount(one, pair)
      return { position: positions[next++] ?? 0, firstIndex }
    })
    return { rule: one, placements }
  })
  return { ...state, nextIndex, rules }
}
