/**
 * Has packets of the network inspected, for a time or until interrupted, within the processor time that it may take.
 *
 * @module
 */

import type { Frame } from '../../../../agent/capture/frame.ts'
import { LiveCapture } from '../../../../agent/capture/live.ts'
import { Inspector } from '../../../../agent/verify/inspector.ts'
import type { LiveTables } from '../../../../agent/verify/live-tables.ts'
import { Pace, processorTime } from '../../../../agent/verify/pace.ts'
import { type Finding, Tally } from '../../../../agent/verify/tally.ts'
import { SystemError } from '../../../../netlink/libc/errno.ts'
import { CommandError } from '../../support/exit.ts'
import type { Io } from '../../support/io.ts'
import type { Request } from './arguments.ts'
import type { Devices } from './devices.ts'
import type { Report } from './report.ts'

/** Longer than any packet. */
const WHOLE = 262_144
/** Between looks at the processor time; a packet costs some 20 µs. */
const FRAMES_A_LOOK = 32
/** Milliseconds between looks at what rules and SAs there are, at the interfaces, and between repetitions. */
const SETTLE = 250
const REFRESH = 2000
const REPEAT = 10_000
/** With little time for each, few packets need be kept. */
const SMALL_BUFFER = 4 * 1024 * 1024

export interface Watched {
  readonly tally: Tally
  readonly unread: number
  readonly seconds: number
}

export class Watch {
  readonly #tables: LiveTables
  readonly #devices: Devices
  readonly #request: Request
  readonly #report: Report
  readonly #tally = new Tally()
  readonly #inspector: Inspector
  readonly #capture: LiveCapture
  readonly #pace: Pace | undefined
  readonly #timers: NodeJS.Timeout[] = []
  /** How many packets of each finding have been told. */
  readonly #told = new Map<Finding, number>()
  #resting: NodeJS.Timeout | undefined
  #frames = 0
  #looked = Date.now()
  #dropped = 0

  /**
   * Collects packets from now on.
   *
   * @throws CommandError where that is not possible
   */
  constructor(tables: LiveTables, devices: Devices, request: Request, report: Report) {
    this.#tables = tables
    this.#devices = devices
    this.#request = request
    this.#report = report
    const { percent } = request
    if (percent !== undefined) this.#pace = new Pace(percent, processorTime)
    const found = (finding: Finding) => this.#found(finding)
    const lookForGaps = () => this.#lookForGaps()
    this.#inspector = new Inspector({ tables, tally: this.#tally, found, lookForGaps })
    this.#capture = open(devices.indexes, request.isContinuous)
    this.#looked = Date.now()
    this.#inspector.gaps.add(0, this.#looked)
  }

  /** @throws CommandError, NetlinkError */
  async run(stdout: Io['stdout'], interrupted: AbortSignal): Promise<Watched> {
    const begin = performance.now()
    const { seconds, isContinuous } = this.#request
    try {
      await new Promise<void>((resolve, reject) => {
        interrupted.addEventListener('abort', () => resolve(), { once: true })
        if (interrupted.aborted) resolve()
        const guarded = guard(reject)
        if (Number.isFinite(seconds)) this.#timers.push(setTimeout(resolve, seconds * 1000))
        this.#every(
          SETTLE,
          guarded(() => this.#tables.settle(Date.now())),
        )
        this.#every(
          REFRESH,
          guarded(() => this.#refresh()),
        )
        this.#every(
          REPEAT,
          guarded(() => this.#repeat()),
        )
        // Nobody reads any more what is said.
        this.#every(SETTLE, () => stdout.isClosed && resolve())
        const frame = guarded((one: Frame) => this.#see(one))
        const pause = guarded(() => this.#lookForGaps())
        this.#capture.listen({ frame, pause, broken: (reason) => reject(new CommandError(reason)) })
      })
      // What came in time is looked at, where there is time for it.
      if (!isContinuous) this.#capture.finish()
    } finally {
      for (const timer of this.#timers) clearTimeout(timer)
      clearTimeout(this.#resting)
      this.#capture.close()
    }
    const passed = (performance.now() - begin) / 1000
    return { tally: this.#tally, unread: this.#capture.unread, seconds: passed }
  }

  #every(milliseconds: number, work: () => void): void {
    this.#timers.push(setInterval(work, milliseconds))
  }

  #see(frame: Frame): void {
    this.#inspector.see(frame)
    this.#frames++
    if (!this.#pace || this.#resting || this.#frames % FRAMES_A_LOOK !== 0) return
    const rest = this.#pace.rest()
    if (rest === 0) return
    this.#capture.rest()
    this.#resting = setTimeout(() => {
      this.#resting = undefined
      this.#capture.resume()
    }, rest)
  }

  #found(finding: Finding): void {
    if (this.#told.has(finding)) return
    this.#told.set(finding, finding.count)
    this.#report.tell(finding, finding.count)
  }

  /** Tells of those that have gone on. */
  #repeat(): void {
    for (const [finding, told] of this.#told) {
      if (finding.count === told) continue
      this.#told.set(finding, finding.count)
      this.#report.tell(finding, finding.count - told)
    }
  }

  #refresh(): void {
    if (this.#devices.refresh()) this.#capture.only(this.#devices.indexes)
  }

  #lookForGaps(): void {
    const now = Date.now()
    this.#capture.countDrops()
    if (this.#capture.dropped > this.#dropped) this.#inspector.gaps.add(this.#looked, now)
    this.#dropped = this.#capture.dropped
    this.#looked = now
  }
}

/** What the event loop calls: what is thrown there would be nobody's. */
function guard(reject: (error: unknown) => void) {
  return <Args extends unknown[]>(work: (...args: Args) => unknown) =>
    (...args: Args): void => {
      try {
        work(...args)
      } catch (error) {
        reject(error)
      }
    }
}

function open(interfaces: readonly number[], isContinuous: boolean): LiveCapture {
  try {
    const options = { isPromiscuous: false, snapLength: WHOLE, only: interfaces }
    return new LiveCapture(isContinuous ? { ...options, bufferBytes: SMALL_BUFFER } : options)
  } catch (error) {
    if (!(error instanceof SystemError)) throw error
    if (error.code !== 'EPERM') throw new CommandError(`cannot capture: ${error.message}`)
    throw new CommandError(
      'Insufficient privileges: capturing needs CAP_NET_RAW (run as root).',
      'permission',
    )
  }
}
