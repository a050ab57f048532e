/**
 * Starts a `peer.ts` in a network namespace and talks to it.
 *
 * @module
 */
import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import type { Answer, Request } from './peer.ts'

export class PeerClient {
  readonly #child: ChildProcessByStdio<Writable, Readable, null>
  readonly #waiting = new Map<number, (answer: Answer) => void>()
  #id = 0

  /** @param namespace - name of a namespace of `ip netns` */
  constructor(namespace: string) {
    const peer = join(import.meta.dirname, 'peer.js')
    this.#child = spawn('ip', ['netns', 'exec', namespace, process.execPath, peer], {
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    this.#child.stdin.on('error', () => {}) // told by `exit`
    createInterface(this.#child.stdout).on('line', (line) => {
      const { id, ...answer } = JSON.parse(line) as { id: number } & Answer
      this.#waiting.get(id)?.(answer)
      this.#waiting.delete(id)
    })
    this.#child.on('exit', () => {
      for (const settle of this.#waiting.values()) settle({ error: 'the peer process ended' })
      this.#waiting.clear()
    })
  }

  request(request: Request): Promise<Answer> {
    this.#id += 1
    const id = this.#id
    return new Promise((resolve) => {
      this.#waiting.set(id, resolve)
      this.#child.stdin.write(`${JSON.stringify({ id, ...request })}\n`)
    })
  }

  async close(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    const exit = once(this.#child, 'exit')
    this.#child.stdin.end()
    await exit
  }
}
