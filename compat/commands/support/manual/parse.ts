/**
 * The Markdown in which the manual pages in `docs/man/` are written: headings, paragraphs, lists, fenced code and
 * tables; inside of text `code`, **bold**, *italic* and [links](…). A list item that begins with a code span and
 * a colon (``- `-n`: numeric``) defines a term, as in a list of options.
 *
 * @module
 */

export type Inline =
  | { readonly kind: 'text' | 'code' | 'bold' | 'italic'; readonly text: string }
  | { readonly kind: 'link'; readonly text: string; readonly target: string }

export type Block =
  | { readonly kind: 'heading'; readonly level: number; readonly text: string }
  | { readonly kind: 'paragraph'; readonly text: readonly Inline[] }
  | { readonly kind: 'term'; readonly term: string; readonly text: readonly Inline[] }
  | { readonly kind: 'bullet'; readonly text: readonly Inline[] }
  | { readonly kind: 'code'; readonly lines: readonly string[] }
  | { readonly kind: 'table'; readonly rows: readonly (readonly (readonly Inline[])[])[] }

/** Takes a page apart. Never throws: what it does not know is a paragraph. */
export function parseManual(markdown: string): Block[] {
  const lines = markdown.split('\n')
  const blocks: Block[] = []
  let index = 0
  const take = (accept: (line: string) => boolean): string[] => {
    const start = index
    while (index < lines.length && accept(lines[index] ?? '')) index++
    return lines.slice(start, index)
  }
  while (index < lines.length) {
    const line = lines[index] ?? ''
    const heading = /^(#+) +(.*)$/.exec(line)
    if (line.trim() === '') index++
    else if (heading) {
      blocks.push({ kind: 'heading', level: heading[1]?.length ?? 1, text: heading[2] ?? '' })
      index++
    } else if (line.startsWith('```')) {
      index++
      blocks.push({ kind: 'code', lines: take((text) => !text.startsWith('```')) })
      index++
    } else if (line.startsWith('|')) blocks.push(table(take((text) => text.startsWith('|'))))
    else if (line.startsWith('- ')) {
      index++
      blocks.push(item([line.slice(2), ...take((text) => /^ +\S/.test(text))]))
    } else {
      index++
      blocks.push({ kind: 'paragraph', text: inlines([line, ...take(continuesParagraph)].join(' ')) })
    }
  }
  return blocks
}

function continuesParagraph(line: string): boolean {
  return line.trim() !== '' && !/^(#+ |```|\||- )/.test(line)
}

function item(lines: string[]): Block {
  const text = lines.map((line) => line.trim()).join(' ')
  const term = /^`([^`]+)`: +(.*)$/.exec(text)
  if (!term) return { kind: 'bullet', text: inlines(text) }
  return { kind: 'term', term: term[1] ?? '', text: inlines(term[2] ?? '') }
}

function table(lines: string[]): Block {
  const rows = lines
    .filter((line) => !/^[|\s:-]+$/.test(line))
    .map((line) => {
      const cells = line.trim().slice(1, -1)
      // A bar inside of a cell is written \|.
      return cells.split(/(?<!\\)\|/).map((cell) => inlines(cell.trim().replaceAll('\\|', '|')))
    })
  return { kind: 'table', rows }
}

const INLINE = /`([^`]+)`|\*\*([^*]+)\*\*|\*([^*]+)\*|\[([^\]]+)\]\(([^)]+)\)/g

/** Takes the text of one paragraph apart. */
export function inlines(text: string): Inline[] {
  const parts: Inline[] = []
  let end = 0
  for (const match of text.matchAll(INLINE)) {
    if (match.index > end) parts.push({ kind: 'text', text: text.slice(end, match.index) })
    end = match.index + match[0].length
    const [, code, bold, italic, link, target] = match
    if (code !== undefined) parts.push({ kind: 'code', text: code })
    else if (bold !== undefined) parts.push({ kind: 'bold', text: bold })
    else if (italic !== undefined) parts.push({ kind: 'italic', text: italic })
    else parts.push({ kind: 'link', text: link ?? '', target: target ?? '' })
  }
  if (end < text.length) parts.push({ kind: 'text', text: text.slice(end) })
  return parts
}

/** Plain text of a run of inlines. */
export function plain(parts: readonly Inline[]): string {
  return parts.map((part) => part.text).join('')
}
