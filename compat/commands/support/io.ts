/**
 * What a command sees of the outside world. Commands take an `Io` and return an exit code, so that tests run
 * them in process; `process-io.ts` has the real one.
 *
 * @module
 */
import type { Readable, Writable } from 'node:stream'

export interface Output {
  readonly isTTY: boolean
  /** The reader has gone away, as far as was noticed: what only prints may end. */
  readonly isClosed?: boolean
  /** Takes the text over into a buffer; nothing is awaited. Once the reader has gone away, text is dropped. */
  write(text: string): void
  /** Hands everything written so far to the system: after each event of something that runs on. */
  flush(): void
  /** For `readline`. Flushes first. */
  stream(): Writable
}

export interface Input {
  readonly isTTY: boolean
  /** Everything up to the end of the input, as UTF-8. */
  text(): Promise<string>
  /** For `readline` and other readers that go step by step. */
  stream(): Readable
}

/** The manager that runs us as a service (see `service.ts`). */
export interface Service {
  /** FMRI or unit name, for messages. */
  readonly name: string
}

export interface Io {
  readonly stdin: Input
  readonly stdout: Output
  readonly stderr: Output
  readonly env: Readonly<Record<string, string | undefined>>
  /** Absent when run from a shell. */
  readonly service?: Service
  /** Aborted at SIGINT or SIGTERM; who never looks at it dies of the signal as usual. */
  readonly interrupted: AbortSignal
}

/** A command: arguments without the command's own name → exit code. */
export type Run = (argv: readonly string[], io: Io) => Promise<number>
