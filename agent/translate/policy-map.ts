/**
 * Policies by identity: a map whose keys are numbers made of the identity's parts, since texts for tens of
 * thousands of policies would cost more than the rest of the planning.
 *
 * @module
 */
import type { Mark, Selector } from '../../netlink/xfrm/structs.ts'

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

interface Entry<T> {
  readonly key: PolicyIdentity
  value: T
  /** Another one of the same hash. */
  next: Entry<T> | undefined
}

/** One value for each identity. */
export class PolicyMap<T> {
  readonly #heads = new Map<number, Entry<T>>()
  #size = 0

  get size(): number {
    return this.#size
  }

  get(key: PolicyIdentity): T | undefined {
    return find(this.#heads.get(hashIdentity(key)), key)?.value
  }

  set(key: PolicyIdentity, value: T): void {
    const hash = hashIdentity(key)
    const head = this.#heads.get(hash)
    const entry = find(head, key)
    if (entry) {
      entry.value = value
      return
    }
    this.#size++
    if (head) head.next = { key, value, next: head.next }
    else this.#heads.set(hash, { key, value, next: undefined })
  }
}

function find<T>(head: Entry<T> | undefined, key: PolicyIdentity): Entry<T> | undefined {
  for (let entry = head; entry; entry = entry.next) if (sameIdentity(entry.key, key)) return entry
  return undefined
}

/** True where the kernel would take one for the other. */
export function sameIdentity(a: PolicyIdentity, b: PolicyIdentity): boolean {
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

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  for (let i = 0; i < 16; i++) if (a[i] !== b[i]) return false
  return true
}

function hashIdentity(key: PolicyIdentity): number {
  const { sel, dir } = key
  let hash = mix(dir, (sel.prefixlen_s << 16) | (sel.prefixlen_d << 8) | sel.proto)
  hash = mix(hash, (sel.sport << 16) | sel.dport)
  hash = mix(hash, markOf(key) ^ (sel.ifindex << 1))
  hash = hashBytes(hash, sel.saddr)
  // Small enough for V8 to keep it as a plain integer.
  return hashBytes(hash, sel.daddr) >>> 2
}

function hashBytes(hash: number, bytes: Uint8Array): number {
  let mixed = hash
  for (let i = 0; i < 16; i += 4) {
    const word =
      ((bytes[i] ?? 0) << 24) | ((bytes[i + 1] ?? 0) << 16) | ((bytes[i + 2] ?? 0) << 8) | (bytes[i + 3] ?? 0)
    mixed = mix(mixed, word)
  }
  return mixed
}

function mix(hash: number, value: number): number {
  const product = Math.imul(hash ^ value, 0x85ebca6b)
  return product ^ (product >>> 15)
}
