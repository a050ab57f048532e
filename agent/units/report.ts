/**
 * How the sockets of units are, for those who ask: a file beside the record, for as long as the agent runs.
 *
 * @module
 */
import { join } from 'node:path'
import { keep, kept } from '../runtime/kept-file.ts'

/** A unit whose sockets are to be protected. */
export interface UnitReport {
  readonly unit: string
  /** Those that listen or have a peer, and whose packets can leave the host. */
  readonly sockets: number
  /** Those of them that have no policy that protects. */
  readonly unprotected: number
}

const NAME = 'units.json'

/** @param folder the namespace's state folder @param units absent: there is nothing to tell */
export function keepUnits(folder: string, units: readonly UnitReport[] | undefined): void {
  keep(join(folder, NAME), units)
}

/** What an agent that runs has found; `undefined` where none looks. */
export function keptUnits(folder: string): readonly UnitReport[] | undefined {
  return kept(join(folder, NAME)) as readonly UnitReport[] | undefined
}
