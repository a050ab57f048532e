/**
 * The SAs that are to be there: those that commands have made. What an SA was last seen with is kept as bytes, for there
 * may be very many; they hold keys, and are wiped when they are not needed any more.
 *
 * @module
 */
import { createHash } from 'node:crypto'
import { decodeMessage, encodeMessage, messageType, type XfrmMessage } from '../../netlink/xfrm/messages.ts'
import type { SaIdentifier } from '../model/association.ts'
import { type AssociationNote, type AssociationNotes, saKey } from '../reconcile/association-notes.ts'
import { settable } from '../reconcile/classify.ts'
import type { AssociationChanges } from '../reconcile/steps.ts'
import type { KernelAssociation } from '../translate/read-association.ts'
import { readState } from '../translate/read-association.ts'

/** An SA that is to be there. */
export interface LedgerEntry {
  readonly key: string
  readonly identifier: SaIdentifier
  readonly note: AssociationNote | undefined
  /** When its sequence numbers were read, in milliseconds of a clock that only goes forward. */
  readonly readAt: number
  /** It is gone, and these are the numbers that it went with. */
  readonly isFinal: boolean
  /** As it was last seen. The keys are a copy, for the caller to wipe. */
  association(): KernelAssociation
  /** It is needed no more. */
  wipe(): void
}

/** What is otherwise than it is to be. */
export interface LedgerDifference {
  readonly missing: readonly LedgerEntry[]
  /** An SA of ours has the identifier, but is another one, or was changed. */
  readonly changed: readonly { readonly entry: LedgerEntry; readonly present: KernelAssociation }[]
  /** SAs that serve our rules and that no command has made: some other key management's. */
  readonly unknown: readonly KernelAssociation[]
}

class Entry implements LedgerEntry {
  readonly key: string
  readonly identifier: SaIdentifier
  readonly note: AssociationNote | undefined
  /** Of what does not change by itself. */
  readonly digest: string
  #bytes: Uint8Array
  #packets: bigint
  readAt: number
  isFinal = false

  constructor(key: string, one: KernelAssociation, note: AssociationNote | undefined, now: number) {
    this.key = key
    const { protocol, spi, destination } = one.association
    this.identifier = { protocol, spi, destination }
    this.note = note
    this.digest = digestOf(one)
    this.#bytes = bytesOf(one.state)
    this.#packets = one.counters.packets
    this.readAt = now
  }

  see({ state, counters }: KernelAssociation, now: number, isFinal: boolean): void {
    // Without packets, its numbers are what they were.
    if (counters.packets !== this.#packets) {
      this.wipe()
      this.#bytes = bytesOf(state)
      this.#packets = counters.packets
    }
    this.readAt = now
    this.isFinal = isFinal
  }

  association(): KernelAssociation {
    const one = readState(decodeMessage(messageType('NEWSA'), this.#bytes) as XfrmMessage<'NEWSA'>)
    if (!one) throw new Error('what was kept of an SA is none')
    return one
  }

  wipe(): void {
    this.#bytes.fill(0)
  }
}

export class Ledger {
  readonly #entries = new Map<string, Entry>()

  get size(): number {
    return this.#entries.size
  }

  has(key: string): boolean {
    return this.#entries.has(key)
  }

  noteOf(key: string): AssociationNote | undefined {
    return this.#entries.get(key)?.note
  }

  /** These SAs are the ones that are to be there. */
  adopt(own: readonly KernelAssociation[], notes: AssociationNotes, now: number): void {
    this.clear()
    for (const one of own) {
      const key = saKey(one.association)
      this.#entries.set(key, new Entry(key, one, notes.get(key), now))
    }
  }

  /**
   * A change of our own was made. What it did not touch is to be there as before, even if it is not there now: others
   * may have been at work in the same moment.
   */
  follow(
    own: readonly KernelAssociation[],
    changes: AssociationChanges,
    notes: AssociationNotes,
    now: number,
  ): void {
    const present = new Map(own.map((one) => [saKey(one.association), one]))
    for (const [key, entry] of this.#entries) {
      const [change, found] = [changes.get(key), present.get(key)]
      if (change === 'removed') this.#entries.delete(key)
      else if (found && (change === 'made' || entry.digest === digestOf(found))) {
        this.#entries.set(key, new Entry(key, found, notes.get(key), now))
      } else continue
      entry.wipe()
    }
  }

  /** Notes the counters of those that are what they are to be. */
  see(own: readonly KernelAssociation[], now: number): void {
    for (const one of own) {
      const entry = this.#entries.get(saKey(one.association))
      if (entry && entry.digest === digestOf(one)) entry.see(one, now, false)
    }
  }

  /** An SA went, by whoever's doing, and this is how it was at the end. */
  gone(one: KernelAssociation, now: number): void {
    const entry = this.#entries.get(saKey(one.association))
    if (entry && entry.digest === digestOf(one)) entry.see(one, now, true)
  }

  /** An SA has come to the end of its life: it is not to be there any more. The caller wipes it. */
  expired(identifier: SaIdentifier): LedgerEntry | undefined {
    const entry = this.#entries.get(saKey(identifier))
    if (entry) this.#entries.delete(entry.key)
    return entry
  }

  difference(own: readonly KernelAssociation[]): LedgerDifference {
    const present = new Map(own.map((one) => [saKey(one.association), one]))
    const missing: LedgerEntry[] = []
    const changed: { entry: LedgerEntry; present: KernelAssociation }[] = []
    for (const entry of this.#entries.values()) {
      const found = present.get(entry.key)
      if (!found) missing.push(entry)
      else if (digestOf(found) !== entry.digest) changed.push({ entry, present: found })
    }
    return { missing, changed, unknown: own.filter((one) => !this.#entries.has(saKey(one.association))) }
  }

  clear(): void {
    for (const entry of this.#entries.values()) entry.wipe()
    this.#entries.clear()
  }
}

type State = KernelAssociation['state']

function bytesOf({ body, attributes }: State): Uint8Array {
  return encodeMessage({ name: 'NEWSA', body, attributes })
}

const NO_USE = { bytes: 0n, packets: 0n, add_time: 0n, use_time: 0n } as const
const NO_ERRORS = { replay_window: 0, replay: 0, integrity_failed: 0 } as const

/** Asked for more than once in a round. */
const digests = new WeakMap<KernelAssociation, string>()

/** What of an SA stays the same however much it is used. The digest is not told to anyone. */
function digestOf(one: KernelAssociation): string {
  let digest = digests.get(one)
  if (digest === undefined) {
    const bytes = lastingBytes(one.state)
    digest = createHash('sha256').update(bytes).digest('base64')
    bytes.fill(0)
    digests.set(one, digest)
  }
  return digest
}

function lastingBytes({ body, attributes }: State): Uint8Array {
  const { replay_val, replay_esn_val: large, ...rest } = settable(attributes)
  const { set_mark, set_mark_mask } = attributes
  const window = large && { ...large, oseq: 0, oseq_hi: 0, seq: 0, seq_hi: 0, bmp: large.bmp.map(() => 0) }
  return encodeMessage({
    name: 'NEWSA',
    body: { ...body, curlft: NO_USE, stats: NO_ERRORS, seq: 0 },
    attributes: {
      ...rest,
      ...(window && { replay_esn_val: window }),
      ...(set_mark !== undefined && { set_mark }),
      ...(set_mark_mask !== undefined && { set_mark_mask }),
    },
  })
}
