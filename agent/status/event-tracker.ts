/**
 * Makes events of the announcements of XFRM, and of the tables where announcements were lost. Pure but for the notes
 * that it is given.
 *
 * @module
 */
import type { XfrmTables } from '../../netlink/xfrm/connection.ts'
import { proto } from '../../netlink/xfrm/constants.ts'
import type { XfrmMessage } from '../../netlink/xfrm/messages.ts'
import type { Id } from '../../netlink/xfrm/structs.ts'
import { formatAddress } from '../model/address.ts'
import type { AlgorithmTable } from '../model/algorithm.ts'
import type { Acquire, AssociationStatus } from '../model/association.ts'
import { type AssociationEvent, readEvent } from '../reconcile/association-events.ts'
import type { AssociationFacts } from '../reconcile/association-status.ts'
import { mainPolicies } from '../reconcile/engine.ts'
import { isOurPolicyIndex, isOurState } from '../reconcile/ownership.ts'
import { plainPolicy } from '../reconcile/plain-policy.ts'
import type { InstalledPolicy } from '../reconcile/plan.ts'
import { algorithmNames, selectorText } from './association-report.ts'
import type { AboutAssociation, AboutPolicy, EventAcquire, Occurrence } from './events.ts'

/** What is known of one policy or SA, as JSON: it takes a fifth of the room, and is quickly compared. */
type Known = Map<string, string>

export class EventTracker {
  readonly #facts: AssociationFacts
  readonly #algorithms: AlgorithmTable
  #policies: Known = new Map()
  #associations: Known = new Map()

  /** @param facts asked anew each time */
  constructor(facts: AssociationFacts, algorithms: AlgorithmTable) {
    this.#facts = facts
    this.#algorithms = algorithms
  }

  /** What is there to begin with. Nothing is told of it. */
  begin(tables: XfrmTables): void {
    this.#policies = this.#policiesOf(tables)
    this.#associations = this.#associationsOf(tables)
  }

  /** What an announcement says that is not known already. */
  read(message: XfrmMessage, portId: number): Occurrence | undefined {
    const by = { by: portId }
    switch (message.name) {
      case 'NEWPOLICY':
      case 'UPDPOLICY':
        return this.#policyPut(message, by)
      case 'DELPOLICY': {
        const { policy: body, ...attributes } = message.attributes
        const about = body && aboutPolicy({ body, attributes })
        if (!about || !this.#policies.delete(String(body.index))) return undefined
        return { event: 'policy-removed', ...about, ...by }
      }
      case 'FLUSHPOLICY':
        this.#policies.clear()
        return { event: 'policies-flushed', ...by }
      case 'POLEXPIRE': {
        const about = aboutPolicy({ body: message.body.pol, attributes: message.attributes })
        const hard = message.body.hard !== 0
        if (hard) this.#policies.delete(String(message.body.pol.index))
        return about && { event: 'policy-expired', hard, ...about, ...by }
      }
      default:
        return this.#associationEvent(message, by)
    }
  }

  /** What has changed while nobody listened. Then it is known. */
  resynchronise(tables: XfrmTables): Occurrence[] {
    const policies = this.#policiesOf(tables)
    const associations = this.#associationsOf(tables)
    const found = { isResynchronised: true } as const
    const occurrences: Occurrence[] = [
      ...differences(this.#associations, associations, 'sa').map(
        ([event, text]): Occurrence => ({ event, ...(JSON.parse(text) as AboutAssociation), ...found }),
      ),
      ...differences(this.#policies, policies, 'policy').map(
        ([event, text]): Occurrence => ({ event, ...(JSON.parse(text) as AboutPolicy), ...found }),
      ),
    ]
    this.#policies = policies
    this.#associations = associations
    return [
      ...occurrences,
      { event: 'resynchronised', policies: policies.size, associations: associations.size },
    ]
  }

  #policiesOf({ policies }: XfrmTables): Known {
    const known: Known = new Map()
    for (const installed of mainPolicies(policies)) {
      known.set(String(installed.info.index), JSON.stringify(aboutInstalled(installed)))
    }
    return known
  }

  #associationsOf({ states }: XfrmTables): Known {
    const known: Known = new Map()
    for (const { body, attributes } of states) {
      const event = readEvent({ name: 'NEWSA', body, attributes }, 0, this.#facts)
      if (event?.kind !== 'added') continue
      known.set(keyOf(body.id), lasting(this.#about(event.status, body.reqid)))
    }
    return known
  }

  #policyPut(
    { body, attributes }: XfrmMessage<'NEWPOLICY'> | XfrmMessage<'UPDPOLICY'>,
    by: { readonly by: number },
  ): Occurrence | undefined {
    const about = aboutPolicy({ body, attributes })
    if (!about) return undefined
    const key = String(body.index)
    const text = JSON.stringify(about)
    const before = this.#policies.get(key)
    if (before === text) return undefined
    this.#policies.set(key, text)
    return { event: before === undefined ? 'policy-added' : 'policy-changed', ...about, ...by }
  }

  #associationEvent(message: XfrmMessage, by: { readonly by: number }): Occurrence | undefined {
    const event = readEvent(message, by.by, this.#facts)
    if (!event) return undefined
    switch (event.kind) {
      case 'flushed': {
        const protocol = event.protocol ?? 'all'
        for (const key of this.#associations.keys()) {
          if (protocol === 'all' || key.startsWith(`${protocol === 'ah' ? proto.AH : proto.ESP} `)) {
            this.#associations.delete(key)
          }
        }
        return { event: 'sas-flushed', protocol, ...by }
      }
      case 'wanted':
        return { event: 'acquire', sequence: event.sequence, acquire: eventAcquire(event.acquire), ...by }
      default:
        return this.#change(event, message, by)
    }
  }

  #change(
    { kind, status }: Extract<AssociationEvent, { readonly status: unknown }>,
    message: XfrmMessage,
    by: { readonly by: number },
  ): Occurrence | undefined {
    const body = stateOf(message)
    if (!body) return undefined
    const key = keyOf(body.id)
    const about = this.#about(status, body.reqid)
    switch (kind) {
      case 'soft-expired':
        return { event: 'sa-expired', hard: false, ...about, ...by }
      case 'hard-expired':
        this.#associations.delete(key)
        return { event: 'sa-expired', hard: true, ...about, ...by }
      case 'deleted':
        return this.#associations.delete(key) ? { event: 'sa-removed', ...about, ...by } : undefined
      case 'added':
      case 'updated': {
        const text = lasting(about)
        const before = this.#associations.get(key)
        this.#associations.set(key, text)
        if (before === text && kind === 'added') return undefined
        return { event: before === undefined ? 'sa-added' : 'sa-changed', ...about, ...by }
      }
    }
  }

  #about(sa: AssociationStatus, reqid: number): AboutAssociation {
    const selector = selectorText(sa)
    return {
      owner: isOurState(reqid) ? 'solipsec' : 'other',
      association: {
        protocol: sa.protocol,
        spi: sa.spi,
        source: formatAddress(sa.source),
        destination: formatAddress(sa.destination),
        ...(sa.direction && { direction: sa.direction }),
        state: sa.state,
        mode: sa.inner ? 'tunnel' : 'transport',
        ...algorithmNames(sa, this.#algorithms),
        ...(selector !== '' && { selector }),
        bytes: Number(sa.current.bytes),
        ...(sa.pairSpi !== undefined && { pairSpi: sa.pairSpi }),
      },
    }
  }
}

/** Without what changes by itself. */
function lasting({ owner, association }: AboutAssociation): string {
  const { state: _state, bytes: _bytes, ...rest } = association
  return JSON.stringify({ owner, association: rest })
}

function differences<K extends 'sa' | 'policy'>(before: Known, after: Known, kind: K) {
  const found: [event: `${K}-added` | `${K}-changed` | `${K}-removed`, text: string][] = []
  for (const [key, text] of before) if (!after.has(key)) found.push([`${kind}-removed`, text])
  for (const [key, text] of after) {
    const former = before.get(key)
    if (former === undefined) found.push([`${kind}-added`, text])
    else if (former !== text) found.push([`${kind}-changed`, text])
  }
  return found
}

/** @returns `undefined` for those of single sockets and of the sub table */
function aboutPolicy(
  message: Pick<XfrmMessage<'NEWPOLICY'>, 'body' | 'attributes'>,
): AboutPolicy | undefined {
  const [policy] = mainPolicies([{ name: 'NEWPOLICY', ...message }])
  return policy && aboutInstalled(policy)
}

function aboutInstalled(policy: InstalledPolicy): AboutPolicy {
  return {
    owner: isOurPolicyIndex(policy.info.index) ? 'solipsec' : 'other',
    policy: plainPolicy(policy),
  }
}

function stateOf(message: XfrmMessage) {
  switch (message.name) {
    case 'NEWSA':
    case 'UPDSA':
      return message.body
    case 'DELSA':
      return message.attributes.sa
    case 'EXPIRE':
      return message.body.state
    default:
      return undefined
  }
}

/** As the kernel tells SAs apart, but for marks: two that differ only by these are taken for one. */
function keyOf({ daddr, spi, proto: protocol }: Id): string {
  return `${protocol} ${spi} ${daddr.join('.')}`
}

function eventAcquire({ protocol, source, destination, inner, ...flow }: Acquire): EventAcquire {
  return {
    protocol,
    source: formatAddress(source),
    destination: formatAddress(destination),
    mode: inner ? 'tunnel' : 'transport',
    upperProtocol: inner?.protocol ?? flow.upperProtocol,
    sourcePort: inner?.sourcePort ?? flow.sourcePort,
    destinationPort: inner?.destinationPort ?? flow.destinationPort,
  }
}
