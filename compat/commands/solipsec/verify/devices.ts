/**
 * The interfaces that are looked at. They may come and go meanwhile.
 *
 * @module
 */
import { listInterfaces, type NetworkInterface } from '../../../../agent/capture/interfaces.ts'
import { DEVICE } from '../../../../agent/datapath/software/service/place.ts'
import { wireInterfaces } from '../../../../agent/verify/wire-interfaces.ts'
import { CommandError } from '../../support/exit.ts'

export class Devices {
  readonly #wanted: readonly string[]
  /** Names, also of those that have gone. */
  readonly #names = new Map<number, string>()
  #chosen: readonly NetworkInterface[] = []

  /**
   * @param wanted names; none: all that lead to the wire
   * @throws CommandError where one is not there, or has packets in clear by design
   */
  constructor(wanted: readonly string[]) {
    this.#wanted = wanted
    const all = listInterfaces()
    for (const name of wanted) {
      const found = all.find((one) => one.name === name)
      if (!found) {
        const names = all.map((one) => one.name).join(', ')
        throw new CommandError(`there is no interface ${name}; there are: ${names}`)
      }
      if (found.isLoopback) throw new CommandError(`policy is not about ${name}: nothing is protected there`)
      if (name === DEVICE) {
        throw new CommandError(`on ${name} packets are in clear: the software data path is behind it`)
      }
    }
    this.#choose(all)
  }

  get names(): readonly string[] {
    return this.#chosen.map(({ name }) => name)
  }

  get indexes(): readonly number[] {
    return this.#chosen.map(({ index }) => index)
  }

  nameOf(index: number): string {
    return this.#names.get(index) ?? `interface ${index}`
  }

  /** Looks again. @returns true where others are to be looked at now */
  refresh(): boolean {
    const before = this.indexes.join(' ')
    this.#choose(listInterfaces())
    return this.indexes.join(' ') !== before
  }

  #choose(all: readonly NetworkInterface[]): void {
    for (const { index, name } of all) this.#names.set(index, name)
    const wanted = this.#wanted
    this.#chosen = wanted.length === 0 ? wireInterfaces(all) : all.filter(({ name }) => wanted.includes(name))
  }
}
