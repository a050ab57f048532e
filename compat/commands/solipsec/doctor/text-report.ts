/**
 * The report for people: group by group, the worst of each last, and a summary in the end.
 *
 * @module
 */
import { byBadness, tally } from '../../../../agent/doctor/diagnose.ts'
import { type Finding, GROUPS, type State } from '../../../../agent/doctor/finding.ts'

export interface TextOptions {
  /** In detail also what is fine. */
  readonly isVerbose: boolean
  readonly hasColour: boolean
}

const LABELS: Readonly<Record<State, string>> = {
  ok: 'ok',
  note: 'note',
  warning: 'WARNING',
  problem: 'PROBLEM',
}
const UNKNOWN = '?'
/** ANSI: green, cyan, bold yellow, bold red. */
const COLOURS: Readonly<Record<State, string>> = { ok: '32', note: '36', warning: '1;33', problem: '1;31' }
const BOLD = '1'

const LABEL_WIDTH = 9
const INDENT = ' '.repeat(2 + LABEL_WIDTH)
const WIDTH = 110

type Paint = (codes: string, text: string) => string

export function reportText(findings: readonly Finding[], { isVerbose, hasColour }: TextOptions): string {
  const paint: Paint = (codes, text) => (hasColour ? `\x1b[${codes}m${text}\x1b[0m` : text)
  const groups = GROUPS.flatMap((group) => {
    const own = findings.filter((finding) => finding.group === group)
    if (own.length === 0) return []
    const fine = own.filter(({ state }) => state === 'ok').length
    const count = isVerbose || fine === 0 ? '' : `  ${fine} ok`
    const told = merged(own.filter(({ state }) => isVerbose || state !== 'ok').sort(byBadness))
    return [
      [`${paint(BOLD, group.toUpperCase())}${count}`, ...told.map((one) => paragraph(one, paint))].join('\n'),
    ]
  })
  return `${groups.join('\n\n')}\n\n${summary(findings, paint)}`
}

/** What is told once of several subjects. */
interface Paragraph extends Pick<Finding, 'state' | 'meaning' | 'isKnown'> {
  readonly subjects: string[]
  readonly ways: Set<string>
}

/** Findings that mean the same become one. */
function merged(findings: readonly Finding[]): Paragraph[] {
  const paragraphs = new Map<string, Paragraph>()
  for (const { subject, state, meaning, isKnown, wayOut } of findings) {
    const key = `${state} ${meaning}`
    const one = paragraphs.get(key) ?? { state, meaning, isKnown, subjects: [], ways: new Set() }
    paragraphs.set(key, one)
    one.subjects.push(subject)
    for (const way of wayOut) one.ways.add(way)
  }
  return [...paragraphs.values()]
}

function paragraph({ state, isKnown, subjects, meaning, ways }: Paragraph, paint: Paint): string {
  const label = paint(COLOURS[state], (isKnown ? LABELS[state] : UNKNOWN).padEnd(LABEL_WIDTH))
  const subject = wrapped(printable(subjects.join(', '))).map((line) => paint(BOLD, line))
  return [
    `  ${label}${subject.join(`\n${INDENT}`)}`,
    ...wrapped(printable(meaning)).map((line) => INDENT + line),
    // A command is to be copied, so it stays on one line.
    ...[...ways].map((way) => `${INDENT}${paint(COLOURS.note, 'help:')} ${printable(way)}`),
  ].join('\n')
}

function summary(findings: readonly Finding[], paint: Paint): string {
  const counts = tally(findings)
  const bad = (['problem', 'warning'] as const).flatMap((state) => {
    const subjects = findings.filter((finding) => finding.state === state).map(({ subject }) => subject)
    if (subjects.length === 0) return []
    const count = `${subjects.length} ${state}${subjects.length === 1 ? '' : 's'}`
    return [`${paint(COLOURS[state], count)}: ${printable(subjects.join(', '))}`]
  })
  const unknown = findings.filter(({ isKnown }) => !isKnown).length
  const notes = counts.note - unknown
  const rest = [
    ...(notes > 0 ? [`${notes} ${notes === 1 ? 'note' : 'notes'}`] : []),
    `${counts.ok} ok`,
    ...(unknown > 0 ? [`${unknown} not looked at (marked ${UNKNOWN})`] : []),
  ]
  const lines = bad.length > 0 ? bad : [paint(COLOURS.ok, 'Nothing is wrong.')]
  return `${[...lines, rest.join(', ')].flatMap((line) => wrapped(line)).join('\n')}\n`
}

/** Lines of words. Colours count as letters, which makes a line shorter, never longer. */
function wrapped(text: string): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > WIDTH - INDENT.length) {
      lines.push(line)
      line = word
    } else line += line === '' ? word : ` ${word}`
  }
  return [...lines, line]
}

/** Names of files, interfaces and programs are others' to choose. */
function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cs}\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu, '\ufffd')
}
