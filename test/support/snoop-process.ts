/**
 * `solipsec snoop` as a process, for tests of live capture.
 *
 * @module
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Teardown } from './namespaces.ts'
import { root } from './tiers.ts'

/** Asks again and again; generous for an emulated processor. */
export async function until(isTrue: () => Promise<boolean>): Promise<void> {
  for (let i = 0; !(await isTrue()); i++) {
    if (i > 6000) throw new Error('waited in vain')
    await sleep(10)
  }
}

/** A running `solipsec snoop` in a namespace. */
export class SnoopProcess {
  out = ''
  err = ''
  readonly #child
  readonly #exit: Promise<unknown[]>

  private constructor(t: Teardown, namespace: string, argv: readonly string[], uid?: number) {
    const where = ['snoop', '--netns', namespace, '--datapath', 'auto', '-n']
    this.#child = spawn(join(root, 'bin', 'solipsec'), [...where, ...argv], {
      stdio: ['ignore', 'pipe', 'pipe'],
      ...(uid !== undefined && { uid, gid: uid }),
    })
    this.#child.stdout.setEncoding('utf8').on('data', (text: string) => {
      this.out += text
    })
    this.#child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.err += text
    })
    this.#exit = once(this.#child, 'close')
    t.teardown(() => {
      this.#child.kill('SIGKILL')
    })
  }

  /** Packets from now on are seen. */
  static async start(t: Teardown, namespace: string, ...argv: string[]): Promise<SnoopProcess> {
    const snoop = new SnoopProcess(t, namespace, argv)
    await snoop.until(() => snoop.err.includes('Using device'))
    return snoop
  }

  /** Expects it to end with status 1. @returns what it said */
  static async refused(
    t: Teardown,
    namespace: string,
    argv: readonly string[],
    uid?: number,
  ): Promise<string> {
    const snoop = new SnoopProcess(t, namespace, argv, uid)
    const code = await snoop.end()
    if (code !== 1) throw new Error(`ended with ${code}: ${snoop.err}`)
    return snoop.err
  }

  async until(isTrue: () => boolean): Promise<void> {
    await until(async () => {
      if (this.#child.exitCode !== null) throw new Error(`it ended: ${this.out}${this.err}`)
      return isTrue()
    })
  }

  /** Waits for its end, after a signal if one is given. @returns its exit code */
  async end(signal?: NodeJS.Signals): Promise<unknown> {
    if (signal) this.#child.kill(signal)
    const [code] = await this.#exit
    return code
  }
}
