/**
 * Host names in the texts of loaded rules, and such rules with the addresses that the names have now.
 *
 * @module
 */
import { type Address, parseAddress } from '../../../agent/model/address.ts'
import type { Rule } from '../../../agent/model/policy.ts'
import { type PolicyEnvironment, parsePolicy } from './index.ts'

const ADDRESS_WORD = /\b(?:[slrd]addr|srcaddr|dstaddr)\s+([^\s{}/]+)/gi

/** The host names that a rule was written with. */
export function namesOf({ text }: Rule): string[] {
  const words = [...text.matchAll(ADDRESS_WORD)].map(([, word = '']) => word)
  return [...new Set(words.filter((word) => !parseAddress(word) && !/^[\d.]+$|:/.test(word)))]
}

/**
 * The same rule with other addresses for its names.
 *
 * @returns `undefined` where it cannot be made: a name has no address, or none of the family that the other end has
 */
export function withAddresses(
  rule: Rule,
  { algorithms, resolver }: PolicyEnvironment,
  addresses: (name: string) => readonly Address[],
): Rule | undefined {
  const { rules, diagnostics } = parsePolicy(rule.text, rule.file, {
    algorithms,
    resolver: { ...resolver, addresses },
  })
  const [found] = rules
  if (!found || diagnostics.some(({ severity }) => severity === 'error')) return undefined
  return { ...found, file: rule.file, span: rule.span, text: rule.text }
}
