/**
 * One look at policy and SAs under the lock: what has to be done is found, and done as one change.
 *
 * @module
 */
import { wipeKeys } from '../../netlink/xfrm/keys.ts'
import type { SaTarget, SecurityAssociation } from '../model/association.ts'
import type { AssociationNote } from '../reconcile/association-notes.ts'
import type { AssociationTransaction } from '../reconcile/association-transaction.ts'
import { ConflictError } from '../reconcile/joint-plan.ts'
import { listNetfilter, NO_NETFILTER_RULES, sameNetfilterRules } from '../reconcile/netfilter.ts'
import type { PlannedChange } from '../reconcile/planner.ts'
import type { Session } from '../reconcile/session.ts'
import { associationChanges } from '../reconcile/steps.ts'
import { isEmptyTunnelPlan, type TunnelPlan } from '../reconcile/tunnel-plan.ts'
import type { KernelAssociation } from '../translate/read-association.ts'
import {
  type Drift,
  type DriftChoice,
  driftOf,
  hasAssociations,
  hasPolicies,
  hasTunnels,
  isDrift,
} from './drift.ts'
import { IdleWatch } from './idle.ts'
import { Ledger, type LedgerDifference, type LedgerEntry } from './ledger.ts'
import { type HappeningSource, type Happenings, wipeGone } from './watch.ts'

/** What a round found, and did where it says so. */
export interface RoundReport {
  /** A command has made a change since the last round. */
  readonly isNews: boolean
  /** What others have changed. */
  readonly drift: Drift
  /** What had to be done was done. */
  readonly isApplied: boolean
  /** With it, the drift was put right. */
  readonly isMended: boolean
  /** Policies that follow SAs, addresses or tunnels. */
  readonly followed: number
  /** SAs that ended with the other half of their pair, or by not being used. */
  readonly ended: readonly EndedAssociation[]
  readonly warnings: readonly string[]
  /** Errors: why not all could be put right. All else was. */
  readonly obstacles: readonly unknown[]
}

export interface EndedAssociation {
  readonly association: SecurityAssociation
  readonly why: 'pair' | 'idle'
}

/** What there is to do, and why. */
interface Finding extends Pick<RoundReport, 'isNews' | 'drift' | 'ended'> {
  readonly change: PlannedChange
  readonly tunnels: TunnelPlan
  /** Somebody has touched policies of ours. */
  readonly isTouched: boolean
  /** What is to be done about policies follows SAs, addresses or tunnels. */
  readonly follows: boolean
}

/** Sequence numbers that an SA may use up in a second: more than any network can carry in small packets. */
const NUMBERS_A_SECOND = 2 ** 24

/** Remembers from round to round what is to be there. */
export class Keeper {
  readonly #ledger = new Ledger()
  readonly #idle = new IdleWatch()
  /** At which count of changes the ledger was made. */
  #count = -1
  /** Those that have come to their ends, until their pairs have, too. */
  #expired: LedgerEntry[] = []
  /** SAs as the ledger has them, with keys, for the round under way. */
  #lent: KernelAssociation[] = []
  /** Our nftables table as it was then; empty where none is needed. */
  #netfilter = ''
  /** Drift of these was found and only told: it stays drift, whoever wakes the agent next. */
  #standing = { policies: false, netfilter: false }

  /** How many SAs are kept. */
  get size(): number {
    return this.#ledger.size
  }

  /** True for an SA that is to be there. @param key its `saKey` */
  keeps(key: string): boolean {
    return this.#ledger.has(key)
  }

  /**
   * @param source what it is told by the end of the round counts; what it had to say is given back where the round fails
   * @param now milliseconds of a clock that only goes forward
   */
  round(session: Session, source: HappeningSource, choice: DriftChoice, now: number): RoundReport {
    const own = session.ownStates()
    // Behind the dump: of each SA that is missing in it, the end is known now.
    const happened = source.take()
    try {
      const isEnforced = choice === 'enforce'
      const found = this.#find(session, own, { happened, source }, isEnforced, now)
      const report = this.#carryOut(session, found, isEnforced, now)
      wipeGone(happened)
      return report
    } catch (error) {
      source.giveBack(happened)
      throw error
    } finally {
      for (const { state } of this.#lent) wipeKeys(state)
      this.#lent = []
    }
  }

  /** Looks, and works out what there is to do. */
  #find(
    session: Session,
    own: readonly KernelAssociation[],
    { happened, source }: { readonly happened: Happenings; readonly source: HappeningSource },
    isEnforced: boolean,
    now: number,
  ): Finding {
    this.#takeNote(happened, now)
    const isNews = session.changeCount !== this.#count
    if (isNews) this.#adopt(session, own, now)
    const difference = this.#ledger.difference(own)
    const transaction = session.transaction()
    const ended = [...this.#endPairs(transaction), ...this.#endIdle(own, transaction, now)]
    if (isEnforced) this.#restore(difference, transaction, now)
    this.#ledger.see(own, now)
    const change = session.planRepair(transaction)
    // Behind the dump of policies: who has changed one is known now.
    const later = source.take()
    source.giveBack(later)
    const isTouched = happened.policies || later.policies || this.#standing.policies
    const policies = (isTouched || happened.overrun) && !isNews ? change.reconciliation.plan : undefined
    const netfilter = !isNews && this.#hasLostRules(happened)
    const tunnels = session.planTunnelRepair()
    const drift = driftOf({ policies, associations: difference, netfilter, tunnels })
    return { isNews, change, tunnels, ended, drift, isTouched, follows: !policies }
  }

  /** Does it, as one change. */
  #carryOut(session: Session, found: Finding, isEnforced: boolean, now: number): RoundReport {
    const { isNews, change, tunnels, ended, drift, isTouched, follows } = found
    const { plan, steps } = change.reconciliation
    const isNeeded = steps.length > 0 || drift.netfilter
    const isCarriedOut = isNeeded && (isEnforced || !isDrift(drift) || ended.length > 0)
    const conflict = plan.conflicts.length > 0 ? [new ConflictError(plan.conflicts)] : []
    // Where events were lost, what only follows may look like drift: that does not stand.
    this.#standing = {
      policies: isTouched && ((hasPolicies(drift) && !isCarriedOut) || conflict.length > 0),
      netfilter: drift.netfilter && !isCarriedOut,
    }
    if (isCarriedOut) {
      session.apply(change)
      this.#ledger.follow(session.ownStates(), associationChanges(steps), session.notes, now)
      this.#remember(session)
    }
    this.#forgetExpired()
    // Last of all: whatever protects what they carry is there, and if it fails, nothing else does.
    const mended = isEnforced && !isEmptyTunnelPlan(tunnels) ? mendTunnels(session, tunnels) : undefined
    const obstacles = [...conflict, ...(mended?.problems ?? [])]
    const isApplied = isCarriedOut || mended?.isDone === true
    const isWhole = isEnforced ? obstacles.length === 0 : !hasAssociations(drift) && !hasTunnels(drift)
    return {
      isNews,
      drift,
      isApplied,
      isMended: isApplied && isWhole,
      followed: follows ? plan.add.length + plan.update.length + plan.remove.length : 0,
      ended,
      warnings: change.warnings,
      obstacles,
    }
  }

  /**
   * Notes the counters of SAs, without the lock.
   *
   * @returns true where one has been idle for too long, so that there is something to do in a round
   */
  look(own: readonly KernelAssociation[], now: number): boolean {
    this.#ledger.see(own, now)
    return this.#overdue(own, now).length > 0
  }

  /** The keys are needed no more. */
  clear(): void {
    this.#ledger.clear()
    this.#forgetExpired()
  }

  #forgetExpired(): void {
    for (const entry of this.#expired) entry.wipe()
    this.#expired = []
  }

  #lend(entry: LedgerEntry): KernelAssociation {
    const one = entry.association()
    this.#lent.push(one)
    return one
  }

  #adopt(session: Session, own: readonly KernelAssociation[], now: number): void {
    this.#ledger.adopt(own, session.notes, now)
    this.#remember(session)
  }

  #remember(session: Session): void {
    this.#count = session.changeCount
    this.#netfilter = sameNetfilterRules(session.state.netfilter, NO_NETFILTER_RULES) ? '' : listNetfilter()
  }

  /** What a command of ours has loaded is announced as well, so that the table has to be looked at. */
  #hasLostRules({ netfilter, overrun }: Happenings): boolean {
    const isTouched = netfilter || overrun || this.#standing.netfilter
    return isTouched && this.#netfilter !== '' && listNetfilter() !== this.#netfilter
  }

  #takeNote({ expired, gone }: Happenings, now: number): void {
    for (const one of gone) this.#ledger.gone(one, now)
    for (const one of expired) {
      const association = this.#ledger.expired(one)
      if (association) this.#expired.push(association)
    }
  }

  /** The other halves of pairs go along, as on Solaris. */
  #endPairs(transaction: AssociationTransaction): EndedAssociation[] {
    return this.#expired.flatMap((entry) => {
      const other = otherHalf(this.#lend(entry).association, entry.note)
      if (!other || !transaction.has(other)) return []
      const association = transaction.get(other)
      transaction.delete(other, false)
      return [{ association, why: 'pair' } as const]
    })
  }

  /**
   * SAs that are gone come again, beyond the sequence numbers that may have been used since they were last seen. One whose
   * identifier another program has taken is left out.
   */
  #restore({ missing, changed }: LedgerDifference, transaction: AssociationTransaction, now: number): void {
    for (const entry of missing) {
      const one = this.#lend(entry)
      if (!transaction.has(one.association)) transaction.restore(one, entry.note, leapOf(entry, now))
    }
    for (const { entry } of changed) transaction.restore(this.#lend(entry), entry.note, leapOf(entry, now))
  }

  #endIdle(
    own: readonly KernelAssociation[],
    transaction: AssociationTransaction,
    now: number,
  ): EndedAssociation[] {
    return this.#overdue(own, now).flatMap((association) => {
      if (!transaction.has(association)) return []
      transaction.deletePair(targetOf(association), false)
      return [{ association, why: 'idle' } as const]
    })
  }

  #overdue(own: readonly KernelAssociation[], now: number): SecurityAssociation[] {
    const age = ({ counters }: KernelAssociation) => Date.now() / 1000 - Number(counters.add_time)
    return this.#idle.overdue(own, (key) => this.#ledger.noteOf(key)?.idle, now / 1000, age)
  }
}

function mendTunnels(
  session: Session,
  plan: TunnelPlan,
): { readonly isDone: boolean; readonly problems: readonly unknown[] } {
  try {
    session.repairTunnels(plan)
    return { isDone: true, problems: [] }
  } catch (problem) {
    return { isDone: false, problems: [problem] }
  }
}

function otherHalf(one: SecurityAssociation, note: AssociationNote | undefined): SaTarget | undefined {
  if (note?.pairSpi === undefined) return undefined
  return targetOf({ ...one, spi: note.pairSpi, destination: one.source })
}

function targetOf({
  protocol,
  spi,
  destination,
}: Pick<SecurityAssociation, 'protocol' | 'spi' | 'destination'>): SaTarget {
  return { protocol, spi, destination, upperProtocol: 0, sourcePort: 0, destinationPort: 0 }
}

function leapOf({ isFinal, readAt }: LedgerEntry, now: number): number {
  return isFinal ? 1 : Math.ceil(((now - readAt) / 1000 + 1) * NUMBERS_A_SECOND)
}
