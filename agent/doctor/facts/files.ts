/**
 * Folders that solipsec keeps files in, the clock, and free memory.
 *
 * @module
 */
import { lstatSync, readdirSync, readFileSync, statfsSync } from 'node:fs'
import { join } from 'node:path'
import { isClockSynchronised } from '../../../netlink/libc/clock.ts'
import { epochTime } from '../../datapath/software/state/iv-source.ts'
import { type Known, look } from '../known.ts'

/** `run`: as short-lived as the kernel's tables; `state`: what a reboot must not lose; `secret`: key files. */
export type Purpose = 'run' | 'state' | 'secret'

export interface FolderFacts {
  readonly path: string
  readonly purpose: Purpose
  /** `undefined`: it is not there. */
  readonly found: Known<FolderState | undefined>
}

export interface FolderState {
  readonly isFolder: boolean
  readonly uid: number
  /** Permission bits. */
  readonly mode: number
  /** Gone at a reboot (tmpfs, ramfs). */
  readonly isInMemory: boolean
  /** Paths of files in it that others than their owner may read; looked for where it holds keys. */
  readonly readable: readonly string[]
}

export interface ClockFacts {
  /** Milliseconds since 1970. */
  readonly now: number
  readonly isSynchronised: Known<boolean>
  /** Up to when the software data path has used up initialization vectors, which follow the clock; 0: it never did. */
  readonly vectorsUntil: Known<number>
}

export interface MemoryFacts {
  readonly availableBytes: Known<number>
}

// linux/magic.h
const TMPFS_MAGIC = 0x0102_1994
const RAMFS_MAGIC = 0x8584_58f6
const PERMISSIONS = 0o7777
const OTHERS = 0o077

export function readFolder(path: string, purpose: Purpose): FolderFacts {
  return { path, purpose, found: look(() => readState(path, purpose)) }
}

function readState(path: string, purpose: Purpose): FolderState | undefined {
  const stat = lstatSync(path, { throwIfNoEntry: false })
  if (!stat) return undefined
  const { type } = statfsSync(path)
  return {
    isFolder: stat.isDirectory(),
    uid: stat.uid,
    mode: stat.mode & PERMISSIONS,
    isInMemory: type === TMPFS_MAGIC || type === RAMFS_MAGIC,
    readable: purpose === 'secret' && stat.isDirectory() ? readableIn(path) : [],
  }
}

function readableIn(folder: string): string[] {
  return readdirSync(folder)
    .map((name) => join(folder, name))
    .filter((path) => {
      const stat = lstatSync(path, { throwIfNoEntry: false })
      return stat?.isFile() && (stat.mode & OTHERS) !== 0
    })
}

/** @param stateFolder where the software data path writes its epochs */
export function readClock(stateFolder: string): ClockFacts {
  return {
    now: Date.now(),
    isSynchronised: look(isClockSynchronised),
    vectorsUntil: look(() => readEpoch(join(stateFolder, 'iv-epoch'))),
  }
}

function readEpoch(path: string): number {
  if (!lstatSync(path, { throwIfNoEntry: false })) return 0
  const epoch = Number(readFileSync(path, 'utf8'))
  return epoch > 0 ? epochTime(epoch) : 0
}

export function readMemory(): MemoryFacts {
  const text = look(() => readFileSync('/proc/meminfo', 'utf8'))
  return { availableBytes: 'value' in text ? parseMemory(text.value) : text }
}

/** Reads `/proc/meminfo`. */
export function parseMemory(text: string): Known<number> {
  const [, kilobytes] = /^MemAvailable:\s*(\d+) kB$/m.exec(text) ?? []
  return kilobytes === undefined
    ? { unknown: '/proc/meminfo does not say what is available' }
    : { value: Number(kilobytes) * 1024 }
}
