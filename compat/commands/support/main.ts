/**
 * From a process to a command and back.
 *
 * @module
 */
import { writeFileSync } from 'node:fs'
import { SERVICE_FATAL } from './exit.ts'
import type { Run } from './io.ts'
import { processIo } from './process-io.ts'

/**
 * Runs a command on this process's arguments and descriptors, and ends the process with its exit code. Output
 * that could not be written (a full disk, not a reader that went away) makes the exit code 1.
 */
export async function main(command: string, run: Run): Promise<never> {
  leaveNothingInCores()
  const io = processIo()
  const fail = (error: unknown): number => {
    io.stderr.write(`${command}: internal error: ${describe(error)}\n`)
    return io.service ? SERVICE_FATAL : 1
  }
  process.on('uncaughtException', (error) => process.exit(fail(error)))
  let code: number
  try {
    code = await run(process.argv.slice(2), io)
  } catch (error) {
    code = fail(error)
  }
  io.stdout.flush()
  if (io.stdout.failure) io.stderr.write(`${command}: cannot write output: ${io.stdout.failure}\n`)
  process.exit(code === 0 && io.stdout.failure ? 1 : code)
}

/** There may be keys in memory: a core file has none of it (core(5)). No call of ours, so that it costs nothing. */
function leaveNothingInCores(): void {
  try {
    writeFileSync('/proc/self/coredump_filter', '0')
  } catch {
    // Without /proc there is nobody who could be told.
  }
}

/** What and where, but not the message: JavaScript's own errors quote the offending value, and it may be a key. */
function describe(error: unknown): string {
  if (!(error instanceof Error)) return typeof error
  const frames = (error.stack ?? '').split('\n').filter((line) => /^\s+at /.test(line))
  return [error.name, ...frames].join('\n')
}
