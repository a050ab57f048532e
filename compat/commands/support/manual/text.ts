/**
 * Manual pages as plain text, for `--help`.
 *
 * @module
 */
import type { Block } from './parse.ts'
import { plain } from './parse.ts'

const WIDTH = 79
const TERM_INDENT = 20

/** The blocks under one heading of level 2, the heading left out. */
export function section(blocks: readonly Block[], title: string): Block[] {
  const start = blocks.findIndex((block) => isHeading(block, title))
  if (start < 0) return []
  const rest = blocks.slice(start + 1)
  const end = rest.findIndex((block) => block.kind === 'heading' && block.level <= 2)
  return end < 0 ? rest : rest.slice(0, end)
}

function isHeading(block: Block, title: string): boolean {
  return block.kind === 'heading' && block.level === 2 && block.text === title
}

/** Lays blocks out in 79 columns, indented by two. */
export function manualToText(blocks: readonly Block[]): string {
  return blocks.map(blockText).join('')
}

function blockText(block: Block): string {
  switch (block.kind) {
    case 'heading':
      return `\n${block.text}:\n`
    case 'paragraph':
      return `${fill(plain(block.text), 2).join('\n')}\n`
    case 'bullet':
      return `  * ${fill(plain(block.text), 4).join('\n').trimStart()}\n`
    case 'term':
      return termText(block.term, plain(block.text))
    case 'code':
      return block.lines.map((line) => `  ${line}\n`).join('')
    case 'table':
      return block.rows.map((row) => `  ${row.map((cell) => plain(cell)).join('  ')}\n`).join('')
  }
}

function termText(term: string, text: string): string {
  const lines = fill(text, TERM_INDENT)
  const head = `  ${term}`
  if (head.length + 2 > TERM_INDENT) return `${[head, ...lines].join('\n')}\n`
  return `${[head.padEnd(TERM_INDENT) + (lines[0] ?? '').trimStart(), ...lines.slice(1)].join('\n')}\n`
}

function fill(text: string, indent: number): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(/\s+/)) {
    if (line !== '' && indent + line.length + 1 + word.length > WIDTH) {
      lines.push(line)
      line = word
    } else line = line === '' ? word : `${line} ${word}`
  }
  lines.push(line)
  return lines.map((text) => ' '.repeat(indent) + text)
}
