/**
 * Which services a word on the command line stands for: FMRIs, abbreviations and glob patterns, as smf(7) resolves them.
 * Pure.
 *
 * @module
 */
import { SERVICES, type Service, serviceOf } from './catalogue.ts'

/** What a word stands for. */
export interface Match {
  readonly services: readonly Service[]
  /** The word is a glob pattern: several services are what was asked for. */
  readonly isPattern: boolean
}

const INSTANCE = 'default'

/**
 * Resolves a word. An FMRI may lack its scheme (`svc:/`, `svc:`, `/`), leading parts of the service's name, and the instance;
 * a pattern is one with `*`, `?` or `[…]`, held against the whole FMRI and against each such abbreviation.
 *
 * @returns no services where it stands for none of ours
 */
export function resolve(word: string): Match {
  const isPattern = /[*?[]/.test(word)
  const fits = isPattern ? matcher(word) : (name: string) => name === word
  return { services: SERVICES.filter((service) => namesOf(service).some(fits)), isPattern }
}

/** Everything that a service may be called. The full name comes first. */
export function namesOf(service: Service): string[] {
  const parts = serviceOf(service).split('/')
  const names = [`svc:/${parts.join('/')}`, `svc://localhost/${parts.join('/')}`, `/${parts.join('/')}`]
  for (let at = 0; at < parts.length; at++) names.push(parts.slice(at).join('/'))
  return [...names.flatMap((name) => [`${name}:${INSTANCE}`, name]), INSTANCE]
}

/** fnmatch(3) without flags: `*` and `?` stand for slashes, too. A `[` that nothing closes is one. */
export function matcher(pattern: string): (name: string) => boolean {
  const tokens = tokensOf(pattern)
  return (name) => matches(tokens, name)
}

type Token = '*' | ((character: string) => boolean)

function tokensOf(pattern: string): Token[] {
  const tokens: Token[] = []
  for (let at = 0; at < pattern.length; at++) {
    const character = pattern.charAt(at)
    if (character === '*') tokens.push('*')
    else if (character === '?') tokens.push(() => true)
    else if (character === '[') {
      const bracket = bracketAt(pattern, at)
      tokens.push(bracket?.fits ?? ((other) => other === '['))
      at = bracket?.end ?? at
    } else {
      const plain = character === '\\' && at + 1 < pattern.length ? pattern.charAt(++at) : character
      tokens.push((other) => other === plain)
    }
  }
  return tokens
}

function bracketAt(pattern: string, at: number) {
  const negated = /[!^]/.test(pattern.charAt(at + 1))
  const start = at + (negated ? 2 : 1)
  // A `]` that comes first is a member.
  const end = pattern.indexOf(']', start + 1)
  if (end < 0) return undefined
  const members = pattern.slice(start, end)
  return { end, fits: (character: string) => isMember(members, character) !== negated }
}

function isMember(members: string, character: string): boolean {
  for (let at = 0; at < members.length; at++) {
    if (members.charAt(at + 1) === '-' && at + 2 < members.length) {
      if (members.charAt(at) <= character && character <= members.charAt(at + 2)) return true
      at += 2
    } else if (members.charAt(at) === character) return true
  }
  return false
}

/** Goes back to the last `*` alone, so that no pattern takes longer than length times length. */
function matches(tokens: readonly Token[], name: string): boolean {
  let token = 0
  let at = 0
  let star = -1
  let starAt = 0
  while (at < name.length) {
    const current = tokens[token]
    if (current === '*') {
      star = token++
      starAt = at
    } else if (current?.(name.charAt(at))) {
      token++
      at++
    } else if (star >= 0) {
      token = star + 1
      at = ++starAt
    } else return false
  }
  while (tokens[token] === '*') token++
  return token === tokens.length
}
