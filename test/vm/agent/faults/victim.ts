/**
 * Commands as processes that come to a violent end, or that get in each other's way.
 *
 * @module
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { root } from '../../../support/tiers.ts'
import type { Station } from '../../support/station.ts'

/** How a process ended. */
export interface End {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly err: string
}

export class Victim {
  readonly #child: ChildProcess
  readonly #end: Promise<End>
  isRunning = true

  /** @param argv the name of a command, and its words */
  constructor(station: Station, [command = '', ...argv]: readonly string[]) {
    const { SOLIPSEC_DATAPATH: _, ...env } = process.env
    const [first, ...rest] = command === 'solipsec' ? argv : ['', ...argv]
    const words = [...(first ? [first] : []), '--netns', station.host.namespace, ...rest]
    this.#child = spawn(join(root, 'bin', command), words, { stdio: ['ignore', 'ignore', 'pipe'], env })
    let err = ''
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      err += text
    })
    this.#end = once(this.#child, 'close').then(([code, signal]) => {
      this.isRunning = false
      return { code, signal, err }
    })
  }

  get end(): Promise<End> {
    return this.#end
  }

  kill(signal: NodeJS.Signals = 'SIGKILL'): void {
    this.#child.kill(signal)
  }

  /**
   * Waits for the first trace of a change in the folder, and then some time, and kills it; it may end before.
   *
   * @param wait milliseconds
   */
  async killAtWork(folder: string, wait: number): Promise<End> {
    await trace(folder, () => this.isRunning)
    if (wait >= 1) await sleep(wait)
    this.kill()
    return this.#end
  }

  /** Lets it do its work. @returns how long there were traces of a change in the folder, in milliseconds */
  async timeAtWork(folder: string): Promise<number> {
    await trace(folder, () => this.isRunning)
    const begin = performance.now()
    while (this.isRunning && hasTrace(folder)) await new Promise((resolve) => setImmediate(resolve))
    const time = performance.now() - begin
    await this.#end
    return time
  }
}

export function hasTrace(folder: string): boolean {
  return readdirSync(folder).some((name) => name.endsWith('.pending'))
}

/** How many changes were made: the store keeps count in a file. */
function changeCount(folder: string): string {
  const path = join(folder, 'changes')
  return existsSync(path) ? readFileSync(path, 'utf8') : ''
}

/**
 * Waits for the first trace of a change, as long as there may come one. A small change may be over before anybody has seen
 * its traces: that ends it, too.
 */
export async function trace(folder: string, mayCome: () => boolean): Promise<void> {
  const before = changeCount(folder)
  while (mayCome() && !hasTrace(folder) && changeCount(folder) === before)
    await new Promise((resolve) => setImmediate(resolve))
}

/** A file for root alone. */
export function secretFile(folder: string, name: string, text: string): string {
  const path = join(folder, name)
  writeFileSync(path, text, { mode: 0o600 })
  return path
}
