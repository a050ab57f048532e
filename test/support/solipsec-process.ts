/**
 * A subcommand of `solipsec` as a process in a namespace.
 *
 * @module
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { Teardown } from './namespaces.ts'
import { processorTime } from './processor-time.ts'
import { root } from './tiers.ts'
import { until } from './until.ts'

const TAIL = 4096

export class SolipsecProcess {
  out = ''
  /** The end of it: to look through all of a long output again and again would take all the time. */
  tail = ''
  err = ''
  readonly #child
  readonly #exit: Promise<unknown[]>

  /** @param command the subcommand and its arguments. @param uid the user (and group) who runs it; absent: root */
  constructor(t: Teardown, namespace: string, command: readonly string[], uid?: number) {
    const [subcommand = '', ...argv] = command
    this.#child = spawn(join(root, 'bin', 'solipsec'), [subcommand, '--netns', namespace, ...argv], {
      stdio: ['ignore', 'pipe', 'pipe'],
      ...(uid !== undefined && { uid, gid: uid }),
    })
    this.#child.stdout.setEncoding('utf8').on('data', (text: string) => {
      this.out += text
      this.tail = (this.tail + text).slice(-TAIL)
    })
    this.#child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.err += text
    })
    this.#exit = once(this.#child, 'close')
    t.teardown(() => {
      this.#child.kill('SIGKILL')
    })
  }

  /** The lines so far as JSON. */
  documents<T>(): T[] {
    return this.out
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line) as T)
  }

  async until(isTrue: () => boolean): Promise<void> {
    const said = () => `${this.out}${this.err}`
    const waited = until(async () => {
      if (isTrue()) return true
      if (this.#child.exitCode !== null) throw new Error('it ended')
      return false
    })
    await waited.catch((error: Error) => {
      throw new Error(`${error.message}: ${said()}`)
    })
  }

  /** Processor time that it has used, in seconds. */
  get processorTime(): number {
    return processorTime(this.#child.pid ?? 0)
  }

  /** It does nothing until {@link resume}. */
  pause(): void {
    this.#child.kill('SIGSTOP')
  }

  resume(): void {
    this.#child.kill('SIGCONT')
  }

  /** Reads nothing more from it: its next line meets a closed pipe. */
  hangUp(): void {
    this.#child.stdout.destroy()
  }

  /** @returns exit code */
  async ended(): Promise<unknown> {
    const [code] = await this.#exit
    return code
  }

  async stop(signal: NodeJS.Signals = 'SIGINT'): Promise<unknown> {
    this.#child.kill(signal)
    return this.ended()
  }
}
