/**
 * An `Io` whose outputs are kept in memory, for a command that is run on behalf of somebody else.
 *
 * @module
 */
import { Readable, Writable } from 'node:stream'
import type { Io, Output } from './io.ts'

export interface MemoryIo extends Io {
  /** What was written so far. */
  out(): string
  err(): string
}

/** Without input and without a terminal; nothing interrupts it. */
export function memoryIo(): MemoryIo {
  const [stdout, stderr] = [new MemoryOutput(), new MemoryOutput()]
  return {
    stdin: { isTTY: false, text: async () => '', stream: () => Readable.from([]) },
    stdout,
    stderr,
    env: {},
    interrupted: new AbortController().signal,
    out: () => stdout.text(),
    err: () => stderr.text(),
  }
}

class MemoryOutput implements Output {
  readonly isTTY = false
  readonly #parts: string[] = []

  text(): string {
    return this.#parts.join('')
  }

  write(text: string): void {
    this.#parts.push(text)
  }

  flush(): void {}

  stream(): Writable {
    return new Writable({
      write: (chunk, _encoding, done) => {
        this.write(String(chunk))
        done()
      },
    })
  }
}
