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

/** A line: what the socket has, or `-`: nothing any more; and its cookie. */
const LINE = /^(protect|bypass|-) ([0-9a-f]{1,16})$/
/** As many as the service keeps. */
const MOST = 65_536
/** Lines of sockets that are gone, beside as many as there are others. */
const MOST_WASTE = 4096

export class SocketJournal {
  readonly #path: string
  readonly #kinds: Map<bigint, PolicyKind>
  #fd = -1
  #lines = 0

  /** Reads what there is. A line that was not finished is none. @param path of the file; it may be missing */
  constructor(path: string) {
    this.#path = path
    this.#kinds = readKinds(path)
    this.#rewrite()
  }

  get size(): number {
    return this.#kinds.size
  }

  /** What a socket was given; `undefined` for none. */
  get(cookie: bigint): PolicyKind | undefined {
    return this.#kinds.get(cookie)
  }

  set(cookie: bigint, kind: PolicyKind): void {
    if (this.#kinds.get(cookie) === kind) return
    this.#kinds.delete(cookie)
    this.#kinds.set(cookie, kind)
    forgetOldest(this.#kinds)
    this.#write(kind, cookie)
  }

  /** It has none any more, or is no more. */
  delete(cookie: bigint): void {
    if (this.#kinds.delete(cookie)) this.#write('-', cookie)
  }

  close(): void {
    if (this.#fd !== -1) closeSync(this.#fd)
    this.#fd = -1
  }

  #write(word: string, cookie: bigint): void {
    if (this.#fd === -1) return
    writeSync(this.#fd, `${word} ${cookie.toString(16)}\n`)
    if (++this.#lines > 2 * this.#kinds.size + MOST_WASTE) this.#rewrite()
  }

  #rewrite(): void {
    this.close()
    const lines = [...this.#kinds].map(([cookie, kind]) => `${kind} ${cookie.toString(16)}\n`)
    replaceRuntimeFile(this.#path, lines.join(''))
    this.#fd = openSync(this.#path, constants.O_WRONLY | constants.O_APPEND | constants.O_NOFOLLOW)
    this.#lines = lines.length
  }
}

function readKinds(path: string): Map<bigint, PolicyKind> {
  const kinds = new Map<bigint, PolicyKind>()
  for (const line of textOf(path).split('\n')) {
    const [, word, digits = ''] = LINE.exec(line) ?? []
    const cookie = BigInt(`0x${digits || 0}`)
    if (word === '-') kinds.delete(cookie)
    else if (word === 'protect' || word === 'bypass') kinds.set(cookie, word)
  }
  forgetOldest(kinds)
  return kinds
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
function forgetOldest(kinds: Map<bigint, PolicyKind>): void {
  for (const cookie of kinds.keys()) {
    if (kinds.size <= MOST) return
    kinds.delete(cookie)
  }
}
