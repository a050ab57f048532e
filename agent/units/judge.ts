/**
 * Which sockets of units are without the protection that the configuration has for them. Pure but for memory.
 *
 * @module
 */
import { PROTOCOL_TCP } from '../latch/connections.ts'
import type { PolicyKind } from '../sockets/journal.ts'
import type { UnitSocket } from './sockets.ts'

/** What is known of a socket by its cookie. */
export type KnownPolicy = (cookie: bigint) => PolicyKind | undefined

/** Milliseconds that a program has to ask for a policy, where it is not too late for that. */
export const GRACE_MS = 1000

export interface Judgement {
  /** Those that have been told of, now or before. */
  readonly unprotected: readonly UnitSocket[]
  /** Those of them that have not been told of before. */
  readonly fresh: readonly UnitSocket[]
  /** Some may come to have a policy still: worth another look, after {@link GRACE_MS}. */
  readonly areAnyPending: boolean
}

export class SocketJudge {
  /** Connections that were accepted by a socket with a policy. */
  #inherited: ReadonlySet<bigint> = new Set()
  /** Ports where sockets with a policy have listened. */
  readonly #ports = new Set<string>()
  #told: ReadonlySet<bigint> = new Set()
  /** Milliseconds when a socket was first seen to be without. */
  #since: ReadonlyMap<bigint, number> = new Map()

  /**
   * @param sockets all there are, of units whose sockets are to be protected
   * @param now milliseconds of a clock that only goes forward
   */
  judge(sockets: readonly UnitSocket[], known: KnownPolicy, now: number): Judgement {
    const bare = this.#without(sockets, known)
    const since = new Map(bare.map(({ cookie }) => [cookie, this.#since.get(cookie) ?? now]))
    this.#since = since
    const isOver = (socket: UnitSocket) =>
      isFinal(socket) || now - (since.get(socket.cookie) ?? now) >= GRACE_MS
    const unprotected = bare.filter((socket) => this.#told.has(socket.cookie) || isOver(socket))
    const fresh = unprotected.filter(({ cookie }) => !this.#told.has(cookie))
    this.#told = new Set(unprotected.map(({ cookie }) => cookie))
    return { unprotected, fresh, areAnyPending: unprotected.length < bare.length }
  }

  /** A connection has the policy of the socket that accepted it. */
  #without(sockets: readonly UnitSocket[], known: KnownPolicy): UnitSocket[] {
    const isProtected = ({ cookie }: UnitSocket) => known(cookie) === 'protect'
    const listening = sockets.filter(({ isListening }) => isListening)
    for (const one of listening.filter(isProtected)) this.#ports.add(portKey(one))
    for (const one of listening) if (!isProtected(one)) this.#ports.delete(portKey(one))
    const inherited = sockets.filter((one) => isFinal(one) && this.#hasInherited(one, known))
    this.#inherited = new Set(inherited.map(({ cookie }) => cookie))
    return sockets.filter((one) => !isProtected(one) && !this.#inherited.has(one.cookie))
  }

  /** What was without has not got a policy since; nor has what was given another one. */
  #hasInherited(connection: UnitSocket, known: KnownPolicy): boolean {
    const { cookie } = connection
    if (this.#inherited.has(cookie)) return true
    return known(cookie) === undefined && !this.#told.has(cookie) && this.#ports.has(portKey(connection))
  }
}

/** A connection keeps what it has. */
function isFinal({ protocol, hasPeer }: UnitSocket): boolean {
  return protocol === PROTOCOL_TCP && hasPeer
}

function portKey({ domain, localPort, unit }: UnitSocket): string {
  return `${domain} ${localPort} ${unit}`
}
