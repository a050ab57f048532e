/**
 * Runs commands to their end and says how long they took and how much memory they needed.
 *
 * @module
 */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A command line, the program first. */
export type CommandLine = readonly [string, ...string[]]

/** GNU time, or the one of busybox: both know `-f` and `-o`, and both are small, which matters (see below). */
const TIME = [['/usr/bin/time'], ['/usr/bin/busybox', 'time'], ['/bin/busybox', 'time']].find(([path = '']) =>
  existsSync(path),
)

/**
 * Runs a command with its output thrown away.
 *
 * @returns milliseconds of wall-clock time, starting the process included
 * @throws Error with what it wrote to standard error, where it fails
 */
export function run([program, ...args]: CommandLine): number {
  const start = process.hrtime.bigint()
  const { status, error, stderr } = spawnSync(program, args, { stdio: ['ignore', 'ignore', 'pipe'] })
  const milliseconds = Number(process.hrtime.bigint() - start) / 1e6
  if (error) throw error
  if (status !== 0) throw new Error(`${program} ${args.join(' ')} (exit code ${status}): ${stderr}`)
  return milliseconds
}

/** Runs a command and returns its standard output, of at most 1 GiB. */
export function output([program, ...args]: CommandLine): string {
  const { status, error, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8', maxBuffer: 2 ** 30 })
  if (error) throw error
  if (status !== 0) throw new Error(`${program} ${args.join(' ')} (exit code ${status}): ${stderr}`)
  return stdout
}

/**
 * Peak resident memory of a command in kilobytes, or `undefined` where there is no time(1). Asked through a small
 * program, since the peak of a process includes what its parent had when it forked.
 */
export function peakMemory(command: CommandLine): number | undefined {
  if (!TIME) return undefined
  const folder = mkdtempSync(join(tmpdir(), 'solipsec-bench-'))
  try {
    const report = join(folder, 'peak')
    const [time = '', ...applet] = TIME
    run([time, ...applet, '-f', '%M', '-o', report, ...command])
    return Number(readFileSync(report, 'utf8').trim())
  } finally {
    rmSync(folder, { recursive: true })
  }
}
