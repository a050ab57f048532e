/**
 * Keeps what is known of sockets as they are: those that are no more are forgotten, and so are, some time after, the kinds of
 * SAs that only they needed.
 *
 * @module
 */
import { watchDepartures } from '../../netlink/diag/sockets.ts'
import type { Subscription } from '../../netlink/socket/events.ts'
import type { KindsInUse } from './kinds-in-use.ts'
import type { Between } from './setter.ts'
import type { SocketTable } from './table.ts'

/** Milliseconds between looks for SAs that no socket needs any more. */
const LONGEST_SWEEP = 60_000

export interface UpkeepOptions {
  readonly table: SocketTable
  readonly kinds: KindsInUse
  /** Sessions on the namespace that the calling thread is in. */
  readonly between: Between
  /** Milliseconds that kinds stay without sockets. */
  readonly patience: number
  /** Told of what went wrong; it is tried again. */
  report(error: unknown): void
}

export class Upkeep {
  readonly #options: UpkeepOptions
  readonly #departures: Subscription
  readonly #sweeps: NodeJS.Timeout
  /** A process before this one may have left some kinds. */
  #needsSweep = true

  /** Does not keep the process alive. @throws NetlinkError where the kernel does not tell of sockets */
  constructor(options: UpkeepOptions) {
    this.#options = options
    this.#departures = watchDepartures(
      (cookie) => this.forget(cookie),
      () => {
        options.table.doubtAll()
        this.#needsSweep = true
      },
    )
    this.#departures.unref()
    this.#sweeps = setInterval(() => void this.#sweep(), Math.min(LONGEST_SWEEP, options.patience))
    this.#sweeps.unref()
  }

  /** A socket has no policy any more, or is no more. */
  forget(cookie: bigint): void {
    if (this.#options.table.delete(cookie)) this.#needsSweep = true
  }

  close(): void {
    this.#departures.close()
    clearInterval(this.#sweeps)
  }

  async #sweep(): Promise<void> {
    const { kinds, between, report } = this.#options
    if (!this.#needsSweep && !kinds.areAnyUnused) return
    this.#needsSweep = false
    try {
      await between((session) => kinds.sweep(session, performance.now()))
    } catch (error) {
      this.#needsSweep = true
      report(error)
    }
  }
}
