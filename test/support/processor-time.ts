/**
 * What a process has cost.
 *
 * @module
 */
import { readFileSync } from 'node:fs'

/** Ticks of `/proc/PID/stat` in a second, on every Linux that Node runs on. */
const TICKS = 100

/** Processor time that a process has used, in seconds. */
export function processorTime(pid: number): number {
  const text = readFileSync(`/proc/${pid}/stat`, 'latin1')
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) / TICKS
}
