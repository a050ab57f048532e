/**
 * What sockets were given, by their cookies: the kernel has no way to ask for it. Bounded, for programs without
 * privilege fill it.
 *
 * @module
 */
import { IPPROTO_TCP, IPPROTO_UDP } from '../../netlink/libc/socket-options.ts'
import type { SocketDemand } from './demand.ts'
import type { JournalEntry, SocketJournal } from './journal.ts'
import type { SocketTerms } from './kernel-socket.ts'
import type { Peer } from './peer.ts'
import { SocketError } from './socket-error.ts'

export interface SocketEntry {
  readonly demand: SocketDemand
  /** What the kernel was told; absent where nothing was, since the socket's packets never leave this host. */
  readonly terms?: SocketTerms
  /** Who asked. */
  readonly uid: number
  readonly protocol: number
}

export interface TableLimits {
  readonly all: number
  /** Of one user other than root. */
  readonly ofUser: number
  /** Sockets whose end the kernel does not announce: neither TCP nor UDP. */
  readonly silent: number
}

const LIMITS: TableLimits = { all: 65_536, ofUser: 8192, silent: 1024 }

export class SocketTable {
  /** The oldest first. */
  readonly #entries = new Map<bigint, SocketEntry>()
  readonly #ofUser = new Map<number, number>()
  readonly #limits: TableLimits
  readonly #journal: SocketJournal | undefined
  #silent = 0
  /** Those that may be gone without our knowing. */
  #doubtful = new Set<bigint>()

  /** @param journal keeps which sockets have a policy, for agents to come */
  constructor(limits: TableLimits = LIMITS, journal?: SocketJournal) {
    this.#limits = limits
    this.#journal = journal
  }

  get size(): number {
    return this.#entries.size
  }

  get(cookie: bigint): SocketEntry | undefined {
    return this.#entries.get(cookie)
  }

  /** True where it was given a policy, by this agent or one before. */
  isKnown(cookie: bigint): boolean {
    return this.#known(cookie) !== undefined
  }

  /**
   * On Solaris whoever holds a socket may take its policy away. There the rules of the host still hold; where there are none,
   * what root had protected would be in clear by the word of a program without privilege.
   *
   * @throws SocketError EPERM where another user has had it protected
   */
  checkOwner(cookie: bigint, { uid, isPrivileged }: Pick<Peer, 'uid' | 'isPrivileged'>): void {
    const known = this.#known(cookie)
    if (isPrivileged || known?.kind !== 'protect' || known.uid === uid) return
    throw new SocketError(
      'EPERM',
      'another user has had this socket protected: only that user, root, or who has CAP_NET_ADMIN, may change it',
    )
  }

  #known(cookie: bigint): JournalEntry | undefined {
    const entry = this.#entries.get(cookie)
    return entry ? { kind: entry.demand.action.kind, uid: entry.uid } : this.#journal?.get(cookie)
  }

  /** @throws SocketError ENOBUFS where there is no room for one more of a user's */
  makeRoom(cookie: bigint, uid: number): void {
    if (this.#entries.has(cookie)) return
    const isFull = () => this.#entries.size >= this.#limits.all
    const hasTooMany = () => uid !== 0 && (this.#ofUser.get(uid) ?? 0) >= this.#limits.ofUser
    for (const one of [...this.#doubtful]) {
      if (!isFull() && !hasTooMany()) return
      this.delete(one)
    }
    if (isFull() || hasTooMany())
      throw new SocketError('ENOBUFS', 'too many sockets have policies of their own')
  }

  set(cookie: bigint, entry: SocketEntry): void {
    this.#remove(cookie)
    this.#journal?.set(cookie, { kind: entry.demand.action.kind, uid: entry.uid })
    this.#entries.set(cookie, entry)
    this.#ofUser.set(entry.uid, (this.#ofUser.get(entry.uid) ?? 0) + 1)
    if (isSilent(entry) && ++this.#silent > this.#limits.silent) this.#dropOldestSilent()
  }

  /** It has no policy any more, or is no more. @returns true where it was there */
  delete(cookie: bigint): boolean {
    this.#journal?.delete(cookie)
    return this.#remove(cookie)
  }

  #remove(cookie: bigint): boolean {
    const entry = this.#entries.get(cookie)
    if (!entry) return false
    this.#entries.delete(cookie)
    this.#doubtful.delete(cookie)
    const count = (this.#ofUser.get(entry.uid) ?? 0) - 1
    if (count > 0) this.#ofUser.set(entry.uid, count)
    else this.#ofUser.delete(entry.uid)
    if (isSilent(entry)) this.#silent--
    return true
  }

  /** The end of some sockets was missed: entries make room for others from now on. */
  doubtAll(): void {
    this.#doubtful = new Set(this.#entries.keys())
  }

  /** Root's come last: nobody else is to make them unknown, and so anyone's to change. */
  #dropOldestSilent(): void {
    const silent = [...this.#entries].filter(([, entry]) => isSilent(entry))
    const [cookie] = silent.find(([, { uid }]) => uid !== 0) ?? silent[0] ?? []
    if (cookie !== undefined) this.delete(cookie)
  }
}

function isSilent({ protocol }: SocketEntry): boolean {
  return protocol !== IPPROTO_TCP && protocol !== IPPROTO_UDP
}
