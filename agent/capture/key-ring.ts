/**
 * The SAs with which packets may be opened, by SPI.
 *
 * @module
 */
import { proto } from '../../netlink/xfrm/constants.ts'
import { isSameSa, type SaMessage, type ViewedSa } from './viewed-sa.ts'

/** SAs that are gone are kept for packets that are still to come, but not for ever. */
const MOST_KEPT = 65_536
/** SAs of one SPI that are tried on a packet. */
const MOST_TRIED = 8
/** Where ESP in UDP is looked for (RFC 3948), beside the ports that SAs name. */
const NAT_PORT = 4500
const NONE: readonly ViewedSa[] = []

/** How new SAs come in. */
export interface KeySource {
  /** All SAs that are there now. */
  dump(): readonly SaMessage[]
  /** `undefined` for an SA that cannot be used. */
  make(message: SaMessage): ViewedSa | undefined
}

export class KeyRing {
  readonly #bySpi = new Map<number, ViewedSa[]>()
  readonly #ports = new Set<number>([NAT_PORT])
  readonly #source: KeySource | undefined
  readonly #pause: number
  readonly #clock: () => number
  #size = 0
  /** When the source may be asked again. */
  #next = Number.NEGATIVE_INFINITY

  /**
   * @param source asked again where an SPI is not known, at most once in `pause` milliseconds
   * @param clock milliseconds
   */
  constructor(source?: KeySource, pause = 1000, clock: () => number = () => performance.now()) {
    this.#source = source
    this.#pause = pause
    this.#clock = clock
  }

  get size(): number {
    return this.#size
  }

  /** The newest first. */
  *all(): Generator<ViewedSa, void> {
    for (const list of this.#bySpi.values()) yield* list
  }

  add(sa: ViewedSa): void {
    const key = keyOf(sa.protocol, sa.body.id.spi)
    const list = this.#bySpi.get(key)
    if (list) list.unshift(sa)
    else this.#bySpi.set(key, [sa])
    this.#size++
    for (const dropped of list?.splice(MOST_TRIED) ?? []) this.#forget(dropped)
    const { encap } = sa.attributes
    if (encap) for (const port of [encap.encap_sport, encap.encap_dport]) this.#ports.add(port)
  }

  /** Those that may have made a packet with this SPI. */
  find(protocol: 'ah' | 'esp', spi: number): readonly ViewedSa[] {
    const key = keyOf(protocol, spi)
    const found = this.#bySpi.get(key)
    if (found) return found
    return this.#refresh() ? (this.#bySpi.get(key) ?? NONE) : NONE
  }

  /** True where ESP may stand in UDP of this port. */
  hasPort(port: number): boolean {
    return this.#ports.has(port)
  }

  /** Whether an ESP SA has this SPI, as far as is known. */
  hasSpi(spi: number): boolean {
    return this.#bySpi.has(keyOf('esp', spi))
  }

  /** Reads the SAs, whatever was read before. @throws what the source throws */
  load(): void {
    const source = this.#source
    if (!source) return
    const begin = this.#clock()
    const present = source.dump()
    if (this.#size + present.length > MOST_KEPT) this.#clear()
    for (const message of present) {
      const protocol = message.body.id.proto === proto.AH ? 'ah' : 'esp'
      const list = this.#bySpi.get(keyOf(protocol, message.body.id.spi)) ?? NONE
      if (list.some((known) => isSameSa(known, message))) continue
      const sa = source.make(message)
      if (sa) this.add(sa)
    }
    // Of a database so large that it takes long to read, a tenth of the time is enough.
    const end = this.#clock()
    this.#next = end + Math.max(this.#pause, 9 * (end - begin))
  }

  #refresh(): boolean {
    if (!this.#source || this.#clock() < this.#next) return false
    this.load()
    return true
  }

  #forget(sa: ViewedSa): void {
    sa.destroy()
    this.#size--
  }

  #clear(): void {
    for (const sa of this.all()) sa.destroy()
    this.#bySpi.clear()
    this.#size = 0
  }

  /** Wipes all keys. */
  destroy(): void {
    this.#clear()
  }
}

function keyOf(protocol: 'ah' | 'esp', spi: number): number {
  return spi * 2 + (protocol === 'ah' ? 1 : 0)
}
