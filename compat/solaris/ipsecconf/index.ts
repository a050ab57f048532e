/**
 * The policy language of `ipsecinit.conf` (ipsecconf(8)): text to model and back. Pure: names are resolved by
 * the {@link Resolver} that the caller gives.
 *
 * @module
 */
import type { Diagnostic } from '../../../agent/model/diagnostic.ts'
import type { Rule } from '../../../agent/model/policy.ts'
import { Context, type PolicyEnvironment } from './check/context.ts'
import { checkRule } from './check/rule.ts'
import { type Duplicate, DuplicateFinder, withoutEntries } from './duplicates.ts'
import type { Token } from './syntax/lexer.ts'
import { parseRules, type SyntaxRule } from './syntax/parser.ts'
import { Report } from './syntax/report.ts'

export { type PolicyEntry, policyEntries } from '../../../agent/model/entries.ts'
export type { PolicyEnvironment } from './check/context.ts'
export { type Duplicate, findDuplicates, withoutEntries } from './duplicates.ts'
export { formatEntry, formatRule, type PrintOptions } from './print.ts'

export interface ParsedPolicy {
  /** The good rules in file order, duplicates left out. Use them only where no diagnostic is an error. */
  readonly rules: Rule[]
  /** Everything there is to say about the file, in its order. */
  readonly diagnostics: Diagnostic[]
}

/**
 * Parses, resolves and checks a whole policy file. Never throws on bad input: all errors of the file are
 * collected, with their places.
 *
 * @param text the file's contents
 * @param file its name, for messages
 * @example
 * const { rules, diagnostics } = parsePolicy('{lport 22 dir both} bypass {}\n', 'ipsecinit.conf', environment)
 */
export function parsePolicy(text: string, file: string, environment: PolicyEnvironment): ParsedPolicy {
  const report = new Report(text, file)
  const rules = checkRules(parseRules(text, report), report, environment)
  return { rules, diagnostics: report.diagnostics.sort(byPlace) }
}

/** Resolves and checks rules wherever their syntax came from. What is wrong goes to `report`. */
export function checkRules(
  syntaxes: Iterable<SyntaxRule>,
  report: Report,
  environment: PolicyEnvironment,
): Rule[] {
  const context = new Context(report, environment)
  const finder = new DuplicateFinder()
  const rules: Rule[] = []
  for (const syntax of syntaxes) {
    const rule = checkRule(syntax, context)
    if (!rule) continue
    const duplicates = finder.add(rule)
    if (duplicates.length === 0) rules.push(rule)
    else {
      reportDuplicates(rule, duplicates, syntax.open, report)
      rules.push(
        ...withoutEntries(
          rule,
          duplicates.map(({ entry }) => entry),
        ),
      )
    }
  }
  return rules
}

/** For diagnostics of one file, in the order of its text. */
export function byPlace(a: Diagnostic, b: Diagnostic): number {
  return a.span.line - b.span.line || a.span.column - b.span.column
}

/** One message for a rule: an error if it contradicts an earlier one, else a warning. */
function reportDuplicates(rule: Rule, duplicates: readonly Duplicate[], open: Token, report: Report): void {
  const at = { ...open, text: rule.text.slice(0, rule.span.length) }
  const conflict = duplicates.find((duplicate) => duplicate.conflict)
  if (conflict) {
    const { line } = conflict.earlier.span
    report.error(at, `Conflicting policy entry: line ${line} says otherwise about the same packets`, {
      hint: 'Take one of the two out; alternatives are written with `or`.',
    })
    return
  }
  const line = duplicates[0]?.earlier.span.line
  report.warning(at, 'Duplicate policy entry (ignored):', { hint: `Line ${line} says the same.` })
}
