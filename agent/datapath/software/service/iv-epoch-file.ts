/**
 * Where the last epoch of initialization vectors is written down: on a disk, since keys may be loaded again after the
 * next boot.
 *
 * @module
 */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { IvEpochs } from '../state/iv-source.ts'

const DEFAULT = '/var/lib/solipsec'

/** The folder of what outlives a reboot, unless `SOLIPSEC_STATE_DIR` says otherwise. */
export function stateDirectory(): string {
  return process.env.SOLIPSEC_STATE_DIR || DEFAULT
}

/** The epochs of this host, for the data path of one network namespace. */
export function openIvEpochs(): IvEpochs {
  const folder = stateDirectory()
  mkdirSync(folder, { recursive: true, mode: 0o755 })
  const path = join(folder, 'iv-epoch')
  return new IvEpochs(readMark(path), Date.now(), (mark) => {
    // Another namespace's data path may have written a later one.
    const latest = Math.max(mark, readMark(path))
    const temporary = `${path}.${process.pid}`
    // What a power failure takes back would be used again.
    writeFileSync(temporary, `${latest}\n`, { mode: 0o600, flush: true })
    renameSync(temporary, path)
  })
}

function readMark(path: string): number {
  try {
    const mark = Number(readFileSync(path, 'utf8'))
    return Number.isSafeInteger(mark) && mark > 0 ? mark : 0
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 0
    throw error
  }
}
