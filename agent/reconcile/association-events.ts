/**
 * What the kernel announces about SAs, as it happens.
 *
 * @module
 */
import type { Subscription } from '../../netlink/socket/events.ts'
import { group, mode, proto } from '../../netlink/xfrm/constants.ts'
import { wipeKeys } from '../../netlink/xfrm/keys.ts'
import type { XfrmMessage } from '../../netlink/xfrm/messages.ts'
import type { LifetimeCur } from '../../netlink/xfrm/structs.ts'
import { connectDataPath } from '../datapath/data-path.ts'
import type {
  Acquire,
  AssociationStatus,
  SaProtocol,
  SaState,
  SecurityAssociation,
} from '../model/association.ts'
import { readBareState, readState } from '../translate/read-association.ts'
import { readAddress } from '../translate/selectors.ts'
import { type AssociationFacts, statusOf } from './association-status.ts'
import { readHostNetwork } from './host.ts'
import { Store } from './store.ts'

/**
 * What can happen to one SA. At a soft limit it goes on living, at a hard one it is gone; the kernel tells an
 * expiry without algorithms and keys.
 */
export type AssociationChange = 'added' | 'updated' | 'deleted' | 'soft-expired' | 'hard-expired'

export type AssociationEvent = {
  /** Netlink port of the socket that caused it: mostly the number of its process; 0 = the kernel itself. */
  readonly portId: number
} & (
  | { readonly kind: AssociationChange; readonly status: AssociationStatus }
  /** All SAs of a protocol, or of every one, were removed at a stroke. */
  | { readonly kind: 'flushed'; readonly protocol?: SaProtocol }
  | { readonly kind: 'wanted'; readonly sequence: number; readonly acquire: Acquire }
)

export interface AssociationListener {
  event(event: AssociationEvent): void
  /** Events were lost; what is there now, only a dump tells. */
  overrun(): void
}

/**
 * Listens in the calling thread's network namespace until the subscription is closed. Takes no lock.
 *
 * @param acquires also the kernel's requests for SAs. It makes them only while somebody listens: before, a packet
 *   without an SA is dropped and nothing else; now a larval SA stands for it as well, for `xfrm_acq_expires` seconds
 * @throws NetlinkError `EPERM` without CAP_NET_ADMIN
 */
export function watchAssociations(acquires: boolean, listener: AssociationListener): Subscription {
  const facts = new CurrentFacts()
  const connection = connectDataPath(facts.folder)
  try {
    return connection.subscribe([group.SA, group.EXPIRE, ...(acquires ? [group.ACQUIRE] : [])], {
      event: (message, portId) => {
        const event = readEvent(message, portId, facts)
        if (event) listener.event(event)
        wipeKeys(message)
      },
      overrun: () => listener.overrun(),
    })
  } finally {
    connection.close()
  }
}

/** Notes are read again when their file has changed. */
export class CurrentFacts implements AssociationFacts {
  readonly localAddresses = readHostNetwork().localAddresses
  readonly #store = Store.open()
  readonly folder = this.#store.folder
  #stamp = this.#store.notesStamp()
  #notes = this.#store.loadNotes()

  get notes(): AssociationFacts['notes'] {
    const stamp = this.#store.notesStamp()
    if (stamp !== this.#stamp) {
      this.#notes = this.#store.loadNotes()
      this.#stamp = stamp
    }
    return this.#notes
  }
}

/** @returns `undefined` for what is not about AH and ESP SAs, and for larval ones */
export function readEvent(
  message: XfrmMessage,
  portId: number,
  facts: AssociationFacts,
): AssociationEvent | undefined {
  switch (message.name) {
    case 'NEWSA':
    case 'UPDSA': {
      const kind = message.name === 'NEWSA' ? 'added' : 'updated'
      return about(kind, readState(message)?.association, message.body.curlft, portId, facts)
    }
    case 'DELSA': {
      const { sa: body, ...attributes } = message.attributes
      return (
        body && about('deleted', readState({ body, attributes })?.association, body.curlft, portId, facts)
      )
    }
    case 'EXPIRE': {
      const { state: body, hard } = message.body
      const association = readBareState({ body, attributes: message.attributes })
      return about(hard ? 'hard-expired' : 'soft-expired', association, body.curlft, portId, facts)
    }
    case 'FLUSHSA':
      return readFlush(message.body.proto, portId)
    case 'ACQUIRE':
      return readAcquire(message, portId)
    default:
      return undefined
  }
}

function about(
  kind: AssociationChange,
  association: SecurityAssociation | undefined,
  counters: LifetimeCur,
  portId: number,
  facts: AssociationFacts,
): AssociationEvent | undefined {
  if (!association) return undefined
  const status = statusOf(association, counters, facts)
  return { kind, portId, status: { ...status, state: STATE_AFTER[kind] ?? status.state } }
}

/** Where the event itself says it. */
const STATE_AFTER: Readonly<Partial<Record<AssociationChange, SaState>>> = {
  deleted: 'dead',
  'soft-expired': 'dying',
  'hard-expired': 'dead',
}

function readFlush(protocol: number, portId: number): AssociationEvent | undefined {
  const name = protocolOf(protocol)
  if (name) return { kind: 'flushed', portId, protocol: name }
  return protocol === 0 || protocol === proto.ANY ? { kind: 'flushed', portId } : undefined
}

function protocolOf(number: number): SaProtocol | undefined {
  if (number === proto.ESP) return 'esp'
  return number === proto.AH ? 'ah' : undefined
}

function readAcquire(
  { body, attributes }: XfrmMessage<'ACQUIRE'>,
  portId: number,
): AssociationEvent | undefined {
  const { id, saddr, sel, seq } = body
  const protocol = protocolOf(id.proto)
  if (!protocol) return undefined
  const template = attributes.tmpl?.find((one) => one.id.proto === id.proto)
  const tunnel = template?.mode === mode.TUNNEL
  const outerFamily = (tunnel && template.family) || sel.family
  const flow = { sourcePort: sel.sport, destinationPort: sel.dport }
  const inner = {
    source: { ...readAddress(sel.saddr, sel.family), length: sel.prefixlen_s },
    destination: { ...readAddress(sel.daddr, sel.family), length: sel.prefixlen_d },
    ...flow,
    protocol: sel.proto,
  }
  const acquire: Acquire = {
    protocol,
    source: readAddress(saddr, outerFamily),
    destination: readAddress(id.daddr, outerFamily),
    ...(tunnel
      ? { upperProtocol: 0, sourcePort: 0, destinationPort: 0, inner }
      : { upperProtocol: sel.proto, ...flow }),
  }
  return { kind: 'wanted', portId, sequence: seq, acquire }
}
