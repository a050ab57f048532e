/**
 * SAs by their ends, so that those between two prefixes are found without looking at all of them.
 *
 * @module
 */
import { type Address, isUnspecified, maskPrefix, type Prefix } from '../model/address.ts'
import type { SecurityAssociation } from '../model/association.ts'
import type { SaContent } from '../translate/requirements.ts'

/** An SA, and what counts of it when it is held against rules. */
export interface Supplier {
  readonly association: SecurityAssociation
  readonly content: SaContent
}

/** The SAs whose end lies in a prefix; all of them where there is none. */
export type Lookup<T> = (prefix: Prefix | undefined) => readonly T[]

/** SAs by one end. One that is for every source has its source in each prefix. */
export function indexByEnd<T extends Supplier>(
  associations: readonly T[],
  end: 'source' | 'destination',
): Lookup<T> {
  const anywhere = associations.filter(({ association }) => isUnspecified(association[end]))
  const sorted = associations
    .filter(({ association }) => !isUnspecified(association[end]))
    .map((one) => ({ key: addressKey(one.association[end]), one }))
    .sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0))
  const firstFrom = (wanted: string) => partition(sorted.length, (i) => (sorted[i]?.key ?? '') < wanted)
  return (prefix) => {
    if (!prefix || prefix.length === 0) return associations
    const first = addressKey(maskPrefix(prefix))
    // Behind every key that begins like the last address.
    const beyond = `${addressKey(lastOf(prefix))}~`
    const within = sorted.slice(firstFrom(first), firstFrom(beyond)).map(({ one }) => one)
    return anywhere.length === 0 ? within : [...within, ...anywhere]
  }
}

/** Text that sorts as addresses do, each family for itself. */
export function addressKey({ family, bytes }: Address): string {
  return `${family} ${Buffer.from(bytes).toString('hex')}`
}

function lastOf(prefix: Prefix): Address {
  const { family, bytes } = maskPrefix(prefix)
  return {
    family,
    bytes: bytes.map((byte, i) => byte | (0xff >> Math.min(8, Math.max(0, prefix.length - 8 * i)))),
  }
}

/** How many of the first `count` numbers are `before`, which all that come first are. */
function partition(count: number, before: (i: number) => boolean): number {
  let [low, high] = [0, count]
  while (low < high) {
    const middle = (low + high) >> 1
    if (before(middle)) low = middle + 1
    else high = middle
  }
  return low
}
