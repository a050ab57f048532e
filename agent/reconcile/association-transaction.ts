/**
 * A series of changes to the SADB that happens as a whole. Each change is checked against what the ones before it
 * leave, and becomes steps for the kernel; nothing is sent before all are known to be good.
 *
 * @module
 */
import type { XfrmMessage } from '../../netlink/xfrm/messages.ts'
import type { EncapPort } from '../datapath/kernel/encap-socket.ts'
import { type Address, sameAddress } from '../model/address.ts'
import type {
  SaChanges,
  SaIdentifier,
  SaProtocol,
  SaTarget,
  SecurityAssociation,
} from '../model/association.ts'
import {
  type Classification,
  contentOf,
  newState,
  replayMessage,
  type StateWays,
  stateIdentifier,
  updatedState,
} from '../translate/associations.ts'
import type { ClassTable } from '../translate/classes.ts'
import type { MarkLayout } from '../translate/marks.ts'
import { type KernelAssociation, readState } from '../translate/read-association.ts'
import {
  AssociationError,
  checkLimits,
  checkNumbers,
  describe,
  fits,
  refuseUnchangeable,
} from './association-checks.ts'
import { type AssociationNote, type AssociationNotes, noteOf, saKey } from './association-notes.ts'
import { directionOf, isOutboundOnly, knownAssociation } from './association-status.ts'
import { restorableState } from './classify.ts'
import { isOurState } from './ownership.ts'
import type { Step } from './steps.ts'

/** What a transaction needs to know to give SAs their class. */
export interface ClassFacts {
  readonly classes: ClassTable
  readonly marks: MarkLayout | undefined
  readonly localAddresses: readonly Address[]
  /** For SAs that are added. */
  readonly ways?: StateWays
}

/** An SA within the transaction: in the kernel already, or about to be. */
interface Entry {
  association: SecurityAssociation
  state: { body: XfrmMessage<'NEWSA'>['body']; attributes: XfrmMessage<'NEWSA'>['attributes'] }
  readonly ours: boolean
  readonly keysHidden: boolean
  /** As it was read; absent for one that is new. */
  readonly origin?: KernelAssociation
}

/** An SA of ours as the transaction has it. */
export interface OwnAssociation {
  readonly association: SecurityAssociation
  readonly keysHidden: boolean
}

export class AssociationTransaction {
  readonly #facts: ClassFacts
  readonly #entries = new Map<string, Entry>()
  readonly #notes: Map<string, AssociationNote>
  readonly #steps: Step[] = []

  constructor(installed: readonly KernelAssociation[], notes: AssociationNotes, facts: ClassFacts) {
    this.#facts = facts
    this.#notes = new Map(notes)
    for (const origin of installed) {
      const { association, state, reqid, keysHidden } = origin
      const full = knownAssociation(association, { notes, localAddresses: facts.localAddresses })
      const ours = isOurState(reqid)
      this.#entries.set(saKey(association), { association: full, state, ours, keysHidden, origin })
    }
  }

  get steps(): readonly Step[] {
    return this.#steps
  }

  /** The notes as they are after all changes, without those of SAs that are gone. */
  get notes(): AssociationNotes {
    return new Map([...this.#notes].filter(([key]) => this.#entries.has(key)))
  }

  /** The SAs as the kernel will have them, those of other programs included. */
  get after(): KernelAssociation[] {
    return [...this.#entries.values()].flatMap(({ state, origin }) =>
      origin?.state === state ? origin : (readState(state) ?? []),
    )
  }

  /** SAs of ours, as all changes leave them. */
  get own(): OwnAssociation[] {
    return [...this.#entries.values()].filter(({ ours }) => ours)
  }

  /** An SA as it would be read again once it was added: what can be held against {@link own}. */
  asRead(association: SecurityAssociation): SecurityAssociation {
    const note = noteOf(association)
    const notes: AssociationNotes = new Map(note && [[saKey(association), note]])
    const read = readState(newState(association, this.#classify(association)))?.association ?? association
    return knownAssociation(read, { notes, localAddresses: this.#facts.localAddresses })
  }

  /** True where an SA with this identifier is there, whoever's. */
  has(target: SaIdentifier): boolean {
    return this.#entries.has(saKey(target))
  }

  /** The UDP ports that SAs of ours receive ESP on, once all changes are made. */
  get receivingPorts(): readonly EncapPort[] {
    const ports = new Map<string, EncapPort>()
    for (const { association, ours } of this.#entries.values()) {
      const { encapsulation, destination } = association
      if (!ours || !encapsulation || isOutboundOnly(association, this.#facts.localAddresses)) continue
      const port: EncapPort = { family: destination.family, port: encapsulation.localPort }
      ports.set(`${port.family} ${port.port}`, port)
    }
    return [...ports.values()]
  }

  /** @throws AssociationError EEXIST, or EINVAL for a pair that does not fit */
  add(association: SecurityAssociation): void {
    const key = saKey(association)
    if (this.#entries.has(key))
      throw new AssociationError('EEXIST', `${describe(association)} already exists.`)
    const other =
      association.pairSpi === undefined ? undefined : this.#pairOf(association, association.pairSpi)
    checkNumbers(association)
    this.#checkDirection(association)
    const message = newState(association, this.#classify(association))
    const remove: XfrmMessage = { name: 'DELSA', body: stateIdentifier(message.body), attributes: {} }
    this.#steps.push({ kind: 'message', message, undo: remove })
    const entry = { association, state: message, ours: true, keysHidden: false }
    this.#entries.set(key, entry)
    this.#note(key, association)
    if (other) this.#setPair(other, association.spi)
  }

  /** The SA that a target names, as the changes so far leave it. @throws AssociationError ESRCH */
  get(target: SaTarget): SecurityAssociation {
    return this.#find(target, true).association
  }

  /** @throws AssociationError ESRCH, EPERM for an SA of another program */
  delete(target: SaTarget, foreignToo: boolean): void {
    this.#remove(this.#find(target, foreignToo))
  }

  /** Deletes both halves of a pair. */
  deletePair(target: SaTarget, foreignToo: boolean): void {
    const entry = this.#find(target, foreignToo)
    const other = this.#otherHalf(entry)
    this.#remove(entry)
    if (other) this.#remove(other)
  }

  /** Deletes all SAs of ours (of one protocol), or really all. */
  flush(protocol: SaProtocol | undefined, foreignToo: boolean): void {
    for (const entry of [...this.#entries.values()]) {
      if ((entry.ours || foreignToo) && (!protocol || entry.association.protocol === protocol))
        this.#remove(entry)
    }
  }

  /**
   * @param both the other half of its pair as well
   * @throws AssociationError where the SA is absent, or the change is one that the kernel cannot make
   */
  update(target: SaTarget, changes: SaChanges, both: boolean, foreignToo = false): void {
    const entry = this.#find(target, foreignToo)
    const other = both ? this.#otherHalf(entry) : undefined
    if (changes.pairSpi !== undefined) {
      const mate = this.#pairOf(entry.association, changes.pairSpi)
      this.#setPair(mate, entry.association.spi)
    }
    this.#change(entry, changes)
    if (other) this.#change(other, changes)
  }

  /** Makes an SA the half of a pair, or of none; whoever calls this does it for both halves. Counters live on. */
  setPair(target: SaTarget, pairSpi: number | undefined): void {
    this.#setPair(this.#find(target, false), pairSpi)
  }

  #change(entry: Entry, changes: SaChanges): void {
    refuseUnchangeable(entry.association, changes)
    const { state: _state, soft, hard, idle, ...rest } = changes
    const old = entry.association
    const association: SecurityAssociation = {
      ...old,
      ...rest,
      soft: { ...old.soft, ...soft },
      hard: { ...old.hard, ...hard },
      idle: { ...old.idle, ...idle },
    }
    checkLimits(association.soft, association.hard)
    checkNumbers(association)
    const outboundOnly = isOutboundOnly(association, this.#facts.localAddresses)
    for (const message of updatedState(entry.state, association, changes, outboundOnly)) {
      const { body, attributes } = entry.state
      const undo =
        message.name === 'NEWAE' ? replayMessage(body, attributes) : restorableState('UPDSA', entry.state)
      this.#steps.push({ kind: 'message', message, undo })
      entry.state = {
        body: message.name === 'UPDSA' ? message.body : body,
        attributes: { ...attributes, ...message.attributes },
      }
    }
    entry.association = association
    this.#note(saKey(association), association)
  }

  /**
   * Makes an SA of ours again as it was, in place of one that has its identifier now.
   *
   * @param leap by how many sequence numbers it moves on: at least as many as may have been used since
   */
  restore(one: KernelAssociation, note: AssociationNote | undefined, leap: number): void {
    const key = saKey(one.association)
    const present = this.#entries.get(key)
    if (present) this.#remove(present)
    const { body, attributes } = restorableState('NEWSA', one.state, leap)
    const message: XfrmMessage<'NEWSA'> = { name: 'NEWSA', body, attributes }
    const remove: XfrmMessage = { name: 'DELSA', body: stateIdentifier(body), attributes: {} }
    this.#steps.push({ kind: 'message', message, undo: remove })
    if (note) this.#notes.set(key, note)
    const known = { notes: this.#notes, localAddresses: this.#facts.localAddresses }
    const association = knownAssociation(one.association, known)
    this.#entries.set(key, { association, state: message, ours: true, keysHidden: false })
    const other = this.#otherHalf({ association, state: message, ours: true, keysHidden: false })
    if (other) this.#setPair(other, association.spi)
  }

  /** Which UDP port is ours depends on who sends. */
  #checkDirection(sa: SecurityAssociation): void {
    if (!sa.encapsulation || sa.direction || directionOf(sa, this.#facts.localAddresses)) return
    throw new AssociationError(
      'EINVAL',
      'neither address is one of this host, so its UDP ports cannot be told apart; say inbound or outbound',
      77,
    )
  }

  #remove(entry: Entry): void {
    const { association, state } = entry
    // Another program's SA may be known by a mark as well.
    const { mark } = state.attributes
    const attributes = mark ? { mark } : {}
    const message: XfrmMessage = { name: 'DELSA', body: stateIdentifier(state.body), attributes }
    const undo = entry.keysHidden ? {} : { undo: restorableState('NEWSA', state) }
    this.#steps.push({ kind: 'message', message, ...undo })
    this.#entries.delete(saKey(association))
    this.#notes.delete(saKey(association))
    const other = this.#otherHalf(entry)
    if (other) this.#setPair(other, undefined)
  }

  #find(target: SaTarget, foreignToo: boolean): Entry {
    const entry = this.#entries.get(saKey(target))
    if (!entry || !fits(entry.association, target)) {
      throw new AssociationError('ESRCH', `${describe(target)} does not exist.`)
    }
    if (!entry.ours && !foreignToo) {
      throw new AssociationError(
        'EPERM',
        `${describe(target)} belongs to another program; --all lets ipseckey touch it.`,
      )
    }
    return entry
  }

  /** The SA that `association` can be paired with: the same two hosts, the other way round. */
  #pairOf(association: SecurityAssociation, spi: number): Entry {
    const { protocol, source, destination } = association
    const other = this.#entries.get(saKey({ protocol, spi, destination: source }))
    if (!other) {
      const elsewhere = [...this.#entries.values()].some(
        (one) => one.association.protocol === protocol && one.association.spi === spi,
      )
      throw elsewhere
        ? new AssociationError(
            'EINVAL',
            `the pair's addresses do not mirror those of ${describe(association)}`,
            74,
          )
        : new AssociationError('EINVAL', `the pair, spi 0x${spi.toString(16)}, does not exist`, 76)
    }
    if (!sameAddress(other.association.source, destination)) {
      throw new AssociationError(
        'EINVAL',
        `the pair's addresses do not mirror those of ${describe(association)}`,
        74,
      )
    }
    const paired = other.association.pairSpi
    if (paired !== undefined && paired !== association.spi) {
      throw new AssociationError('EINVAL', `${describe(other.association)} is paired already`, 75)
    }
    return other
  }

  #otherHalf({ association }: Entry): Entry | undefined {
    const { protocol, source, pairSpi: spi } = association
    return spi === undefined ? undefined : this.#entries.get(saKey({ protocol, spi, destination: source }))
  }

  #setPair(entry: Entry, pairSpi: number | undefined): void {
    const { pairSpi: _old, ...rest } = entry.association
    entry.association = pairSpi === undefined ? rest : { ...rest, pairSpi }
    this.#note(saKey(entry.association), entry.association)
  }

  #note(key: string, association: SecurityAssociation): void {
    const note = noteOf(association)
    if (note) this.#notes.set(key, note)
    else this.#notes.delete(key)
  }

  #classify(association: SecurityAssociation): Classification {
    const { classes, marks, localAddresses, ways } = this.#facts
    const outboundOnly = isOutboundOnly(association, localAddresses)
    return {
      protectionClass: classes.classOf(contentOf(association)),
      marks,
      outboundOnly,
      ...(ways && { ways }),
    }
  }
}
