/**
 * Rules that name hosts follow the names: their addresses are asked for from time to time.
 *
 * Rules that protect or drop keep an address for some time after it was last heard of; rules that let pass do not.
 *
 * @module
 */
import type { Address } from '../../model/address.ts'
import type { Rule } from '../../model/policy.ts'
import { aboutText, replaceRules } from '../../reconcile/policy-edit.ts'
import type { Session } from '../../reconcile/session.ts'
import type { AgentContext } from '../context.ts'
import { askSystem, type Question } from '../inquiry.ts'
import { NameBook } from './name-book.ts'

/** What the language of rules knows of names. */
export interface NamedRules {
  /** The host names that a rule was written with. */
  namesOf(rule: Rule): readonly string[]
  /** The addresses that a rule has for each of them. */
  addressesOf(rule: Rule): ReadonlyMap<string, readonly Address[]>
  /** The rule with these addresses; `undefined` where there is no such rule. */
  withAddresses(rule: Rule, addresses: (name: string) => readonly Address[]): Rule | undefined
}

/**
 * Rules as their names are now; `undefined` where all are as they were. Those that cannot be made anew stay.
 *
 * @param which `lingering`: nobody was asked, so that only rules are others that keep what was heard of a short time ago
 */
export function followNames(
  rules: readonly Rule[],
  book: NameBook,
  named: NamedRules,
  which: 'all' | 'lingering' = 'all',
): Rule[] | undefined {
  let isSame = true
  const next = rules.map((rule) => {
    if (named.namesOf(rule).length === 0) return rule
    const letsPass = rule.actions.some(({ kind }) => kind === 'bypass')
    if (letsPass && which === 'lingering') return rule
    const found = named.withAddresses(rule, (name) => (letsPass ? book.current(name) : book.recent(name)))
    if (!found || sameHosts(found, rule)) return rule
    isSame = false
    return found
  })
  return isSame ? undefined : next
}

/** The order of addresses means nothing. */
function sameHosts(a: Rule, b: Rule): boolean {
  const pairsOf = (rule: Rule) =>
    rule.selector.pairs
      .map((pair) => aboutText({ ...rule, selector: { ...rule.selector, pairs: [pair] } }))
      .sort()
      .join('\n')
  return pairsOf(a) === pairsOf(b)
}

/** Milliseconds between questions, where nobody says otherwise. */
export const INTERVAL_MS = 60_000

interface NameOptions {
  readonly named: NamedRules
  /** Milliseconds between questions. */
  readonly interval?: number
}

/** Asks, and changes rules. */
export class NameDuty {
  readonly #context: AgentContext
  readonly #options: () => NameOptions
  readonly #book = new NameBook()
  #names: ReadonlySet<string> = new Set()
  /** At which count of changes the names were read. */
  #count = -1
  readonly #questions = new Set<Question>()
  #timer: NodeJS.Timeout | undefined
  #isOpen = true

  constructor(context: AgentContext, options: () => NameOptions) {
    this.#context = context
    this.#options = options
  }

  /** The loaded rules may be others: they get what is to linger in them. */
  note(session: Session): void {
    const { state, changeCount } = session
    if (changeCount === this.#count) return
    this.#count = changeCount
    const rules = state.rules.map(({ rule }) => rule)
    const { namesOf, addressesOf } = this.#options().named
    this.#names = new Set(rules.flatMap(namesOf))
    this.#book.keep(this.#names)
    const now = performance.now()
    for (const rule of rules) {
      for (const [name, addresses] of addressesOf(rule)) this.#book.assume(name, addresses, now)
    }
    // An answer may be a part of all there is, and so may that of who loaded the rules.
    this.#follow(session, 'lingering')
    this.#plan()
  }

  /** Asks now, and has rules follow. */
  async ask(): Promise<void> {
    clearTimeout(this.#timer)
    await this.#learn()
    if (!this.#isOpen) return
    const { tell, describe, between } = this.#context
    try {
      const changed = await between((session) => this.#follow(session, 'all'))
      const message = `Names have other addresses now, and rules follow: ${changed} changed.`
      if (changed > 0) tell({ level: 'info', event: 'names-followed', message, details: { rules: changed } })
    } catch (error) {
      const message = `Rules cannot follow their names: ${describe(error)}`
      tell({ level: 'error', event: 'failed', message })
    }
    this.#plan()
  }

  close(): void {
    this.#isOpen = false
    clearTimeout(this.#timer)
    for (const question of this.#questions) question.stop()
  }

  async #learn(): Promise<void> {
    if (this.#names.size === 0) return
    const question = askSystem([...this.#names], (name, addresses) =>
      this.#book.learn(name, addresses, performance.now()),
    )
    this.#questions.add(question)
    await question.ended
    this.#questions.delete(question)
  }

  #plan(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    if (this.#names.size === 0 || !this.#isOpen) return
    this.#timer = setTimeout(() => void this.ask(), this.#options().interval ?? INTERVAL_MS)
  }

  /** @returns how many rules are others */
  #follow(session: Session, which: 'all' | 'lingering'): number {
    const rules = session.state.rules.map(({ rule }) => rule)
    const { named } = this.#options()
    const next = session.isUnrecorded ? undefined : followNames(rules, this.#book, named, which)
    if (!next) return 0
    session.apply(session.plan(replaceRules(session.state, next, { kind: 'all' })))
    return next.filter((rule, i) => rule !== rules[i]).length
  }
}
