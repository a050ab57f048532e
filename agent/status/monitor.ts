/**
 * Events of one network namespace as they happen, whoever carries its packets. Takes no lock and starts no program.
 *
 * @module
 */
import { NetlinkError } from '../../netlink/socket/error.ts'
import type { Subscription } from '../../netlink/socket/events.ts'
import { XfrmConnection, type XfrmTables } from '../../netlink/xfrm/connection.ts'
import { group } from '../../netlink/xfrm/constants.ts'
import { wipeKeys } from '../../netlink/xfrm/keys.ts'
import type { XfrmMessage } from '../../netlink/xfrm/messages.ts'
import { isSoftware } from '../datapath/software/service/client.ts'
import { connectIfAnswering } from '../datapath/software/service/onlooker.ts'
import type { AlgorithmTable } from '../model/algorithm.ts'
import { CurrentFacts } from '../reconcile/association-events.ts'
import type { AssociationFacts } from '../reconcile/association-status.ts'
import { Store } from '../reconcile/store.ts'
import { EventTracker } from './event-tracker.ts'
import type { Occurrence, StatusEvent } from './events.ts'
import type { DataPathReport } from './report.ts'

/** Milliseconds between looks at who carries the packets, and before tables that change all the time are read again. */
const LOOK_MS = 500
const AGAIN_MS = 250

export interface MonitorOptions {
  readonly algorithms: AlgorithmTable
  /**
   * Also the requests for SAs. The kernel makes them only while somebody listens, and then a larval SA stands for each,
   * for `xfrm_acq_expires` seconds.
   */
  readonly withAcquires: boolean
  /** @throws nothing: that would be an uncaught exception */
  event(event: StatusEvent): void
}

/** Events of the calling thread's namespace, until it is closed. Keeps the event loop alive. */
export class Monitor {
  readonly #options: MonitorOptions
  readonly #folder = Store.open().folder
  readonly #tracker: EventTracker
  /** Read anew with the tables: addresses may have come and gone. */
  #facts = new CurrentFacts()
  readonly #look: NodeJS.Timeout
  #connection: XfrmConnection | undefined
  #subscription: Subscription | undefined
  #path: DataPathReport
  /** The program of the software data path, since we are connected to it. */
  #hasEnded = false
  #again: NodeJS.Timeout | undefined

  /** @throws NetlinkError (`EPERM` without CAP_NET_ADMIN), UntrustedFolderError */
  constructor(options: MonitorOptions) {
    this.#options = options
    this.#tracker = new EventTracker(this.#currentFacts(), options.algorithms)
    this.#path = this.#connect()
    if (this.#connection) withTables(this.#connection, (tables) => this.#tracker.begin(tables))
    this.#look = setInterval(() => this.#lookAtPath(), LOOK_MS)
  }

  /** Who carries the packets. */
  get dataPath(): DataPathReport {
    return this.#path
  }

  close(): void {
    clearInterval(this.#look)
    clearTimeout(this.#again)
    this.#disconnect()
  }

  #currentFacts(): AssociationFacts {
    const current = () => this.#facts
    return {
      get notes() {
        return current().notes
      },
      get localAddresses() {
        return current().localAddresses
      },
    }
  }

  /** Listens first, so that nothing falls between that and the tables. */
  #connect(): DataPathReport {
    const software = isSoftware(this.#folder)
    this.#connection = software ? connectIfAnswering(this.#folder) : XfrmConnection.open()
    const groups = [
      group.SA,
      group.EXPIRE,
      group.POLICY,
      ...(this.#options.withAcquires ? [group.ACQUIRE] : []),
    ]
    this.#subscription = this.#connection?.subscribe(groups, {
      event: (message, portId) => this.#read(message, portId),
      overrun: () => this.#overrun(),
      ended: () => {
        this.#hasEnded = true
        this.#lookAtPath()
      },
    })
    return { kind: software ? 'software' : 'kernel', state: this.#connection ? 'ready' : 'stopped' }
  }

  #disconnect(): void {
    this.#hasEnded = false
    this.#subscription?.close()
    this.#connection?.close()
    this.#subscription = undefined
    this.#connection = undefined
  }

  #tell(occurrence: Occurrence): void {
    this.#options.event({ time: Date.now() / 1000, ...occurrence })
  }

  #read(message: XfrmMessage, portId: number): void {
    const occurrence = this.#tracker.read(message, portId)
    wipeKeys(message)
    if (occurrence) this.#tell(occurrence)
  }

  #overrun(): void {
    this.#tell({ event: 'overrun' })
    this.#resynchronise()
  }

  /** Another data path may have taken over, or its program may have ended or begun. */
  #lookAtPath(): void {
    const { kind, state } = this.#path
    const isOther = isSoftware(this.#folder) !== (kind === 'software')
    if (!isOther && !this.#hasEnded && state === 'ready') return
    if (this.#hasEnded) this.#tell({ event: 'data-path', dataPath: { kind, state: 'stopped' } })
    this.#disconnect()
    this.#path = this.#connect()
    if (!isOther && this.#path.state === 'stopped') return
    this.#tell({ event: 'data-path', dataPath: this.#path })
    this.#resynchronise()
  }

  #resynchronise(): void {
    clearTimeout(this.#again)
    const connection = this.#connection
    if (!connection) return
    this.#facts = new CurrentFacts()
    try {
      withTables(connection, (tables) => {
        for (const occurrence of this.#tracker.resynchronise(tables)) this.#tell(occurrence)
      })
    } catch (error) {
      if (!(error instanceof NetlinkError)) throw error
      // They change all the time, or the program has just ended.
      this.#again = setTimeout(() => this.#resynchronise(), AGAIN_MS)
    }
  }
}

function withTables(connection: XfrmConnection, use: (tables: XfrmTables) => void): void {
  const tables = connection.tables()
  try {
    use(tables)
  } finally {
    for (const state of tables.states) wipeKeys(state)
  }
}
