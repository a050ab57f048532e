/**
 * The known word that a mistyped one is most like.
 *
 * @module
 */

/** Longer words are not compared: nobody mistypes a keyword at that length, and the cost is quadratic. */
const LONGEST = 32

/**
 * Finds the candidate with the fewest edits (insert, delete, replace one character; case counts nothing) to
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

/** Levenshtein distance. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const replace = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(replace, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1))
    }
    row = next
  }
  return row[b.length] ?? 0
}
