/**
 * The addresses of host names, and when they were last heard of.
 *
 * A name with an address less may only be between two answers of DNS, or the answer may be a part of all there is. So an
 * address is kept for some time after it was last heard of.
 *
 * @module
 */
import { type Address, formatAddress, parseAddress } from '../../model/address.ts'

/** Milliseconds for which an address counts after it was last heard of. */
export const GRACE_MS = 600_000

/** The addresses of names, and when they were last heard of. */
export class NameBook {
  readonly #names = new Map<string, Map<string, number>>()

  /** @param answer empty where there was none: then what is known stays as fresh as it was @param now milliseconds */
  learn(name: string, answer: readonly Address[], now: number): void {
    if (answer.length === 0) return
    const known = this.#names.get(name) ?? new Map<string, number>()
    for (const address of answer) known.set(formatAddress(address), now)
    for (const [text, heard] of known) if (now - heard > GRACE_MS) known.delete(text)
    this.#names.set(name, known)
  }

  /**
   * The addresses that a loaded rule has for the name. One that is not known is from an answer that whoever loaded the rule
   * has had; where all are known, they become no fresher.
   */
  assume(name: string, addresses: readonly Address[], now: number): void {
    const known = this.#names.get(name)
    if (addresses.some((address) => !known?.has(formatAddress(address)))) this.learn(name, addresses, now)
  }

  /** Those of the last answer. */
  current(name: string): Address[] {
    const known = [...(this.#names.get(name) ?? new Map<string, number>())]
    const latest = Math.max(...known.map(([, heard]) => heard))
    return known.flatMap(([text, heard]) => (heard === latest ? (parseAddress(text) ?? []) : []))
  }

  /** Those, and the ones that were heard of a short time ago. */
  recent(name: string): Address[] {
    const known = this.#names.get(name) ?? new Map<string, number>()
    return [...known.keys()].flatMap((text) => parseAddress(text) ?? [])
  }

  /** Forgets all names but these. */
  keep(names: ReadonlySet<string>): void {
    for (const name of this.#names.keys()) if (!names.has(name)) this.#names.delete(name)
  }
}
