/**
 * Numbers of things, in sentences.
 *
 * @module
 */

/** `1 rule`, `2 rules`. */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`
}
