/**
 * Host names that had no address when the configuration was loaded: they are asked for until one of them has, and then all is
 * loaded again.
 *
 * @module
 */

/** Milliseconds until the first question. Each further one comes after twice that time. */
const FIRST_MS = 1000

export interface AwaitedOptions {
  /** Asks for names. @param isNetworkOther interfaces have changed since @returns true where one has an address */
  ask(names: readonly string[], isNetworkOther: boolean): Promise<boolean>
  /** Loads again. It ends with a call of {@link AwaitedNames.await} or {@link AwaitedNames.again}. */
  load(): void
  /** The longest time between two questions, in milliseconds. */
  longest(): number
  /** Milliseconds until the first question, if not those that are usual. */
  readonly first?: number
}

export class AwaitedNames {
  readonly #options: AwaitedOptions
  readonly #first: number
  #names: readonly string[] = []
  #delay: number
  #timer: NodeJS.Timeout | undefined
  #dueAt = Number.POSITIVE_INFINITY
  #isAsking = false
  #isNetworkOther = false
  #isOpen = true

  constructor(options: AwaitedOptions) {
    this.#options = options
    this.#first = options.first ?? FIRST_MS
    this.#delay = this.#first
  }

  /** From now on, these are awaited; nothing where there are none. */
  await(names: readonly string[]): void {
    if (this.#names.length === 0) this.#delay = this.#first
    this.#names = names
    this.again()
  }

  /** What is awaited is still so. */
  again(): void {
    clearTimeout(this.#timer)
    this.#dueAt = Number.POSITIVE_INFINITY
    if (this.#names.length === 0 || !this.#isOpen) return
    this.#dueAt = performance.now() + this.#delay
    this.#timer = setTimeout(() => void this.#ask(), this.#delay)
  }

  /** Interfaces or addresses are others: who could not answer before may do so now. However often that comes, there is one question a second. */
  networkChanged(): void {
    if (this.#names.length === 0) return
    this.#isNetworkOther = true
    this.#delay = this.#first
    if (!this.#isAsking && this.#dueAt > performance.now() + this.#delay) this.again()
  }

  close(): void {
    this.#isOpen = false
    clearTimeout(this.#timer)
  }

  async #ask(): Promise<void> {
    const isNetworkOther = this.#isNetworkOther
    this.#isNetworkOther = false
    this.#delay = nextDelay(this.#delay, this.#options.longest())
    this.#isAsking = true
    const has = await this.#options.ask(this.#names, isNetworkOther)
    this.#isAsking = false
    if (!this.#isOpen || this.#names.length === 0) return
    if (has) this.#options.load()
    else this.again()
  }
}

/** Twice as long as before, up to a limit. */
export function nextDelay(delay: number, longest: number): number {
  return Math.min(delay * 2, longest)
}
