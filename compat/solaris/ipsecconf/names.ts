/**
 * Host names in the texts of loaded rules, and such rules with the addresses that the names have now.
 *
 * @module
 */
import { type Address, parseAddress } from '../../../agent/model/address.ts'
import type { Rule } from '../../../agent/model/policy.ts'
import { type PolicyEnvironment, parsePolicy } from './index.ts'

const ADDRESS_WORD = /\b([slrd]addr|srcaddr|dstaddr)\s+([^\s{}/]+)/gi

/** Where a rule has a host name. */
interface NamePlace {
  readonly word: string
  readonly name: string
}

function placesOf({ text }: Rule): NamePlace[] {
  return [...text.matchAll(ADDRESS_WORD)].flatMap(([, word = '', name = '']) =>
    parseAddress(name) || /^[\d.]+$|:/.test(name) ? [] : [{ word: word.toLowerCase(), name }],
  )
}

/** The host names that a rule was written with. */
export function namesOf(rule: Rule): string[] {
  return [...new Set(placesOf(rule).map(({ name }) => name))]
}

/** The addresses that a rule has for each of its names. */
export function addressesOf(rule: Rule): Map<string, Address[]> {
  const found = new Map<string, Address[]>()
  for (const { word, name } of placesOf(rule)) {
    const side = sideOf(word, rule)
    const known = found.get(name) ?? []
    for (const pair of rule.selector.pairs) {
      const prefix = pair[side]
      if (prefix) known.push({ family: prefix.family, bytes: prefix.bytes })
    }
    found.set(name, known)
  }
  return found
}

/** The old style names the ends of a packet. */
function sideOf(word: string, { direction }: Rule): 'local' | 'remote' {
  if (word === 'laddr') return 'local'
  if (word === 'raddr') return 'remote'
  return word.startsWith('s') === (direction === 'out') ? 'local' : 'remote'
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
