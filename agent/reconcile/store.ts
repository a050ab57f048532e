/**
 * The files under the runtime directory: what is loaded, the change under way, and the lock that keeps two
 * commands apart. One folder for each network namespace.
 *
 * A change is written as `policy.pending` before the kernel hears of it, and renamed to `policy.json` when the
 * kernel has it all. A pending file that is found later is the trace of a process that died in between. Changes of SAs
 * have a journal beside it, and what was noted of SAs before is kept.
 *
 * @module
 */
import { existsSync, lstatSync, mkdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { type FileLock, lockFile } from '../../netlink/libc/lock.ts'
import type { XfrmMessage } from '../../netlink/xfrm/messages.ts'
import { runDirectory } from '../runtime/directory.ts'
import { namespaceFolder } from '../runtime/namespace-folder.ts'
import { removeHalfWritten, replaceRuntimeFile } from '../runtime/replace-file.ts'
import { decodeJournal, encodeJournal } from './association-journal.ts'
import { type AssociationNotes, decodeNotes, encodeNotes } from './association-notes.ts'
import { decodeState, encodeState, type PolicyState } from './policy-state.ts'

const LOCK = 'lock'
/** How many changes were made since boot. */
const COUNT = 'changes'
const LATCH_LOCK = 'latch.lock'
const NOTES = 'associations.json'
/** The notes as they were before the change under way. */
const OLD_NOTES = 'notes.pending'
/** Undo messages; they may hold keys. */
const JOURNAL = 'associations.pending'
/** The same for a change of policy as well: it counts only beside `policy.pending`. */
const JOINT_JOURNAL = 'change.pending'

const LOCK_WAIT_MS = 30_000

/** Another command is at work on the same namespace and does not come to an end. */
export class LockedError extends Error {
  constructor(path: string, waitMs: number) {
    super(`another command has held ${path} for ${waitMs / 1000} s`)
    this.name = 'LockedError'
  }
}

/** The folder for state files is not ours alone: whoever else can write to it could make us write elsewhere. */
export class UntrustedFolderError extends Error {
  constructor(folder: string) {
    super(
      `${folder} has to be a folder that belongs to the user of this command and that nobody else can write to`,
    )
    this.name = 'UntrustedFolderError'
  }
}

const S_IFMT = 0o170000
const S_IFDIR = 0o040000
const OTHERS_WRITE = 0o022

/** @throws UntrustedFolderError */
function refuseUntrusted(folder: string): void {
  const { uid, mode } = lstatSync(folder)
  if (uid !== process.geteuid?.() || (mode & OTHERS_WRITE) !== 0 || (mode & S_IFMT) !== S_IFDIR) {
    throw new UntrustedFolderError(folder)
  }
}

/** The state files of the network namespace that the calling thread is in. */
export class Store {
  /** The folder of the namespace's files. */
  readonly folder: string
  #lock: FileLock | undefined

  private constructor(folder: string) {
    this.folder = folder
  }

  /**
   * Opens (and makes) the folder of the present namespace, readable by root only.
   *
   * @param runDir the runtime directory, for tests
   */
  static open(runDir: string = runDirectory()): Store {
    const folder = namespaceFolder(runDir)
    // The list of the kernel's algorithms, beside the folder, is for everyone to read.
    mkdirSync(runDir, { recursive: true, mode: 0o755 })
    // Whoever owns the one above could put another in its place.
    refuseUntrusted(runDir)
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    refuseUntrusted(folder)
    return new Store(folder)
  }

  /** The file whose lock keeps two commands apart. */
  get lockPath(): string {
    return join(this.folder, LOCK)
  }

  /**
   * Keeps other commands out until {@link Store.unlock}, or until the process ends.
   *
   * @param waitMs how long to wait for another command's end; the thread sleeps meanwhile
   * @throws LockedError
   */
  lock(waitMs: number = LOCK_WAIT_MS): void {
    this.#lock = lockFile(this.lockPath, waitMs)
    if (!this.#lock) throw new LockedError(this.lockPath, waitMs)
    try {
      for (const name of ['policy.pending', NOTES, OLD_NOTES, JOURNAL, JOINT_JOURNAL, COUNT]) {
        removeHalfWritten(this.#path(name))
      }
    } catch (error) {
      this.unlock()
      throw error
    }
  }

  /**
   * Keeps others from watching the pinned connections of this namespace, until it is released or the process ends.
   *
   * @returns `undefined` where another does already
   */
  lockForLatches(waitMs: number): FileLock | undefined {
    return lockFile(this.#path(LATCH_LOCK), waitMs)
  }

  unlock(): void {
    this.#lock?.release()
    this.#lock = undefined
  }

  /** How many changes of policy or SAs were made: what differs from the kernel's tables at the same count is drift. */
  changeCount(): number {
    return Number(this.#read(COUNT) ?? 0)
  }

  /** The change under way is one that was asked for. */
  countChange(): void {
    this.#write(COUNT, String(this.changeCount() + 1))
  }

  /** What is loaded; `undefined` where nothing is, or where the record of it cannot be read. */
  loadPolicy(): PolicyState | undefined {
    return this.#loadState('policy.json')
  }

  /** What the change under way, or broken off, is to lead to. */
  loadPendingPolicy(): PolicyState | undefined {
    return this.#loadState('policy.pending')
  }

  #loadState(name: string): PolicyState | undefined {
    const text = this.#read(name)
    if (text === undefined) return undefined
    try {
      return decodeState(text)
    } catch {
      // Damaged, or of another version. The kernel goes on with what it has: see `Session.isUnrecorded`.
      return undefined
    }
  }

  /** True where a process died during a change. */
  hasPendingPolicy(): boolean {
    return this.#read('policy.pending') !== undefined
  }

  /** Announces a change. */
  writePendingPolicy(state: PolicyState): void {
    this.#write('policy.pending', encodeState(state))
  }

  /** The kernel has all of the announced change. */
  commitPolicy(): void {
    renameSync(this.#path('policy.pending'), this.#path('policy.json'))
  }

  /** The announced change was undone. */
  dropPendingPolicy(): void {
    rmSync(this.#path('policy.pending'), { force: true })
  }

  /**
   * What takes back the SA changes of a process that died; `undefined` where none did. A change of policy and SAs has
   * come to its end when `policy.pending` is gone: what is left of its journal takes nothing back.
   */
  loadJournal(): XfrmMessage[] | undefined {
    const bytes =
      this.#readBytes(JOURNAL) ?? (this.hasPendingPolicy() ? this.#readBytes(JOINT_JOURNAL) : undefined)
    try {
      return bytes && decodeJournal(bytes)
    } finally {
      bytes?.fill(0)
    }
  }

  /**
   * Announces changes of SAs by what undoes them.
   *
   * @param isJoint policy changes as well: {@link writePendingPolicy} comes next
   */
  writeJournal(undo: readonly XfrmMessage[], isJoint = false): void {
    if (undo.length === 0) return
    const journal = encodeJournal(undo)
    try {
      this.#write(isJoint ? JOINT_JOURNAL : JOURNAL, journal)
    } finally {
      journal.fill(0)
    }
  }

  /** The change is complete, or taken back. */
  dropJournal(): void {
    for (const name of [JOURNAL, JOINT_JOURNAL, OLD_NOTES]) rmSync(this.#path(name), { force: true })
  }

  /** Keeps the notes as they are, for {@link restoreNotes}. */
  keepNotes(): void {
    this.#write(OLD_NOTES, this.#read(NOTES) ?? encodeNotes(new Map()))
  }

  /** The notes as they were kept, where they were. */
  restoreNotes(): void {
    if (this.#read(OLD_NOTES) !== undefined) renameSync(this.#path(OLD_NOTES), this.#path(NOTES))
  }

  /** True where there is a record of what is loaded, readable or not. */
  hasPolicyFile(): boolean {
    return this.#read('policy.json') !== undefined
  }

  /** True where a change was announced and is neither complete nor taken back: of a command at work, or of one that died. */
  isChanging(): boolean {
    return this.hasPendingPolicy() || existsSync(this.#path(JOURNAL))
  }

  /** What the kernel has no place for in the SAs. */
  loadNotes(): AssociationNotes {
    const text = this.#read(NOTES)
    if (text === undefined) return new Map()
    try {
      return decodeNotes(text)
    } catch {
      // Damaged, or of another version: pairs, identities and idle limits are forgotten, protection is not.
      return new Map()
    }
  }

  /** Changes whenever the notes are written: each time the file is a new one. */
  notesStamp(): string {
    return this.#stamp(NOTES)
  }

  /** Changes whenever the record of policy is written. */
  policyStamp(): string {
    return this.#stamp('policy.json')
  }

  #stamp(name: string): string {
    const stat = statSync(this.#path(name), { throwIfNoEntry: false })
    return stat ? `${stat.ino} ${stat.mtimeMs}` : ''
  }

  writeNotes(notes: AssociationNotes): void {
    if (notes.size > 0) this.#write(NOTES, encodeNotes(notes))
    else rmSync(this.#path(NOTES), { force: true })
  }

  #path(name: string): string {
    return join(this.folder, name)
  }

  /** Reads a file of the folder as text; `undefined` where there is none. */
  #read(name: string): string | undefined {
    return this.#readBytes(name)?.toString('utf8')
  }

  #readBytes(name: string): Buffer | undefined {
    try {
      return readFileSync(this.#path(name))
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
      throw error
    }
  }

  /** Replaces a file in one step. */
  #write(name: string, content: string | Uint8Array): void {
    replaceRuntimeFile(this.#path(name), content)
  }
}
