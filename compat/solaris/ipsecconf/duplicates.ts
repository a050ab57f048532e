/**
 * Entries that are there twice: same tunnel, selectors, family and direction. A kernel holds one of them, so the
 * second is either superfluous or a contradiction.
 *
 * @module
 */
import { addressBits, anyPrefix, type Family, maskPrefix, type Prefix } from '../../../agent/model/address.ts'
import type {
  Action,
  AddressPair,
  AlgorithmRequirement,
  Rule,
  Selector,
} from '../../../agent/model/policy.ts'
import { directionsOf, familiesOf, type PolicyEntry, policyEntries } from './entries.ts'

/** An entry for which an earlier rule has one as well. */
export interface Duplicate {
  readonly entry: PolicyEntry
  readonly earlier: Rule
  /** The two rules do different things with the same packets. */
  readonly conflict: boolean
}

/** Remembers the entries of the rules that it has seen. */
export class DuplicateFinder {
  readonly #seen = new Map<string, { in: Rule | undefined; out: Rule | undefined }>()

  /** The entries of `rule` that an earlier rule has; the others are remembered. */
  add(rule: Rule): Duplicate[] {
    const duplicates: Duplicate[] = []
    const rest = restKey(rule)
    for (const pair of rule.selector.pairs) {
      for (const family of familiesOf(pair)) {
        const key = `${endKey(pair.local, family)} ${endKey(pair.remote, family)} ${rest}`
        const known = this.#seen.get(key)
        if (!known) {
          const { direction } = rule
          this.#seen.set(key, {
            in: direction === 'out' ? undefined : rule,
            out: direction === 'in' ? undefined : rule,
          })
          continue
        }
        for (const direction of directionsOf(rule.direction)) {
          const earlier = known[direction]
          if (!earlier) known[direction] = rule
          else {
            const conflict = !sameActions(earlier.actions, rule.actions)
            duplicates.push({ entry: { rule, pair, family, direction }, earlier, conflict })
          }
        }
      }
    }
    return duplicates
  }
}

/** Every entry of `rules` that an earlier one of `loaded` or `rules` has already, in order. */
export function findDuplicates(rules: readonly Rule[], loaded: readonly Rule[] = []): Duplicate[] {
  const finder = new DuplicateFinder()
  for (const rule of loaded) finder.add(rule)
  return rules.flatMap((rule) => finder.add(rule))
}

/**
 * What is left of a rule without some of its entries: nothing, or up to three rules (both directions, out, in)
 * which differ from it in pairs and direction.
 */
export function withoutEntries(rule: Rule, entries: readonly PolicyEntry[]): Rule[] {
  if (entries.length === 0) return [rule]
  const gone = new Set(entries.map(entryKey))
  const left = policyEntries(rule).filter((entry) => !gone.has(entryKey(entry)))
  const outward = new Map(left.filter((entry) => entry.direction === 'out').map(pairOf))
  const inward = new Map(left.filter((entry) => entry.direction === 'in').map(pairOf))
  const both = [...outward].filter(([key]) => inward.has(key))
  const out = [...outward].filter(([key]) => !inward.has(key))
  const into = [...inward].filter(([key]) => !outward.has(key))
  const rules: Rule[] = []
  for (const [direction, pairs] of [
    ['both', both],
    ['out', out],
    ['in', into],
  ] as const) {
    if (pairs.length === 0) continue
    rules.push({ ...rule, direction, selector: { ...rule.selector, pairs: pairs.map(([, pair]) => pair) } })
  }
  return rules
}

function entryKey(entry: PolicyEntry): string {
  return `${entry.direction} ${pairOf(entry)[0]}`
}

/** A pair with its key, and where it stood for both families, with its family written out. */
function pairOf({ pair, family }: PolicyEntry): [string, AddressPair] {
  const key = `${endKey(pair.local, family)} ${endKey(pair.remote, family)}`
  return [key, pair.local || pair.remote ? pair : { local: anyPrefix(family) }]
}

/** The selectors that all entries of a rule share. */
function restKey({ selector, tunnel }: Rule): string {
  const { protocol, localPort, remotePort } = selector
  const key = `${protocol ?? ''} ${localPort ?? ''} ${remotePort ?? ''}`
  const icmp = selector.icmpType || selector.icmpCode ? icmpKey(selector) : ''
  return tunnel ? `${key}${icmp} ${tunnel.name}` : `${key}${icmp}`
}

function icmpKey({ icmpType, icmpCode }: Selector): string {
  return ` type ${icmpType?.from ?? ''}-${icmpType?.to ?? ''} code ${icmpCode?.from ?? ''}-${icmpCode?.to ?? ''}`
}

/** An end as text. No address is the same as /0 of the family, and bits beyond the prefix do not count. */
function endKey(end: Prefix | undefined, family: Family): string {
  if (!end) return family === 'inet' ? '0/0' : '::/0'
  const { length } = end
  if (length === 0) return endKey(undefined, family)
  const { bytes } = length === addressBits(family) ? end : maskPrefix(end)
  let key = `${word(bytes, 0)}`
  for (let i = 4; i < bytes.length; i += 4) key += `:${word(bytes, i)}`
  return `${key}/${length}`
}

/** Four bytes as a number: cheaper than a text for each byte. */
function word(bytes: Uint8Array, i: number): number {
  return (
    ((bytes[i] ?? 0) << 24) | ((bytes[i + 1] ?? 0) << 16) | ((bytes[i + 2] ?? 0) << 8) | (bytes[i + 3] ?? 0)
  )
}

function sameActions(a: readonly Action[], b: readonly Action[]): boolean {
  return a === b || actionsKey(a) === actionsKey(b)
}

function actionsKey(actions: readonly Action[]): string {
  return actions.map(actionKey).join(' or ')
}

function actionKey(action: Action): string {
  if (action.kind !== 'protect') return action.kind
  const { ah, esp, unique } = action.protection
  const { encryption, authentication } = esp ?? {}
  return `${requirementKey(ah)} ${requirementKey(encryption)} ${requirementKey(authentication)} ${unique}`
}

function requirementKey(requirement: AlgorithmRequirement | undefined): string {
  return requirement ? `${requirement.algorithm}(${requirement.minBits}..${requirement.maxBits})` : '-'
}
