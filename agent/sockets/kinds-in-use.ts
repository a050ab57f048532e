/**
 * The record of the kinds of SAs that sockets are bound to: kinds come when a socket needs them, and go some time after
 * the last socket that did.
 *
 * @module
 */
import type { Session } from '../reconcile/session.ts'
import { kindReqids } from '../translate/classes.ts'
import type { Reqids } from '../translate/combinations.ts'
import type { SaKind } from '../translate/requirements.ts'
import { kindKey, requirementOfKind } from '../translate/socket-kinds.ts'
import { SocketError } from './socket-error.ts'

/** Tunnels of sockets are as many as their peers; the rest is as many as algorithms can be combined. */
const MOST_KINDS = 1024
const MOST_TUNNELS = 256

export class KindsInUse {
  /** Milliseconds that a kind stays without sockets: programs come back, and moving SAs costs packets. */
  readonly #patience: number
  readonly #unusedSince = new Map<string, number>()

  constructor(patience: number) {
    this.#patience = patience
  }

  /** Some kinds have no sockets, and are to go. */
  get areAnyUnused(): boolean {
    return this.#unusedSince.size > 0
  }

  /**
   * Makes sure that SAs of these kinds, one for each header, have classes of their own.
   *
   * @returns their reqids
   * @throws SocketError ENOBUFS; what `Session.plan` and `Session.apply` throw
   */
  bind(session: Session, kinds: readonly SaKind[]): Reqids {
    const { socketKinds = [] } = session.state
    const known = new Set(socketKinds.map(kindKey))
    const fresh = kinds.filter((kind) => !known.has(kindKey(kind)))
    if (fresh.length > 0) {
      const next = [...socketKinds, ...fresh]
      if (next.length > MOST_KINDS || next.filter(({ tunnel }) => tunnel).length > MOST_TUNNELS) {
        throw new SocketError('ENOBUFS', 'sockets are bound to too many kinds of SAs')
      }
      session.apply(session.plan({ ...session.state, socketKinds: next }))
    }
    for (const kind of kinds) this.#unusedSince.delete(kindKey(kind))
    const reqids = reqidsOf(session)
    return Object.fromEntries(kinds.map((kind) => [kind.protocol, reqids.get(kindKey(kind))]))
  }

  /** Takes kinds out of the record that no socket has needed for a while. */
  sweep(session: Session, now: number): void {
    const { socketKinds: kinds = [] } = session.state
    const reqids = reqidsOf(session)
    const inUse = session.forSockets().reqidsInUse()
    const stay = kinds.filter((kind) => {
      const key = kindKey(kind)
      if (inUse.has(reqids.get(key) ?? 0)) {
        this.#unusedSince.delete(key)
        return true
      }
      const since = this.#unusedSince.get(key) ?? now
      this.#unusedSince.set(key, since)
      return now - since < this.#patience
    })
    if (stay.length === kinds.length) return
    session.apply(session.plan({ ...session.state, socketKinds: stay }))
    const left = new Set(stay.map(kindKey))
    for (const key of [...this.#unusedSince.keys()]) if (!left.has(key)) this.#unusedSince.delete(key)
  }
}

function reqidsOf({ state }: Session): ReadonlyMap<string, number> {
  return kindReqids((state.socketKinds ?? []).map(requirementOfKind))
}
