/**
 * The software data path as those see it who use it: whether it is there, and how to begin.
 *
 * @module
 */
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { errnoNumber } from '../../../../netlink/libc/errno.ts'
import { NetlinkError } from '../../../../netlink/socket/error.ts'
import { NLMSG_STATISTICS } from '../../../../netlink/socket/message.ts'
import { NETLINK_XFRM } from '../../../../netlink/socket/protocols.ts'
import { NetlinkSocket } from '../../../../netlink/socket/socket.ts'
import { XfrmConnection } from '../../../../netlink/xfrm/connection.ts'
import { helperName, startHelper } from '../../../runtime/helper.ts'
import { servicePlace } from './place.ts'
import { parseStatistics } from './statistics-text.ts'

/** A busy or emulated machine takes its time. */
const START_TIMEOUT_MS = 60_000
/** The program has ended, perhaps because there is another one. */
const ENDED_TIMEOUT_MS = 15_000
const RETRY_MS = 10

/** It could not be started. */
export class ServiceStartError extends Error {
  constructor(reason: string) {
    super(`the software data path does not start: ${reason}`)
    this.name = 'ServiceStartError'
  }
}

/** True where the namespace's data path is the software one, whether its program runs just now or not. */
export function isSoftware(folder: string): boolean {
  return existsSync(servicePlace(folder).journal)
}

/** True where its program runs. */
export function isRunning(folder: string): boolean {
  const connection = connectIfRunning(folder)
  connection?.close()
  return connection !== undefined
}

/**
 * A connection to the namespace's software data path, whose program is started where it does not run.
 *
 * @param folder the state folder of the namespace that the calling thread is in
 * @throws ServiceStartError
 */
export function connectService(folder: string): XfrmConnection {
  return connectIfRunning(folder) ?? start(folder)
}

/**
 * A connection for {@link readStatistics}.
 *
 * @throws NetlinkError where the program does not run
 */
export function openStatistics(folder: string): NetlinkSocket {
  return NetlinkSocket.open(NETLINK_XFRM, { service: servicePlace(folder).socket })
}

/**
 * What the software data path has counted, under the names of `/proc/net/xfrm_stat`.
 *
 * @throws NetlinkError where the program has ended
 */
export function readStatistics(connection: NetlinkSocket): ReadonlyMap<string, number> {
  const [reply] = connection.request({ type: NLMSG_STATISTICS, payload: new Uint8Array(0) })
  return parseStatistics(reply?.payload)
}

/** A connection to the software data path for one who starts nothing; `undefined` where its program does not run. */
export function connectIfRunning(folder: string): XfrmConnection | undefined {
  try {
    return XfrmConnection.open({ service: servicePlace(folder).socket })
  } catch (error) {
    const absent = [errnoNumber('ENOENT'), errnoNumber('ECONNREFUSED')]
    if (error instanceof NetlinkError && absent.includes(error.errno)) return undefined
    throw error
  }
}

function start(folder: string): XfrmConnection {
  const { log } = servicePlace(folder)
  rmSync(log, { force: true })
  const program = new URL('./path-service.js', import.meta.url)
  const pid = startHelper({ name: helperName.path, program, argv: [folder] })
  if (pid === undefined) throw new ServiceStartError(`${process.execPath} cannot be run`)
  return waitFor(folder, log, pid)
}

function waitFor(folder: string, log: string, pid: number): XfrmConnection {
  const sleeper = new Int32Array(new SharedArrayBuffer(4))
  let deadline = performance.now() + START_TIMEOUT_MS
  let hasGone = false
  while (performance.now() < deadline) {
    const connection = connectIfRunning(folder)
    if (connection) return connection
    if (existsSync(log)) throw new ServiceStartError(firstLine(readFileSync(log, 'utf8')))
    // Where another one was started at the same time, ours ends, and that one answers.
    if (!hasGone && hasEnded(pid)) {
      hasGone = true
      deadline = Math.min(deadline, performance.now() + ENDED_TIMEOUT_MS)
    }
    Atomics.wait(sleeper, 0, 0, RETRY_MS)
  }
  throw new ServiceStartError(
    hasGone ? 'it ended without a word' : `no answer within ${START_TIMEOUT_MS / 1000} s`,
  )
}

/** A child of ours that has ended stays until it is asked for its exit code, which nobody does before the event loop runs. */
function hasEnded(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    return stat[stat.lastIndexOf(')') + 2] === 'Z'
  } catch {
    // Without /proc nobody can tell.
    return false
  }
}

function firstLine(text: string): string {
  return text.split('\n')[0] ?? ''
}
