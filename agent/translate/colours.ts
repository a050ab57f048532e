/**
 * Mark values for protection classes. A mark has few bits, so classes share values wherever no rule suffers.
 *
 * A rule can admit a mark value in two ways: with any SA that writes it (template reqid 0), or with those of one
 * class (its reqid). So classes may share a value if each rule either treats all of them alike or admits at most
 * one of them.
 *
 * @module
 */

/** How a rule treats each class, by the class's number: equal texts are equal treatment, `undefined` = refused. */
export type Treatment = readonly (string | undefined)[]

/**
 * Colours 1, 2, … for `count` classes. Greedy: each takes the first colour that it may share; the same input
 * always gives the same colours.
 */
export function colour(count: number, treatments: readonly Treatment[]): number[] {
  const sharing: number[][] = []
  return Array.from({ length: count }, (_, one) => {
    const found = sharing.findIndex((others) => mayShare([...others, one], treatments))
    if (found < 0) return sharing.push([one])
    sharing[found]?.push(one)
    return found + 1
  })
}

function mayShare(classes: readonly number[], treatments: readonly Treatment[]): boolean {
  return treatments.every((treatment) => {
    const first = treatment[classes[0] ?? 0]
    if (classes.every((one) => treatment[one] === first)) return true
    return classes.filter((one) => treatment[one] !== undefined).length <= 1
  })
}
