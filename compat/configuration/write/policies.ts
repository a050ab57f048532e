/**
 * Rules of `ipsecinit.conf` as JSON and back. Names stay names, nothing is looked up. `apply` and `permit` become the
 * direction that they mean, and synonyms the usual word.
 *
 * @module
 */
import type { Diagnostic } from '../../../agent/model/diagnostic.ts'
import type { Alternative, Policy, Protection } from '../../../schemas/generated/configuration.ts'
import { type Collected, collect } from '../../solaris/ipsecconf/check/collect.ts'
import { checkDirection } from '../../solaris/ipsecconf/check/direction.ts'
import type { Token } from '../../solaris/ipsecconf/syntax/lexer.ts'
import { parseRules, type Setting, type SyntaxRule } from '../../solaris/ipsecconf/syntax/parser.ts'
import { formatSyntax } from '../../solaris/ipsecconf/syntax/print.ts'
import { Report } from '../../solaris/ipsecconf/syntax/report.ts'
import { ACTIONS, type Field } from '../../solaris/ipsecconf/vocabulary.ts'
import { SourceText } from '../../solaris/ipseckey/lexer.ts'
import { commentLines, commentOf, type SolarisItem, solarisText, textOfComment } from '../comments.ts'
import type { JsonDocument } from '../document.ts'
import { type JsonArray, textsOf } from '../json/tree.ts'
import { ruleSyntax } from '../read/policies.ts'
import { PATTERN_MEMBERS, type PolicyMember, PROPERTY_MEMBERS } from '../vocabulary.ts'
import { type Attached, attach } from './attach.ts'
import { complaints, Places, scalarOf } from './places.ts'

/** Values that may be numbers. */
const NUMERIC: ReadonlySet<Field> = new Set<Field>([
  ...(['sourcePort', 'destinationPort', 'protocol', 'icmpType', 'icmpCode'] as const),
  ...(['authAlgorithm', 'encrAlgorithm', 'encrAuthAlgorithm'] as const),
])

export interface PoliciesFromSolaris {
  readonly policies: readonly Policy[]
  readonly diagnostics: readonly Diagnostic[]
}

/** A policy file as the section `policies`. Use it only where no diagnostic is an error. */
export function policiesFromSolaris(text: string, file: string): PoliciesFromSolaris {
  const report = new Report(text, file)
  const places = new Places<Token>()
  const syntaxes = [...parseRules(text, report)]
  const attached = attachedComments(text, syntaxes)
  const policies: Policy[] = []
  for (const [index, { standing, own }] of attached.entries()) {
    for (const block of standing) policies.push({ comment: commentOf(block) ?? '' })
    const syntax = syntaxes[index]
    if (!syntax) continue
    places.note(policies, String(policies.length), syntax.open)
    policies.push(policyOf(syntax, own, report, places))
  }
  if (report.errors === 0) refuseUnsayable({ policies }, report, places)
  return { policies, diagnostics: report.diagnostics }
}

/** `#` begins a comment wherever it stands. */
function attachedComments(text: string, syntaxes: readonly SyntaxRule[]): Attached[] {
  const lines = new SourceText(text, '')
  const lineOf = (offset: number): number => lines.position(offset).line
  const comments = [...text.matchAll(/#[^\n]*/g)].map(({ 0: line, index }) => ({
    text: textOfComment(line),
    start: index,
    line: lineOf(index),
  }))
  const extents = syntaxes.map(({ open, end }) => ({
    start: open.start,
    end,
    firstLine: open.line,
    lastLine: lineOf(Math.max(0, end - 1)),
  }))
  return attach(comments, extents)
}

function policyOf(
  syntax: SyntaxRule,
  comment: readonly string[],
  report: Report,
  places: Places<Token>,
): Policy {
  const rule = collect(syntax, report)
  const direction = checkDirection(rule, !syntax.broken, { report })
  const policy: Policy = {}
  const text = commentOf(comment)
  if (text !== undefined) policy.comment = text
  for (const setting of syntax.pattern) {
    if (setting.field !== 'direction') put(policy, setting, PATTERN_MEMBERS, places)
  }
  const said = directionToken(rule)
  if (said && direction) places.set(policy, ['direction'], direction, said)
  const alternatives = syntax.actions.map((action) => {
    const kind = ACTIONS.get(action.word.text)?.kind ?? 'drop'
    if (kind !== 'protect') return kind
    const protection: Protection = {}
    for (const setting of action.properties) {
      if (setting.field !== 'direction') put(protection, setting, PROPERTY_MEMBERS, places)
    }
    return protection
  })
  setAction(policy, alternatives)
  return policy
}

/** The word that a rule's direction comes from, if it says one. */
function directionToken({ pattern, actions }: Collected): Token | undefined {
  const forcing = actions.find(({ meaning }) => meaning.direction)
  const inProperties = actions.find(({ fields }) => fields.direction)?.fields.direction
  return forcing?.word ?? pattern.direction?.value ?? inProperties?.value
}

function setAction(policy: Policy, [first, ...others]: readonly Alternative[]): void {
  if (first === undefined) return
  if (others.length > 0) policy.protect = [first, ...others]
  else if (typeof first === 'string') policy.action = first
  else policy.protect = first
}

function put(
  target: object,
  { field, style, value }: Setting,
  members: readonly PolicyMember<Field>[],
  places: Places<Token>,
): void {
  const member = members.find((one) => one.field === field && one.style === style)
  if (member) places.set(target, member.path, NUMERIC.has(field) ? scalarOf(value.text) : value.text, value)
}

/** What the schema has no room for is wrong on Solaris, too. */
function refuseUnsayable(
  document: { readonly policies: readonly Policy[] },
  report: Report,
  places: Places<Token>,
): void {
  for (const { path, message, expected } of complaints(document)) {
    const at = places.find(document, path)
    if (at) report.error(at, message, expected === undefined ? {} : { expected })
  }
}

/** The section as a policy file. The schema must have accepted it. */
export function policiesToSolaris(document: JsonDocument, items: JsonArray, head: readonly string[]): string {
  const rules = items.items.flatMap((node): SolarisItem[] => {
    if (node.kind !== 'object') return []
    const comment = commentLines(textsOf(node.members.get('comment')?.value))
    const isRule = node.members.has('protect') || node.members.has('action')
    return [isRule ? { comment, text: formatSyntax(ruleSyntax(document, node), '\n\tor ') } : { comment }]
  })
  return solarisText([{ comment: head }, ...rules])
}
