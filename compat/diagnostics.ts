/**
 * Diagnostics as text, in the manner of a compiler: place and message, the source line, a caret under the
 * place, what was expected, and the way out.
 *
 * @module
 */
import type { Diagnostic } from '../agent/model/diagnostic.ts'

export interface RenderOptions {
  /** Colour by ANSI escape sequences. */
  readonly color?: boolean
}

/** Longer source lines are shown in part, around the place. */
const WINDOW = 160
/** Programs get source lines of at most so many characters. */
const LONGEST_SOURCE = 1000
const TAB = 8

const BOLD = '1'
const COLORS = { error: '31;1', warning: '33;1', caret: '32;1', label: '36' }

/**
 * Diagnostics for programs, which have the file: without source lines that are very long. Twenty thousand errors on the one
 * line of a document would be some gigabytes.
 */
export function plainDiagnostics(diagnostics: readonly Diagnostic[]): Diagnostic[] {
  return diagnostics.map(({ source, ...rest }) =>
    source === undefined || source.length > LONGEST_SOURCE ? rest : { ...rest, source },
  )
}

/** Renders all diagnostics, in the order given, each ending with a newline. */
export function renderDiagnostics(diagnostics: readonly Diagnostic[], options: RenderOptions = {}): string {
  return diagnostics.map((diagnostic) => `${renderDiagnostic(diagnostic, options)}\n`).join('')
}

/** Renders one diagnostic, without a newline at the end. */
export function renderDiagnostic(diagnostic: Diagnostic, { color = false }: RenderOptions = {}): string {
  const paint = (codes: string, text: string): string => (color ? `\x1b[${codes}m${text}\x1b[0m` : text)
  const { file, span, severity, message, source, pointer, expected, hint } = diagnostic
  const place = paint(BOLD, `${printable(file)}:${span.line}:${span.column}:`)
  const lines = [`${place} ${paint(COLORS[severity], `${severity}:`)} ${paint(BOLD, printable(message))}`]
  if (source !== undefined) {
    const { text, before, under } = excerpt(source, span.column - 1, span.length)
    const number = String(span.line)
    const gutter = ' '.repeat(number.length)
    lines.push(` ${number} | ${text}`)
    lines.push(` ${gutter} | ${' '.repeat(before)}${paint(COLORS.caret, '^'.padEnd(under, '~'))}`)
  }
  if (pointer) lines.push(`   ${paint(COLORS.label, 'at')} ${printable(pointer)}`)
  if (expected !== undefined) lines.push(`   ${paint(COLORS.label, 'expected')} ${printable(expected)}`)
  if (hint !== undefined) lines.push(`   ${paint(COLORS.label, 'help:')} ${printable(hint)}`)
  return lines.join('\n')
}

/** The part of a line to show, and the columns of a terminal before and under the place. */
function excerpt(
  source: string,
  start: number,
  length: number,
): { text: string; before: number; under: number } {
  const from = source.length <= WINDOW ? 0 : Math.max(0, Math.min(start - 40, source.length - WINDOW))
  const to = Math.min(source.length, from + WINDOW)
  const head = from > 0 ? '…' : ''
  const before = layOut(source.slice(from, start), head.length)
  const under = layOut(source.slice(start, Math.min(to, start + length)), before.width)
  const after = layOut(source.slice(Math.min(to, start + length), to), under.width)
  return {
    text: `${head}${before.text}${under.text}${after.text}${to < source.length ? '…' : ''}`,
    before: before.width,
    under: Math.max(1, under.width - before.width),
  }
}

/** Tabs become blanks, control characters become visible, and the terminal column after the text is counted. */
function layOut(source: string, column: number): { text: string; width: number } {
  let text = ''
  let width = column
  for (const character of source) {
    if (character === '\t') {
      const blanks = TAB - (width % TAB)
      text += ' '.repeat(blanks)
      width += blanks
    } else {
      const shown = printable(character)
      text += shown
      width += displayWidth(shown)
    }
  }
  return { text, width }
}

/** Control and direction-changing characters would let a file write to the terminal in our name. */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cs}\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu, '\ufffd')
}

/** Columns that a terminal gives to a character: 0 for combining ones, 2 for East Asian wide ones and emoji. */
function displayWidth(character: string): number {
  if (character < '\u0300') return 1
  if (/^[\p{Mn}\p{Me}\u200b-\u200d]/u.test(character)) return 0
  return WIDE.test(character) ? 2 : 1
}

const WIDE =
  /^[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1f64f}\u{1f900}-\u{1f9ff}\u{20000}-\u{3fffd}]/u
