/**
 * The policies and SAs that are there, whose they are, and who else does IPsec on this host.
 *
 * @module
 */
import { existsSync, readFileSync } from 'node:fs'
import { XfrmConnection } from '../../../netlink/xfrm/connection.ts'
import { mode, userpolicy } from '../../../netlink/xfrm/constants.ts'
import { isSoftware, openStatistics, readStatistics } from '../../datapath/software/service/client.ts'
import { servicePlace } from '../../datapath/software/service/place.ts'
import { isOurPolicyIndex, isOurState } from '../../reconcile/ownership.ts'
import { namespaceFolder } from '../../runtime/namespace-folder.ts'
import { parseLosses as readLosses } from '../../status/losses.ts'
import { type Known, look } from '../known.ts'

/** Numbers of policies and SAs. */
export interface TableFacts {
  readonly ourPolicies: number
  readonly otherPolicies: number
  /** Policies of single sockets: programs made them for themselves. */
  readonly socketPolicies: number
  readonly ourStates: number
  readonly otherStates: number
  /** SAs in tunnel mode, whoever's. */
  readonly tunnelStates: number
}

export const DIRECTIONS = ['in', 'fwd', 'out'] as const
export type DirectionName = (typeof DIRECTIONS)[number]

/** What becomes of packets that no policy is about. */
export type Defaults = Readonly<Record<DirectionName, 'accept' | 'block'>>

export interface PolicyFacts {
  /** The kernel's own tables. */
  readonly kernel: Known<TableFacts>
  /** Of the kernel; unknown before Linux 5.14. */
  readonly defaults: Known<Defaults>
  /** Absent where the software data path is not in use here. */
  readonly software?: {
    /** Unknown where its program does not run. */
    readonly tables: Known<TableFacts>
    /** What the program said when it ended. */
    readonly lastWords: string
  }
  /** Counters of who carries the packets that are not 0: those that were lost, by the names of `/proc/net/xfrm_stat`. */
  readonly losses: Known<ReadonlyMap<string, number>>
}

export function readPolicies(): PolicyFacts {
  const folder = namespaceFolder()
  return {
    ...readKernel(),
    ...(isSoftware(folder) && { software: readSoftware(folder) }),
    losses: look(() => {
      if (isSoftware(folder)) return softwareLosses(folder)
      return parseLosses(readFileSync('/proc/thread-self/net/xfrm_stat', 'utf8'))
    }),
  }
}

function readKernel(): Pick<PolicyFacts, 'kernel' | 'defaults'> {
  const opened = look(() => XfrmConnection.open())
  if ('unknown' in opened) return { kernel: opened, defaults: opened }
  const connection = opened.value
  try {
    return { kernel: look(() => count(connection)), defaults: look(() => readDefaults(connection)) }
  } finally {
    connection.close()
  }
}

/** Asks the program that runs; unlike other commands, this one does not start it. */
function readSoftware(folder: string): NonNullable<PolicyFacts['software']> {
  const { socket, log } = servicePlace(folder)
  const tables = look(() => {
    const connection = XfrmConnection.open({ service: socket })
    try {
      return count(connection)
    } finally {
      connection.close()
    }
  })
  const words = look(() => (existsSync(log) ? readFileSync(log, 'utf8') : ''))
  return { tables, lastWords: 'value' in words ? (words.value.split('\n')[0] ?? '') : '' }
}

function softwareLosses(folder: string): ReadonlyMap<string, number> {
  const connection = openStatistics(folder)
  try {
    return new Map([...readStatistics(connection)].filter(([, count]) => count > 0))
  } finally {
    connection.close()
  }
}

/** Directions of policies of single sockets (linux/xfrm.h): those of the system, plus this many. */
const FIRST_SOCKET_DIRECTION = 3
const DIRECTION_BITS = 7

function count(connection: XfrmConnection): TableFacts {
  const { policies, states } = connection.tables()
  const ofSockets = policies.filter(({ body }) => (body.index & DIRECTION_BITS) >= FIRST_SOCKET_DIRECTION)
  const ourPolicies = policies.filter(({ body }) => isOurPolicyIndex(body.index)).length
  const ourStates = states.filter(({ body }) => isOurState(body.reqid)).length
  return {
    ourPolicies,
    otherPolicies: policies.length - ofSockets.length - ourPolicies,
    socketPolicies: ofSockets.length,
    ourStates,
    otherStates: states.length - ourStates,
    tunnelStates: states.filter(({ body }) => body.mode === mode.TUNNEL).length,
  }
}

function readDefaults(connection: XfrmConnection): Defaults {
  const body = { in: userpolicy.UNSPEC, fwd: userpolicy.UNSPEC, out: userpolicy.UNSPEC }
  const [reply] = connection.send({ name: 'GETDEFAULT', body, attributes: {} })
  const values = reply && 'fwd' in reply.body ? reply.body : body
  const word = (value: number) => (value === userpolicy.BLOCK ? 'block' : 'accept')
  return { in: word(values.in), fwd: word(values.fwd), out: word(values.out) }
}

/** Reads a file like `/proc/net/xfrm_stat`; what is 0 is left out. */
export function parseLosses(text: string): Map<string, number> {
  return new Map(Object.entries(readLosses(text)).filter(([, count]) => count > 0))
}
