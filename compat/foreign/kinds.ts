/**
 * The languages of other tools that a configuration can be converted to.
 *
 * @module
 */
export const FOREIGN_KINDS = ['iproute2', 'setkey', 'swanctl.conf'] as const
export type ForeignKind = (typeof FOREIGN_KINDS)[number]

/** The language that a word names. `swanctl` is what reads a `swanctl.conf`, as setkey reads the file for it. */
export function foreignKind(word: string): ForeignKind | undefined {
  return FOREIGN_KINDS.find((kind) => kind === word || kind === `${word}.conf`)
}
