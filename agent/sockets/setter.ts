/**
 * Carries out requests that give a socket a policy. They may change what SAs there are under which number, so each needs
 * a session; those that come together share one, and sessions keep their distance, so that a flood of requests cannot
 * take the agent's time.
 *
 * @module
 */
import type { Session } from '../reconcile/session.ts'
import { chooseKinds } from './choose-kinds.ts'
import { describeKind, describeRequirement } from './describe.ts'
import type { InspectedSocket } from './inspect.ts'
import { clearSocketPolicy, makeInet6Only, type SocketTerms, setSocketPolicy } from './kernel-socket.ts'
import type { KindsInUse } from './kinds-in-use.ts'
import type { SocketAnswer, SocketRequest } from './message.ts'
import type { Peer } from './peer.ts'
import { SocketError } from './socket-error.ts'
import type { SocketTable } from './table.ts'
import { checkChangeable, courseOf, selfTunnel } from './terms.ts'

export type SetRequest = Extract<SocketRequest, { kind: 'set' }>

export interface Job {
  /** Looks at the socket: how far it has come may change while a job waits. @throws SocketError */
  inspect(): InspectedSocket
  readonly request: SetRequest
  readonly peer: Pick<Peer, 'uid' | 'isPrivileged'>
}

interface WaitingJob extends Job {
  /** By `performance.now()`. */
  readonly deadline: number
  /** There were no SAs for it yet. */
  readonly wasTried?: true
  resolve(answer: SocketAnswer): void
  reject(error: unknown): void
}

/** Does something under the lock of the namespace, when nothing else is under way. */
export type Between = <T>(use: (session: Session) => T) => Promise<T>

/** Milliseconds between looks for SAs that are waited for. */
const WAIT_STEP = 250
/** Of the time, sessions have one part in so many. */
const SHARE = 3
const LEAST_PAUSE = 2

export class Setter {
  readonly #between: Between
  readonly #table: SocketTable
  readonly #kinds: KindsInUse
  #queue: WaitingJob[] = []
  #timer: NodeJS.Timeout | undefined
  /** No session before this, by `performance.now()`. */
  #earliest = 0
  #isWorking = false
  #open = true

  constructor(between: Between, table: SocketTable, kinds: KindsInUse) {
    this.#between = between
    this.#table = table
    this.#kinds = kinds
  }

  /** @throws SocketError (rejects) */
  set(job: Job): Promise<SocketAnswer> {
    return new Promise((resolve, reject) => {
      const deadline = performance.now() + job.request.wait * 1000
      this.#queue.push({ ...job, deadline, resolve, reject })
      this.#schedule(0)
    })
  }

  close(): void {
    this.#open = false
    clearTimeout(this.#timer)
    for (const job of this.#queue.splice(0)) job.reject(new SocketError('ECANCELED', 'the agent ends'))
  }

  #schedule(delay: number): void {
    if (!this.#open || this.#isWorking) return
    clearTimeout(this.#timer)
    const pause = Math.max(delay, this.#earliest - performance.now(), 0)
    this.#timer = setTimeout(() => void this.#work(), pause)
  }

  async #work(): Promise<void> {
    this.#isWorking = true
    let taken: WaitingJob[] = []
    let duration = 0
    try {
      await this.#between((session) => {
        // Those that came while the session was waited for go along.
        taken = this.#queue.splice(0)
        const begin = performance.now()
        for (const job of taken) this.#attempt(job, session)
        duration = performance.now() - begin
      })
    } catch (error) {
      const refusal = refusalOf(error)
      // Jobs that were settled already do not hear it.
      for (const job of [...taken, ...this.#queue.splice(0)]) job.reject(refusal)
    }
    this.#isWorking = false
    this.#earliest = performance.now() + Math.max(LEAST_PAUSE, (SHARE - 1) * duration)
    const isAnyNew = this.#queue.some(({ wasTried }) => !wasTried)
    if (this.#queue.length > 0) this.#schedule(isAnyNew ? 0 : WAIT_STEP)
  }

  #attempt(job: WaitingJob, session: Session): void {
    try {
      const answer = this.#carryOut(job, session)
      if (answer) job.resolve(answer)
      else this.#queue.push({ ...job, wasTried: true })
    } catch (error) {
      job.reject(refusalOf(error))
    }
  }

  /** @returns `undefined` where there are no SAs yet, and there is time to wait for some */
  #carryOut(job: WaitingJob, session: Session): SocketAnswer | undefined {
    const { request, peer } = job
    const { uid } = peer
    if (session.dataPath.kind !== 'kernel') {
      throw new SocketError(
        'EOPNOTSUPP',
        'the software data path is in use: it sees packets, not sockets; use rules for the port instead',
      )
    }
    const socket = job.inspect()
    const { demand } = request
    const { action } = demand
    checkChangeable(socket)
    this.#table.checkOwner(socket.cookie, peer)
    const course = courseOf(socket, request.peer)
    const { family } = course
    this.#table.makeRoom(socket.cookie, uid)
    const entry = { demand, uid, protocol: socket.protocol }
    if (action.kind === 'bypass') {
      this.#install(socket, course.needsInet6Only, { family, reqids: {} })
      this.#table.set(socket.cookie, { ...entry, terms: { family, reqids: {} } })
      return { kind: 'set', associations: [], isApplied: true }
    }
    if (course.isLocal) {
      // Between programs of one host nothing is encrypted, on Solaris neither; the kernel would look for SAs.
      clearSocketPolicy(socket)
      this.#table.set(socket.cookie, entry)
      return { kind: 'set', associations: [], isApplied: false }
    }
    const tunnel = selfTunnel(demand, socket, course)
    const { algorithms, contents } = session.forSockets()
    const facts = { contents: contents(), algorithms, ...(course.peer && { peer: course.peer }) }
    const chosen = chooseKinds(action.protection, tunnel, facts)
    if ('missing' in chosen) {
      if (performance.now() < job.deadline) return undefined
      const wanted = describeRequirement(chosen.missing, algorithms)
      throw new SocketError('EAGAIN', `there are no SAs yet that offer ${wanted}`)
    }
    const reqids = this.#kinds.bind(session, chosen.kinds)
    const terms = { family, reqids, ...(tunnel && { tunnel }) }
    this.#install(socket, course.needsInet6Only, terms)
    this.#table.set(socket.cookie, { ...entry, terms })
    const associations = chosen.kinds.map((kind) => describeKind(kind, algorithms))
    return { kind: 'set', associations, isApplied: true }
  }

  #install(socket: InspectedSocket, needsInet6Only: boolean, terms: SocketTerms): void {
    if (needsInet6Only) makeInet6Only(socket)
    setSocketPolicy(socket, terms, this.#table.get(socket.cookie)?.terms)
  }
}

/** Whatever went wrong, as an answer. */
export function refusalOf(error: unknown): SocketError {
  if (error instanceof SocketError) return error
  const reason = error instanceof Error ? error.message : String(error)
  return new SocketError('EIO', `the agent could not do it: ${reason}`)
}
