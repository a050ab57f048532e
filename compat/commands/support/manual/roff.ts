/**
 * Manual pages as man(7) roff.
 *
 * @module
 */
import type { Block, Inline } from './parse.ts'
import { plain } from './parse.ts'

/** Characters of a table cell that never break. */
const MAX_CELL_LINE = 30

/** Name, section and footer of a page: the `.TH` line. */
export interface PageTitle {
  readonly name: string
  readonly section: string
  /** `solipsec 0.1.0`. */
  readonly source: string
}

/** Writes a page. A first heading of level 1 is the title in Markdown and has no place of its own in roff. */
export function manualToRoff(blocks: readonly Block[], title: PageTitle): string {
  const hasTable = blocks.some((block) => block.kind === 'table')
  const head = `.TH ${title.name.toUpperCase()} ${title.section} "" "${escaped(title.source)}" "IPsec for Linux"`
  // The first line tells man(1) to run tbl(1). No hyphenation: names are not English words.
  const lines = [...(hasTable ? [`'\\" t`] : []), head, '.nh', '.ad l']
  let isName = false
  for (const block of blocks) {
    lines.push(...blockLines(isName ? withPageName(block) : block))
    isName = block.kind === 'heading' && block.text === 'NAME'
  }
  return `${lines.join('\n')}\n`
}

/** Under NAME stands what whatis(1) finds, one word: `solipsec check - …` is the page `solipsec-check`. */
function withPageName(block: Block): Block {
  const [first, ...rest] = block.kind === 'paragraph' ? block.text : []
  if (block.kind !== 'paragraph' || first?.kind !== 'text') return block
  const text = first.text.replace(/^[^-]*? - /, (head) => `${head.slice(0, -3).replaceAll(' ', '-')} - `)
  return { ...block, text: [{ ...first, text }, ...rest] }
}

function blockLines(block: Block): string[] {
  switch (block.kind) {
    case 'heading':
      if (block.level === 1) return []
      return [`.${block.level === 2 ? 'SH' : 'SS'} "${escaped(block.text).replaceAll('"', '\\(dq')}"`]
    case 'paragraph':
      return ['.PP', running(block.text)]
    case 'term':
      return ['.TP', `\\fB${escaped(block.term)}\\fR`, running(block.text)]
    case 'bullet':
      return ['.IP \\(bu 2', running(block.text)]
    case 'code':
      return ['.PP', '.RS 4', '.nf', ...block.lines.map((line) => shield(escaped(line))), '.fi', '.RE']
    case 'table':
      return tableLines(block.rows)
  }
}

function tableLines(rows: readonly (readonly (readonly Inline[])[])[]): string[] {
  const columns = Math.max(0, ...rows.map((row) => row.length))
  if (columns === 0) return []
  const format = [
    Array<string>(columns).fill('lB').join(' '),
    `${[...Array<string>(columns - 1).fill('l'), 'lx'].join(' ')}.`,
  ]
  const body = rows.map((row) => row.map(cellText).join('\t'))
  return ['.PP', '.TS', ...format, ...body, '.TE']
}

/** A text block where a cell may need more than one line. */
function cellText(cell: readonly Inline[]): string {
  return plain(cell).length > MAX_CELL_LINE ? `T{\n${running(cell)}\nT}` : cell.map(inline).join('')
}

function running(parts: readonly Inline[]): string {
  return shield(parts.map(inline).join(''))
}

function inline(part: Inline): string {
  const text = escaped(part.text)
  if (part.kind === 'code' || part.kind === 'bold') return `\\fB${text}\\fR`
  if (part.kind === 'italic') return `\\fI${text}\\fR`
  return text
}

/** Backslashes, and the hyphens and quotes that roff would set as typographic ones. */
function escaped(text: string): string {
  return text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replaceAll("'", '\\(aq')
    .replaceAll('`', '\\(ga')
    .replaceAll('^', '\\(ha')
    .replaceAll('~', '\\(ti')
}

/** A line that begins with a full stop would be a request. */
function shield(line: string): string {
  return line.startsWith('.') ? `\\&${line}` : line
}
