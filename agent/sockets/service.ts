/**
 * Policies for single sockets, as a service: a program sends a socket and what it is to have, and gets an answer. What
 * the messages look like is in solipsec-sockets(7).
 *
 * @module
 */

import { listeningSockets } from '../../netlink/diag/sockets.ts'
import { netnsCookie } from '../../netlink/libc/netns.ts'
import { AF_INET, AF_INET6 } from '../../netlink/libc/socket.ts'
import { IPPROTO_TCP } from '../../netlink/libc/socket-options.ts'
import type { AlgorithmTable } from '../model/algorithm.ts'
import type { SocketDemand } from './demand.ts'
import { Doors } from './doors.ts'
import { type InspectedSocket, inspectSocket } from './inspect.ts'
import type { SocketJournal } from './journal.ts'
import { clearSocketPolicy } from './kernel-socket.ts'
import { KindsInUse } from './kinds-in-use.ts'
import {
  type ReadPolicy,
  readRequest,
  type SocketAnswer,
  type SocketRequest,
  writeAnswer,
} from './message.ts'
import type { Peer } from './peer.ts'
import { type Between, type SetRequest, Setter } from './setter.ts'
import { SocketError } from './socket-error.ts'
import { SocketTable } from './table.ts'
import { checkChangeable } from './terms.ts'
import { Upkeep } from './upkeep.ts'

export interface SocketServiceOptions {
  /** Of the socket that clients connect to. */
  readonly path: string
  /** Sessions on the namespace that the calling thread is in. */
  readonly between: Between
  /** What the numbers and names of algorithms mean; asked at each request. */
  algorithms(): AlgorithmTable
  /** Reads a policy in the words of a configuration. */
  readonly readPolicy: ReadPolicy
  /** What the configuration says for the sockets of a unit of systemd; absent: nothing for any. */
  policyOf?(unit: string): SocketDemand | undefined
  /** Keeps which sockets have a policy. */
  readonly journal?: SocketJournal
  /** Asked at each request; absent: the defaults of Solaris. */
  tunables?(): { readonly overrideSocketPolicy: boolean }
  /** Milliseconds that SAs stay as sockets needed them after the last such socket; absent: ten minutes. */
  readonly patience?: number
  /** Told of what went wrong without a client to tell. */
  report?(error: unknown): void
}

export interface SocketService {
  /** How many sockets it knows to have a policy. */
  readonly sockets: number
  /** The sockets keep their policies. */
  close(): void
}

const PATIENCE = 600_000

/**
 * Serves the network namespace that the calling thread is in, on Node's event loop.
 *
 * @throws SystemError where the path cannot be listened at; NetlinkError without CAP_NET_ADMIN
 */
export function startSocketService(options: SocketServiceOptions): SocketService {
  const { path, readPolicy, patience = PATIENCE, report = () => {} } = options
  const namespace = BigInt(netnsCookie())
  const table = new SocketTable(undefined, options.journal)
  const kinds = new KindsInUse(patience)
  const setter = new Setter(options.between, table, kinds)
  const upkeep = new Upkeep({ table, kinds, between: options.between, patience, report })

  const answer = (bytes: Uint8Array, descriptor: number, peer: Peer): Uint8Array | Promise<Uint8Array> => {
    const algorithms = options.algorithms()
    const request = readRequest(bytes, { algorithms, readPolicy })
    const write = (found: SocketAnswer) => writeAnswer(request.form, found, algorithms)
    const inspect = () => inspectSocket(descriptor, namespace)
    const socket = inspect()
    if (request.kind === 'query') return write(queried(socket, table))
    if (request.kind === 'remove') {
      checkChangeable(socket)
      table.checkOwner(socket.cookie, peer)
      // What we have not given may be what root gave by the kernel's own option, and cannot be read.
      if (peer.isPrivileged || table.isKnown(socket.cookie)) clearSocketPolicy(socket)
      upkeep.forget(socket.cookie)
      return write({ kind: 'done' })
    }
    const wanted = request.kind === 'service' ? configured(request, peer, options) : request
    if (request.kind === 'set') checkBypass(request, peer)
    checkTunables(options)
    return setter.set({ inspect, request: wanted, peer }).then(write)
  }

  let doors: Doors
  try {
    doors = new Doors(path, answer)
  } catch (error) {
    upkeep.close()
    throw error
  }
  return {
    get sockets() {
      return table.size
    },
    close: () => {
      doors.close()
      setter.close()
      upkeep.close()
    },
  }
}

/**
 * What the configuration says for the service that asks. To pass in clear needs no privilege then: root has written it.
 *
 * @throws SocketError ENODATA where it says nothing, EPERM where it is not certain who asks
 */
function configured(
  { form, peer: other, wait }: Extract<SocketRequest, { kind: 'service' }>,
  peer: Peer,
  { policyOf }: SocketServiceOptions,
): SetRequest {
  const { unit, isCertain } = peer.unit()
  if (unit === undefined) {
    throw new SocketError(
      'ENODATA',
      'who asks belongs to no unit of systemd, for which the configuration could say something: ask for a policy',
    )
  }
  const demand = policyOf?.(unit)
  if (!demand) {
    throw new SocketError(
      'ENODATA',
      `the section 'sockets' of the agent's configuration has nothing for ${unit}: ` +
        'add it there and reload the agent, or ask for a policy',
    )
  }
  if (demand.action.kind === 'bypass' && !isCertain && !peer.isPrivileged) {
    throw new SocketError(
      'EPERM',
      `the configuration lets sockets of ${unit} pass in clear, but this kernel cannot say for sure that ` +
        'who asks belongs to it (that takes Linux 6.5): let root ask',
    )
  }
  return { form, kind: 'set', demand, wait, ...(other && { peer: other }) }
}

function checkBypass({ demand }: SetRequest, peer: Peer): void {
  if (demand.action.kind === 'bypass' && !peer.isPrivileged) {
    throw new SocketError('EPERM', 'only root, or who has CAP_NET_ADMIN, may let a socket pass in clear')
  }
}

function checkTunables({ tunables }: SocketServiceOptions): void {
  if (tunables?.().overrideSocketPolicy) {
    throw new SocketError(
      'EACCES',
      'ipsec_override_persocket_policy is 1: the rules of this host come before policies of sockets',
    )
  }
}

/** A connection that was accepted has the policy of the socket that it came by. */
function queried(socket: InspectedSocket, table: SocketTable): SocketAnswer {
  const own = table.get(socket.cookie)
  const entry = own ?? inherited(socket, table)
  return { kind: 'policy', demand: entry?.demand, isInherited: !own && entry !== undefined }
}

function inherited({ protocol, isLatched, localPort, family }: InspectedSocket, table: SocketTable) {
  if (protocol !== IPPROTO_TCP || !isLatched || table.size === 0) return undefined
  const from = listeningSockets(family === 'inet' ? AF_INET : AF_INET6)
  const listener = from.find(({ cookie, port }) => port === localPort && table.get(cookie))
  return listener && table.get(listener.cookie)
}
