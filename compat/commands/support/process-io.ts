/**
 * The real `Io`: the process's own descriptors, written synchronously. `process.stdout` is left alone unless a
 * stream is asked for, since setting it up costs a short command a tenth of its life.
 *
 * @module
 */
import { writeSync } from 'node:fs'
import type { Readable, Writable } from 'node:stream'
import { isatty } from 'node:tty'
import type { Input, Io, Output } from './io.ts'
import { detectService } from './service.ts'

const BUFFER_CHARACTERS = 64 * 1024

/** A descriptor with a buffer. Not for sharing between threads. */
export class DescriptorOutput implements Output {
  readonly isTTY: boolean
  /** The errno name of a failed write other than EPIPE, for instance `ENOSPC`. */
  failure: string | undefined
  readonly #fd: number
  readonly #buffered: boolean
  readonly #before: (() => void) | undefined
  readonly #stream: () => Writable
  #pending: string[] = []
  #size = 0
  #closed = false

  /** @param options.before runs ahead of every write: keeps two outputs on one terminal in order */
  constructor(fd: number, options: { buffered: boolean; before?: () => void; stream: () => Writable }) {
    this.#fd = fd
    this.#buffered = options.buffered
    this.#before = options.before
    this.#stream = options.stream
    this.isTTY = isatty(fd)
  }

  get isClosed(): boolean {
    return this.#closed
  }

  write(text: string): void {
    this.#before?.()
    if (this.#closed) return
    this.#pending.push(text)
    this.#size += text.length
    if (!this.#buffered || this.#size >= BUFFER_CHARACTERS) this.flush()
  }

  flush(): void {
    if (this.#size === 0) return
    const bytes = Buffer.from(this.#pending.join(''))
    this.#pending = []
    this.#size = 0
    for (let done = 0; done < bytes.length && !this.#closed; ) done += this.#writeSome(bytes.subarray(done))
  }

  stream(): Writable {
    this.flush()
    return this.#stream()
  }

  #writeSome(bytes: Uint8Array): number {
    try {
      return writeSync(this.#fd, bytes)
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if (code === 'EAGAIN') {
        // Another process has made the shared pipe non-blocking: wait for its reader.
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5)
        return 0
      }
      // The reader of `ipsecconf -l | head` has had enough: what the command does besides printing goes on.
      if (code !== 'EPIPE') this.failure = code ?? 'EIO'
      this.#closed = true
      return 0
    }
  }
}

class ProcessInput implements Input {
  get isTTY(): boolean {
    return isatty(0)
  }

  async text(): Promise<string> {
    const chunks: Buffer[] = []
    for await (const chunk of process.stdin) chunks.push(chunk as Buffer)
    return Buffer.concat(chunks).toString('utf8')
  }

  stream(): Readable {
    return process.stdin
  }
}

export interface ProcessIo extends Io {
  readonly stdout: DescriptorOutput
  readonly stderr: DescriptorOutput
}

/** Makes the `Io` of this process. Signals are caught from the first look at `interrupted` on. */
export function processIo(): ProcessIo {
  const stdout = new DescriptorOutput(1, { buffered: true, stream: () => process.stdout })
  const stderr = new DescriptorOutput(2, {
    buffered: false,
    before: () => stdout.flush(),
    stream: () => process.stderr,
  })
  const service = detectService(process.env)
  let interruption: AbortController | undefined
  return {
    stdin: new ProcessInput(),
    stdout,
    stderr,
    env: process.env,
    ...(service && { service }),
    get interrupted() {
      if (!interruption) {
        const controller = new AbortController()
        for (const signal of ['SIGINT', 'SIGTERM'] as const)
          process.once(signal, () => controller.abort(signal))
        interruption = controller
      }
      return interruption.signal
    },
  }
}
