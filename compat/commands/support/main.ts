/**
 * From a process to a command and back.
 *
 * @module
 */
import { SERVICE_FATAL } from './exit.ts'
import type { Run } from './io.ts'
import { processIo } from './process-io.ts'

/**
 * Runs a command on this process's arguments and descriptors, and ends the process with its exit code. Output
 * that could not be written (a full disk, not a reader that went away) makes the exit code 1.
 */
export async function main(command: string, run: Run): Promise<never> {
  const io = processIo()
  let code: number
  try {
    code = await run(process.argv.slice(2), io)
  } catch (error) {
    io.stderr.write(`${command}: internal error: ${describe(error)}\n`)
    code = io.service ? SERVICE_FATAL : 1
  }
  io.stdout.flush()
  if (io.stdout.failure) io.stderr.write(`${command}: cannot write output: ${io.stdout.failure}\n`)
  process.exit(code === 0 && io.stdout.failure ? 1 : code)
}

/** What and where, but not the message: JavaScript's own errors quote the offending value, and it may be a key. */
function describe(error: unknown): string {
  if (!(error instanceof Error)) return typeof error
  const frames = (error.stack ?? '').split('\n').filter((line) => /^\s+at /.test(line))
  return [error.name, ...frames].join('\n')
}
