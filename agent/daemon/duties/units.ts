/**
 * The section `sockets` of the configuration holds for programs that ask (solipsec-sockets(7)). Sockets of those units that
 * did not are looked for from time to time, and told of. Where the section is empty, this does nothing.
 *
 * @module
 */

import { formatEnd, PROTOCOL_TCP } from '../../latch/connections.ts'
import { formatAddress } from '../../model/address.ts'
import type { SocketPolicy } from '../../model/socket-policy.ts'
import type { SocketJournal } from '../../sockets/journal.ts'
import { cgroupRoot, cgroupsOf } from '../../units/cgroups.ts'
import { GRACE_MS, SocketJudge } from '../../units/judge.ts'
import { keepUnits, type UnitReport } from '../../units/report.ts'
import { readUnitSockets, type UnitSocket } from '../../units/sockets.ts'
import type { AgentContext } from '../context.ts'
import type { AgentEvent } from '../events.ts'
import { pauseAfter } from './pause.ts'

/** Milliseconds between looks; longer where a look takes long. */
const INTERVAL_MS = 30_000
/** Share of the time for looks while sockets may come to have a policy still. */
const SHARE_SOON = 0.05
/** Sockets that one look tells of; of more, only how many there are. */
const MOST_TOLD = 16

export class UnitDuty {
  readonly #context: AgentContext
  readonly #folder: string
  readonly #journal: SocketJournal
  #judge = new SocketJudge()
  /** Whose sockets are to be protected. */
  #units: ReadonlySet<string> = new Set()
  #report: readonly UnitReport[] | undefined
  #timer: NodeJS.Timeout | undefined
  /** Why nothing can be found out; told once. */
  #obstacle: string | undefined
  #isOpen = true

  /** @param folder the namespace's state folder @param journal which sockets have a policy */
  constructor(context: AgentContext, folder: string, journal: SocketJournal) {
    this.#context = context
    this.#folder = folder
    this.#journal = journal
    keepUnits(folder, undefined)
  }

  /** The configuration was loaded. What it lets pass in clear cannot be weaker than it says. */
  load(policies: readonly SocketPolicy[]): void {
    const wanted = policies.filter(({ action }) => action.kind === 'protect')
    this.#units = new Set(wanted.map(({ service }) => service))
    if (this.#units.size > 0) {
      this.#look()
      return
    }
    clearTimeout(this.#timer)
    this.#judge = new SocketJudge()
    this.#obstacle = undefined
    this.#keep(undefined)
  }

  close(): void {
    this.#isOpen = false
    clearTimeout(this.#timer)
    this.#keep(undefined)
  }

  #look(): void {
    clearTimeout(this.#timer)
    if (!this.#isOpen) return
    const started = performance.now()
    let isSoon = false
    try {
      isSoon = this.#compare()
    } catch (error) {
      this.#cannot(this.#context.describe(error))
    }
    const took = performance.now() - started
    const pause = isSoon ? pauseAfter(took, GRACE_MS, SHARE_SOON) : pauseAfter(took, INTERVAL_MS)
    this.#timer = setTimeout(() => this.#look(), pause)
  }

  /** @returns true where another look is worth it soon */
  #compare(): boolean {
    const root = cgroupRoot()
    if (root === undefined) {
      this.#cannot('the cgroups of version 2 are not mounted')
      return false
    }
    const units = cgroupsOf(this.#units, root)
    const { sockets, isUnknown } = readUnitSockets((cgroup) => units.get(cgroup))
    if (isUnknown) {
      this.#cannot('this kernel does not say which cgroup a socket is of (that takes Linux 5.8)')
      return false
    }
    const found = this.#judge.judge(sockets, (cookie) => this.#journal.get(cookie)?.kind, performance.now())
    for (const event of unprotectedEvents(found.fresh)) this.#context.tell(event)
    this.#keep(
      [...this.#units].map((unit) => ({
        unit,
        sockets: sockets.filter((one) => one.unit === unit).length,
        unprotected: found.unprotected.filter((one) => one.unit === unit).length,
      })),
    )
    return found.areAnyPending
  }

  #cannot(why: string): void {
    this.#keep(undefined)
    if (this.#obstacle === why) return
    this.#obstacle = why
    const message = `Whether the sockets of services have the policies of the configuration cannot be found out: ${why}.`
    this.#context.tell({ level: 'warning', event: 'sockets-unknown', message })
  }

  #keep(report: readonly UnitReport[] | undefined): void {
    if (JSON.stringify(report) === JSON.stringify(this.#report)) return
    this.#report = report
    keepUnits(this.#folder, report)
  }
}

/** What is to be told of sockets that are without. Pure. */
export function unprotectedEvents(sockets: readonly UnitSocket[]): Omit<AgentEvent, 'time'>[] {
  const events = sockets.slice(0, MOST_TOLD).map(eventOf)
  const rest = sockets.length - events.length
  if (rest > 0) {
    const units = [...new Set(sockets.slice(MOST_TOLD).map(({ unit }) => unit))]
    const message = `${rest} more sockets of ${units.join(', ')} have no policy that protects them.`
    events.push({ level: 'warning', event: 'unprotected-socket', message, details: { units, sockets: rest } })
  }
  return events
}

function eventOf({
  unit,
  protocol: number,
  local,
  localPort,
  remote,
  remotePort,
  hasPeer,
}: UnitSocket): Omit<AgentEvent, 'time'> {
  const protocol = number === PROTOCOL_TCP ? 'tcp' : 'udp'
  const peer = hasPeer ? ` to ${formatEnd(remote, remotePort)}` : ''
  return {
    level: 'warning',
    event: 'unprotected-socket',
    message:
      `A socket of ${unit} (${protocol} ${formatEnd(local, localPort)}${peer}) has no policy that protects it, ` +
      'as the configuration wants it: the program did not ask for it. The rules of the host hold for it.',
    details: {
      unit,
      protocol,
      localAddress: formatAddress(local),
      localPort,
      ...(hasPeer && { remoteAddress: formatAddress(remote), remotePort }),
    },
  }
}
