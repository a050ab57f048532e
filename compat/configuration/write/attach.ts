/**
 * Which item of a file a comment belongs to: the one that it stands in or behind on the same line, or the one that
 * begins right under it. What has a blank line behind it stands alone.
 *
 * @module
 */
import { blocksOf, type CommentLine } from '../comments.ts'

/** A comment and the offset where it begins. */
export interface PlacedComment extends CommentLine {
  readonly start: number
}

/** An item of a file: offsets, and the lines that it begins and ends on. */
export interface Extent {
  readonly start: number
  readonly end: number
  readonly firstLine: number
  readonly lastLine: number
}

export interface Attached {
  /** Blocks that stand alone before the item. */
  readonly standing: readonly (readonly string[])[]
  /** The item's own lines: those above it, then those in it and behind it. */
  readonly own: readonly string[]
}

/** @returns an entry for each item, and one more with the blocks behind the last item */
export function attach(comments: readonly PlacedComment[], items: readonly Extent[]): Attached[] {
  const before: PlacedComment[][] = [[], ...items.map(() => [])]
  const inside: PlacedComment[][] = items.map(() => [])
  let index = 0
  for (const comment of comments) {
    while ((items[index]?.end ?? Number.POSITIVE_INFINITY) <= comment.start) index++
    const item = items[index]
    if (item && comment.start >= item.start) inside[index]?.push(comment)
    else if (items[index - 1]?.lastLine === comment.line) inside[index - 1]?.push(comment)
    else before[index]?.push(comment)
  }
  return before.map((some, place) => {
    const blocks = blocksOf(some)
    const line = items[place]?.firstLine ?? Number.POSITIVE_INFINITY
    const above = line - (blocks.at(-1)?.at(-1)?.line ?? 0) <= 1 ? (blocks.pop() ?? []) : []
    return {
      standing: blocks.map((block) => block.map(({ text }) => text)),
      own: [...above, ...(inside[place] ?? [])].map(({ text }) => text),
    }
  })
}
