/**
 * Rules without SAs, in sentences.
 *
 * @module
 */
import { addressBits, formatAddress, formatPrefix, type Prefix } from '../model/address.ts'
import { formatSpi } from '../model/association.ts'
import { counted } from '../model/counted.ts'
import type { Rule } from '../model/policy.ts'
import type { Supplier } from './association-index.ts'
import type { Shortage, Way } from './rule-supply.ts'

/** Rules that are told of one by one. */
const MOST_RULES = 5
/** Addresses, and SPIs, that one sentence has. */
const MOST_NAMED = 3

/** A sentence for each rule, and one for all beyond the first. */
export function shortageSentences(shortages: readonly Shortage[]): string[] {
  const byRule = [...groupByRule(shortages)]
  const sentences = byRule.slice(0, MOST_RULES).map(([rule, own]) => sentence(rule, own))
  const more = byRule.length - sentences.length
  if (more > 0) sentences.push(`${counted(more, 'more rule has', 'more rules have')} no SA.`)
  return sentences
}

/** The ways for which each rule lacks SAs between some of its addresses. */
export function lackingWays(shortages: readonly Shortage[]): ReadonlyMap<Rule, readonly Way[]> {
  return new Map([...groupByRule(shortages)].map(([rule, own]) => [rule, waysOf(own)]))
}

function groupByRule(shortages: readonly Shortage[]): ReadonlyMap<Rule, readonly Shortage[]> {
  const groups = new Map<Rule, Shortage[]>()
  for (const one of shortages) {
    const group = groups.get(one.rule)
    if (group) group.push(one)
    else groups.set(one.rule, [one])
  }
  return groups
}

function waysOf(shortages: readonly Shortage[]): Way[] {
  return (['out', 'in'] as const).filter((way) => shortages.some(({ ways }) => ways.includes(way)))
}

function sentence({ file, span }: Rule, own: readonly Shortage[]): string {
  const ways = waysOf(own)
  const purpose = ways.length > 1 ? '' : ways[0] === 'in' ? ' to receive by' : ' to send by'
  const remotes = [...new Set(own.flatMap(({ pair }) => (pair.remote ? [prefixText(pair.remote)] : [])))]
  const peers = remotes.length > 0 ? ` with ${listed(remotes)}` : ''
  const fate = ways.includes('out') ? 'held back' : 'refused'
  const unfit = [...new Set(own.flatMap((one) => one.unfit.map(spiText)))]
  const instead = unfit.length > 0 ? ` What is there is not what it asks for (${listed(unfit)}).` : ''
  const index = own[0]?.index ?? 0
  return `${file}:${span.line}: rule ${index} has no SA${purpose}${peers}: its packets are ${fate} until it has.${instead}`
}

function prefixText(prefix: Prefix): string {
  return prefix.length === addressBits(prefix.family) ? formatAddress(prefix) : formatPrefix(prefix)
}

function spiText({ association }: Supplier): string {
  return formatSpi(association.spi)
}

/** `a, b, c and 4 more`. */
export function listed(names: readonly string[]): string {
  const shown = names.slice(0, MOST_NAMED).join(', ')
  const more = names.length - MOST_NAMED
  return more > 0 ? `${shown} and ${more} more` : shown
}
