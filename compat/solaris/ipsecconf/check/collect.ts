/**
 * Sorts the settings of a rule by field, and finds out its style: each field once, and old style and new style
 * not in one rule.
 *
 * @module
 */

import type { Token } from '../syntax/lexer.ts'
import type { Setting, SyntaxAction, SyntaxRule } from '../syntax/parser.ts'
import type { Report } from '../syntax/report.ts'
import {
  ACTIONS,
  type ActionWord,
  type Field,
  type PatternField,
  type PropertyField,
  type Style,
} from '../vocabulary.ts'

/** The settings of a pattern. */
export type PatternFields = { -readonly [F in PatternField]: Setting<F> | undefined }

/** The properties of an action. */
export type PropertyFields = { -readonly [F in PropertyField]: Setting<F> | undefined }

export interface CollectedAction {
  readonly word: Token
  readonly meaning: ActionWord
  readonly fields: PropertyFields
}

/** A rule with its settings in their places. */
export interface Collected {
  readonly style: Style | undefined
  readonly pattern: PatternFields
  readonly actions: readonly CollectedAction[]
}

/** Collects a syntactic rule. What is refused is left out of the result. */
export function collect(rule: SyntaxRule, report: Report): Collected {
  const style = new StyleCheck(report)
  const pattern: PatternFields = {
    sourceAddress: undefined,
    destinationAddress: undefined,
    sourceMask: undefined,
    destinationMask: undefined,
    sourcePort: undefined,
    destinationPort: undefined,
    protocol: undefined,
    icmpType: undefined,
    icmpCode: undefined,
    direction: undefined,
    tunnel: undefined,
    negotiate: undefined,
  }
  for (const setting of rule.pattern) {
    if (style.admits(setting, styleOf(setting))) put(pattern, setting, report)
  }
  const actions: CollectedAction[] = []
  for (const action of rule.actions) {
    const meaning = ACTIONS.get(action.word.text)
    if (meaning)
      actions.push({ word: action.word, meaning, fields: properties(action, pattern, style, report) })
  }
  const second = rule.actions[1]
  if (second && style.style === 'old') {
    report.error(second.word, "or's only with new style", {
      hint: 'Write laddr, raddr, lport and rport for saddr, daddr, sport and dport.',
    })
  }
  return { style: style.style, pattern, actions }
}

function properties(
  action: SyntaxAction,
  pattern: PatternFields,
  style: StyleCheck,
  report: Report,
): PropertyFields {
  const fields: PropertyFields = {
    authAlgorithm: undefined,
    encrAlgorithm: undefined,
    encrAuthAlgorithm: undefined,
    sa: undefined,
    direction: undefined,
  }
  for (const setting of action.properties) {
    if (setting.field === 'direction' && pattern.direction) {
      report.fault(setting.keyword, 'Duplicate', 'direction', { hint: 'The pattern has a `dir` already.' })
    } else if (style.admits(setting, setting.style)) put(fields, setting, report)
  }
  return fields
}

/** `dir both` is known to new style alone; `dir in` and `dir out` fit both. */
function styleOf(setting: Setting): Style | undefined {
  return setting.field === 'direction' && setting.value.text === 'both' ? 'new' : setting.style
}

/** The first setting that has a style decides for the whole rule. */
class StyleCheck {
  style: Style | undefined
  #decidedBy = ''
  readonly #report: Report

  constructor(report: Report) {
    this.#report = report
  }

  admits(setting: Setting, style: Style | undefined): boolean {
    if (style === undefined || style === this.style) return true
    if (this.style === undefined) {
      this.style = style
      this.#decidedBy = setting.keyword.text
      return true
    }
    this.#report.fault(setting.keyword, 'Bad', setting.field, {
      expected: `a word of the ${this.style} style, which \`${this.#decidedBy}\` began`,
      hint: 'Old style: saddr daddr sport dport smask dmask, and dir in or out. New style: laddr raddr lport rport.',
    })
    return false
  }
}

function put<F extends Field>(
  fields: Record<F, Setting | undefined>,
  setting: Setting<F>,
  report: Report,
): void {
  const first = fields[setting.field]
  if (!first) fields[setting.field] = setting
  else {
    report.fault(setting.keyword, 'Duplicate', setting.field, {
      hint: `\`${first.keyword.text} ${first.value.text}\` on line ${first.keyword.line} says it already.`,
    })
  }
}
