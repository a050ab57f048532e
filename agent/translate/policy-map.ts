/**
 * Policies by identity: a map whose keys are numbers made of the identity's parts, since texts for tens of
 * thousands of policies would cost more than the rest of the planning.
 *
 * @module
 */
import type { Mark, Selector } from '../../netlink/xfrm/structs.ts'
import { mix, sameBytes, wordAt } from '../model/bytes.ts'

/**
 * What the kernel knows a policy by. Two policies of the same identity cannot both be installed, whatever their
 * priorities.
 */
export interface PolicyIdentity {
  readonly dir: number
  readonly sel: Selector
  /** Absent = mask 0. */
  readonly mark?: Mark | undefined
}

/** One value for each identity. */
export class PolicyMap<T> {
  readonly #keys: PolicyIdentity[] = []
  readonly #values: T[] = []
  /** By the low bits of a hash, the place of the newest entry with them, plus 1; 0 = none. */
  readonly #heads: Int32Array
  /** For each entry the one before it with the same bits. */
  readonly #next: number[] = []

  /** @param expected how many there will be; more make it slow, but not wrong */
  constructor(expected: number) {
    this.#heads = new Int32Array(2 ** (33 - Math.clz32(expected)))
  }

  get(key: PolicyIdentity): T | undefined {
    return this.#values[this.#find(key, this.#slotOf(key)) - 1]
  }

  set(key: PolicyIdentity, value: T): void {
    const slot = this.#slotOf(key)
    const place = this.#find(key, slot)
    if (place > 0) this.#values[place - 1] = value
    else this.#insert(key, value, slot)
  }

  /** The value that is there; `value` itself, from now on, where there was none. */
  getOrSet(key: PolicyIdentity, value: T): T {
    const slot = this.#slotOf(key)
    const place = this.#find(key, slot)
    if (place === 0) this.#insert(key, value, slot)
    return place === 0 ? value : (this.#values[place - 1] as T)
  }

  get size(): number {
    return this.#keys.length
  }

  #slotOf(key: PolicyIdentity): number {
    return hashIdentity(key) & (this.#heads.length - 1)
  }

  #find(key: PolicyIdentity, slot: number): number {
    let place = this.#heads[slot] ?? 0
    while (place > 0 && !sameIdentity(this.#keys[place - 1] as PolicyIdentity, key))
      place = this.#next[place - 1] ?? 0
    return place
  }

  #insert(key: PolicyIdentity, value: T, slot: number): void {
    this.#next.push(this.#heads[slot] ?? 0)
    this.#values.push(value)
    this.#heads[slot] = this.#keys.push(key)
  }
}

/** True where the kernel would take one for the other. */
function sameIdentity(a: PolicyIdentity, b: PolicyIdentity): boolean {
  return a.dir === b.dir && maskOf(a) === maskOf(b) && markOf(a) === markOf(b) && sameSelector(a.sel, b.sel)
}

function sameSelector(a: Selector, b: Selector): boolean {
  return (
    a.prefixlen_s === b.prefixlen_s &&
    a.prefixlen_d === b.prefixlen_d &&
    a.proto === b.proto &&
    a.sport === b.sport &&
    a.sport_mask === b.sport_mask &&
    a.dport === b.dport &&
    a.dport_mask === b.dport_mask &&
    a.ifindex === b.ifindex &&
    a.user === b.user &&
    a.family === b.family &&
    sameBytes(a.saddr, b.saddr) &&
    sameBytes(a.daddr, b.daddr)
  )
}

function maskOf({ mark }: PolicyIdentity): number {
  return mark?.m ?? 0
}

function markOf({ mark }: PolicyIdentity): number {
  return mark ? (mark.v & mark.m) >>> 0 : 0
}

function hashIdentity(key: PolicyIdentity): number {
  const { sel, dir } = key
  let hash = mix(dir, (sel.prefixlen_s << 16) | (sel.prefixlen_d << 8) | sel.proto)
  hash = mix(hash, (sel.sport << 16) | sel.dport)
  hash = mix(hash, markOf(key) ^ (sel.ifindex << 1))
  hash = hashBytes(hash, sel.saddr)
  return hashBytes(hash, sel.daddr)
}

function hashBytes(hash: number, bytes: Uint8Array): number {
  let mixed = hash
  for (let i = 0; i < 16; i += 4) mixed = mix(mixed, wordAt(bytes, i))
  return mixed
}
