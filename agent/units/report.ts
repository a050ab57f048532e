/**
 * How the sockets of units are, for those who ask: a file beside the record, for as long as the agent runs.
 *
 * @module
 */
import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { replaceRuntimeFile } from '../runtime/replace-file.ts'

/** A unit whose sockets are to be protected. */
export interface UnitReport {
  readonly unit: string
  /** Those that listen or have a peer, and whose packets can leave the host. */
  readonly sockets: number
  /** Those of them that have no policy that protects. */
  readonly unprotected: number
}

const NAME = 'units.json'

interface Kept {
  readonly pid: number
  readonly units: readonly UnitReport[]
}

/** @param folder the namespace's state folder @param units absent: there is nothing to tell */
export function keepUnits(folder: string, units: readonly UnitReport[] | undefined): void {
  const path = join(folder, NAME)
  if (!units) {
    rmSync(path, { force: true })
    return
  }
  const kept: Kept = { pid: process.pid, units }
  replaceRuntimeFile(path, JSON.stringify(kept))
}

/** What an agent that runs has found; `undefined` where none looks. */
export function keptUnits(folder: string): readonly UnitReport[] | undefined {
  try {
    const { pid, units } = JSON.parse(readFileSync(join(folder, NAME), 'utf8')) as Kept
    // An agent that was killed has left it behind.
    process.kill(pid, 0)
    return units
  } catch {
    return undefined
  }
}
