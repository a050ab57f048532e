/**
 * Of very many messages that say nearly the same, the first ones.
 *
 * @module
 */

/** So many of a kind are told. */
const MOST = 5

/** Names and numbers: what messages of a kind differ in. */
const PARTICULARS = /`[^`]*`|"[^"]*"|\S*\d\S*/g

/**
 * At most five of each kind, in their order, and a sixth that tells how many more there are.
 *
 * @param messageOf two are of a kind where these differ in numbers, addresses and quoted names alone
 * @param withMore the sixth one, made of the first that is not told
 */
export function fewOfEachKind<T>(
  items: readonly T[],
  messageOf: (item: T) => string,
  withMore: (item: T, more: number) => T,
): T[] {
  const kinds = items.map((item) => messageOf(item).replace(PARTICULARS, '#'))
  const totals = new Map<string, number>()
  for (const kind of kinds) totals.set(kind, (totals.get(kind) ?? 0) + 1)
  const seen = new Map<string, number>()
  return items.flatMap((item, index) => {
    const kind = kinds[index] ?? ''
    const number = (seen.get(kind) ?? 0) + 1
    seen.set(kind, number)
    const more = (totals.get(kind) ?? 0) - number
    if (number <= MOST || (number === MOST + 1 && more === 0)) return [item]
    return number === MOST + 1 ? [withMore(item, more)] : []
  })
}

/** The same of messages alone. */
export function fewMessages(messages: readonly string[]): string[] {
  return fewOfEachKind(messages, (message) => message, andMore)
}

/** A message that stands for others, too. */
export function andMore(message: string, more: number): string {
  return `${message} (and ${more} more like it)`
}
