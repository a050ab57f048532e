/**
 * An `Io` in memory, for running commands in process.
 *
 * @module
 */
import { Readable, Writable } from 'node:stream'
import type { Io, Output, Service } from '../../../../compat/commands/support/io.ts'

export interface CapturedIo extends Io {
  /** What was written so far. */
  out(): string
  err(): string
  /** As if SIGINT had come. */
  interrupt(): void
}

export interface CaptureOptions {
  readonly stdin?: string
  readonly env?: Readonly<Record<string, string>>
  readonly service?: Service
}

export function captureIo(options: CaptureOptions = {}): CapturedIo {
  const stdout = new Capture()
  const stderr = new Capture()
  const controller = new AbortController()
  const input = options.stdin ?? ''
  return {
    stdin: { isTTY: false, text: async () => input, stream: () => Readable.from([Buffer.from(input)]) },
    stdout,
    stderr,
    env: options.env ?? {},
    ...(options.service && { service: options.service }),
    interrupted: controller.signal,
    out: () => stdout.text,
    err: () => stderr.text,
    interrupt: () => controller.abort(),
  }
}

class Capture implements Output {
  readonly isTTY = false
  text = ''
  write(text: string): void {
    this.text += text
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
