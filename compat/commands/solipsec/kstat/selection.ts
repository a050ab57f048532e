/**
 * Which statistics are wanted: patterns of the shell, or regular expressions between slashes.
 *
 * @module
 */
import type { Kstat } from '../../../../agent/status/kstat.ts'

type Matcher = (text: string) => boolean

/** What has to match; an absent part matches everything. */
export interface Selector {
  readonly module?: Matcher
  readonly instance?: Matcher
  readonly name?: Matcher
  readonly statistic?: Matcher
}

export interface Selection {
  /** One suffices. */
  readonly selectors: readonly Selector[]
  readonly class?: Matcher
}

/** A statistic by its names, and what it says. */
export interface Selected {
  readonly kstat: Kstat
  readonly statistics: readonly (readonly [name: string, value: number | string])[]
}

/** A pattern that cannot be read. */
export class PatternError extends Error {}

/**
 * @param extra what kstat(8) shows among the statistics: when they were read, for instance
 * @returns for each selector, in order, what it takes: as on Solaris, what two take is there twice
 */
export function select(
  kstats: readonly Kstat[],
  { selectors, class: classMatches = everything }: Selection,
  extra: (kstat: Kstat) => readonly (readonly [name: string, value: number | string])[],
): Selected[] {
  return selectors.flatMap(
    ({ module = everything, instance = everything, name = everything, statistic = everything }) =>
      kstats
        .filter((one) => module(one.module) && instance(String(one.instance)) && name(one.name))
        .filter((one) => classMatches(one.class))
        .map((one) => ({
          kstat: one,
          statistics: [...extra(one), ...one.statistics]
            .filter(([own]) => statistic(own))
            .sort(([a], [b]) => (a.toLowerCase() < b.toLowerCase() ? -1 : 1)),
        }))
        .filter(({ statistics }) => statistics.length > 0),
  )
}

function everything(): boolean {
  return true
}

/**
 * `module:instance:name:statistic`; an empty or absent part matches everything.
 *
 * @throws PatternError
 */
export function readSelector(text: string): Selector {
  const parts = text.split(':')
  if (parts.length > 4) throw new PatternError(`'${text}' has more parts than module:instance:name:statistic`)
  const matcher = (i: number) => (parts[i] ? readPattern(parts[i]) : undefined)
  return selectorOf(matcher(0), matcher(1), matcher(2), matcher(3))
}

/** Only the parts that there are. */
export function selectorOf(
  module?: Matcher,
  instance?: Matcher,
  name?: Matcher,
  statistic?: Matcher,
): Selector {
  return {
    ...(module && { module }),
    ...(instance && { instance }),
    ...(name && { name }),
    ...(statistic && { statistic }),
  }
}

/** @throws PatternError */
export function readPattern(text: string): Matcher {
  const expression = /^\/(.*)\/$/s.exec(text)?.[1]
  const source = expression ?? `^${globSource(text)}$`
  try {
    const regExp = new RegExp(source, 's')
    return (name) => regExp.test(name)
  } catch {
    throw new PatternError(`'${text}' is not a pattern`)
  }
}

/** gmatch(3GEN): `*`, `?`, `[a-z]`, `[!a-z]`, and `\` before what is to be taken as it is. */
function globSource(text: string): string {
  return text.replace(
    /\\(.)|\[(!?)((?:\\.|[^\]\\])+)\]|[\s\S]/g,
    (all, quoted?: string, not?: string, set?: string) => {
      if (quoted !== undefined) return literal(quoted)
      if (set !== undefined) return `[${not ? '^' : ''}${set.replace(/[[\]^&|~]/g, '\\$&')}]`
      if (all === '*') return '.*'
      return all === '?' ? '.' : literal(all)
    },
  )
}

function literal(character: string): string {
  return character.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&')
}
