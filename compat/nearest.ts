/**
 * The known word that a mistyped one is most like.
 *
 * @module
 */

/** Longer words are not compared: nobody mistypes a keyword at that length, and the cost is quadratic. */
const LONGEST = 32

/**
 * Finds the candidate with the fewest edits (insert, delete or replace a character, swap two; case counts nothing) to
 * `word`: at most a third of its length, and at most two.
 *
 * @returns `undefined` where nothing is near
 */
export function nearest(word: string, candidates: Iterable<string>): string | undefined {
  if (word.length > LONGEST) return undefined
  const wanted = word.toLowerCase()
  let limit = Math.min(2, Math.floor(Math.max(3, word.length) / 3))
  let best: string | undefined
  for (const candidate of candidates) {
    if (Math.abs(candidate.length - wanted.length) > limit) continue
    const edits = distance(wanted, candidate.toLowerCase())
    if (edits < limit || (edits === limit && best === undefined)) {
      best = candidate
      limit = edits
    }
  }
  return best
}

/** Optimal string alignment: insertions, deletions, replacements and swaps of neighbours, one point each. */
function distance(a: string, b: string): number {
  let beforeLast: number[] = []
  let last = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1]
      let best = Math.min((last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (last[j - 1] ?? 0) + (same ? 0 : 1))
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        best = Math.min(best, (beforeLast[j - 2] ?? 0) + 1)
      }
      row.push(best)
    }
    beforeLast = last
    last = row
  }
  return last[b.length] ?? 0
}
