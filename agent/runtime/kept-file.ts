/**
 * What a process tells those who ask, without being asked itself: a file, for as long as the process runs.
 *
 * @module
 */
import { readFileSync, rmSync } from 'node:fs'
import { replaceRuntimeFile } from './replace-file.ts'

/** @param value plain; absent: there is nothing to tell */
export function keep(path: string, value: unknown): void {
  if (value === undefined) rmSync(path, { force: true })
  else replaceRuntimeFile(path, JSON.stringify({ pid: process.pid, value }))
}

/** What the process that runs has to tell; `undefined` where none does, or none that the caller may see. */
export function kept(path: string): unknown {
  try {
    const { pid, value } = JSON.parse(readFileSync(path, 'utf8')) as { pid: number; value: unknown }
    // One that was killed has left it behind.
    process.kill(pid, 0)
    return value
  } catch {
    return undefined
  }
}
