/**
 * Which sockets have a policy, by their cookies, for the agents to come: the kernel does not tell which socket a policy
 * belongs to. A cookie is that of one socket until the next boot, and the file does not outlast that.
 *
 * @module
 */
import { closeSync, constants, openSync, readFileSync, writeSync } from 'node:fs'
import { replaceRuntimeFile } from '../runtime/replace-file.ts'
import type { SocketDemand } from './demand.ts'

export type PolicyKind = SocketDemand['action']['kind']

/** What a socket was given, and by whom. */
export interface JournalEntry {
  readonly kind: PolicyKind
  readonly uid: number
}

/** A line: what the socket has, or `-`: nothing any more; its cookie; and the number of the user who asked. */
const LINE = /^(protect|bypass|-) ([0-9a-f]{1,16})(?: ([0-9]{1,10}))?$/
const ROOT = 0
/** As many as the service keeps. */
const MOST = 65_536
/** Lines of sockets that are gone, beside as many as there are others. */
const MOST_WASTE = 4096

export class SocketJournal {
  readonly #path: string
  readonly #entries: Map<bigint, JournalEntry>
  #fd = -1
  #lines = 0

  /** Reads what there is. A line that was not finished is none. @param path of the file; it may be missing */
  constructor(path: string) {
    this.#path = path
    this.#entries = readEntries(path)
    this.#rewrite()
  }

  get size(): number {
    return this.#entries.size
  }

  /** What a socket was given; `undefined` for none. */
  get(cookie: bigint): JournalEntry | undefined {
    return this.#entries.get(cookie)
  }

  set(cookie: bigint, { kind, uid }: JournalEntry): void {
    const known = this.#entries.get(cookie)
    if (known?.kind === kind && known.uid === uid) return
    this.#entries.delete(cookie)
    this.#entries.set(cookie, { kind, uid })
    forgetOldest(this.#entries)
    this.#write(lineOf(cookie, { kind, uid }))
  }

  /** It has none any more, or is no more. */
  delete(cookie: bigint): void {
    if (this.#entries.delete(cookie)) this.#write(`- ${cookie.toString(16)}\n`)
  }

  close(): void {
    if (this.#fd !== -1) closeSync(this.#fd)
    this.#fd = -1
  }

  #write(line: string): void {
    if (this.#fd === -1) return
    writeSync(this.#fd, line)
    if (++this.#lines > 2 * this.#entries.size + MOST_WASTE) this.#rewrite()
  }

  #rewrite(): void {
    this.close()
    const lines = [...this.#entries].map(([cookie, entry]) => lineOf(cookie, entry))
    replaceRuntimeFile(this.#path, lines.join(''))
    this.#fd = openSync(this.#path, constants.O_WRONLY | constants.O_APPEND | constants.O_NOFOLLOW)
    this.#lines = lines.length
  }
}

function lineOf(cookie: bigint, { kind, uid }: JournalEntry): string {
  return `${kind} ${cookie.toString(16)} ${uid}\n`
}

function readEntries(path: string): Map<bigint, JournalEntry> {
  const entries = new Map<bigint, JournalEntry>()
  for (const line of textOf(path).split('\n')) {
    // Whose it is was not written down at first: then it may be root's.
    const [, word, digits = '', uid = ROOT] = LINE.exec(line) ?? []
    const cookie = BigInt(`0x${digits || 0}`)
    if (word === '-') entries.delete(cookie)
    else if (word === 'protect' || word === 'bypass') entries.set(cookie, { kind: word, uid: Number(uid) })
  }
  forgetOldest(entries)
  return entries
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return ''
    throw error
  }
}

/** Sockets of which nobody said that they ended. */
function forgetOldest(entries: Map<bigint, JournalEntry>): void {
  for (const cookie of entries.keys()) {
    if (entries.size <= MOST) return
    entries.delete(cookie)
  }
}
