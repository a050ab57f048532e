/**
 * Comments on their way between `#` and the member `comment`.
 *
 * @module
 */
import type { Comment } from '../../schemas/generated/configuration.ts'

/** The lines of a comment. */
export function commentLines(comment: Comment | undefined): string[] {
  if (comment === undefined) return []
  return [comment].flat().flatMap((text) => text.split(/\r?\n/))
}

/** A comment of these lines; `undefined` where there is none. */
export function commentOf(lines: readonly string[]): Comment | undefined {
  const [first, second] = lines
  return second === undefined ? first : [...lines]
}

/** The text of a line that begins with `#`. The blank behind the sign belongs to the sign. */
export function textOfComment(line: string): string {
  return line.replace(/^\s*# ?/, '').trimEnd()
}

/** Lines that begin with `#`, each with its newline. */
function solarisComment(lines: readonly string[]): string {
  return lines.map((line) => `${solarisLine(line)}\n`).join('')
}

function solarisLine(line: string): string {
  const text = line === '' || line.startsWith('#') ? `#${line}` : `# ${line}`
  // In a key file, a backslash at the end would make a comment of the next line.
  return text.endsWith('\\') ? `${text} ` : text
}

/** One line of a comment, and where it stands. */
export interface CommentLine {
  readonly text: string
  readonly line: number
}

/** Comment lines that stand together: no blank line is between those of one block. */
export function blocksOf(comments: readonly CommentLine[]): CommentLine[][] {
  const blocks: CommentLine[][] = []
  for (const comment of comments) {
    const block = blocks.at(-1)
    const last = block?.at(-1)
    if (block && last && comment.line - last.line <= 1) block.push(comment)
    else blocks.push([comment])
  }
  return blocks
}

/** An item of a list as it is written in a file of Solaris. */
export interface SolarisItem {
  readonly comment: readonly string[]
  /** Absent: a comment alone. */
  readonly text?: string
}

/** The items one after the other; a blank line stands around comments, so that they are told apart when read again. */
export function solarisText(items: readonly SolarisItem[]): string {
  let text = ''
  let wasComment = false
  for (const item of items) {
    if (item.comment.length === 0 && item.text === undefined) continue
    if (text !== '' && (wasComment || item.comment.length > 0)) text += '\n'
    text += solarisComment(item.comment)
    if (item.text !== undefined) text += `${item.text}\n`
    wasComment = item.text === undefined
  }
  return text
}
