/**
 * Where a packet is explained: what is loaded in a namespace, or files that are not loaded.
 *
 * @module
 */
import type { Situation } from '../../../../agent/explain/explain.ts'
import { loadedSituation, proposedSituation } from '../../../../agent/explain/situation.ts'
import { type Address, isLoopback } from '../../../../agent/model/address.ts'
import type { AlgorithmTable } from '../../../../agent/model/algorithm.ts'
import type { SecurityAssociation } from '../../../../agent/model/association.ts'
import { append } from '../../../../agent/model/lists.ts'
import type { Rule } from '../../../../agent/model/policy.ts'
import type { TunableValues } from '../../../../agent/model/tunables.ts'
import { type HostNetwork, isForwarding, readHostNetwork } from '../../../../agent/reconcile/host.ts'
import { Session } from '../../../../agent/reconcile/session.ts'
import { describedTunnel } from '../../../../agent/translate/tunnel-interfaces.ts'
import type { Tunnel } from '../../../../agent/translate/tunnels.ts'
import { requestLink, requestPath } from '../../../../netlink/route/request.ts'
import { NetlinkError } from '../../../../netlink/socket/error.ts'
import { NETLINK_ROUTE } from '../../../../netlink/socket/protocols.ts'
import { NetlinkSocket } from '../../../../netlink/socket/socket.ts'
import { tunableValuesOf } from '../../../configuration/tunable-values.ts'
import { displayTable } from '../../support/algorithms.ts'
import { announceDataPath } from '../../support/data-path-option.ts'
import { CommandError } from '../../support/exit.ts'
import type { Io } from '../../support/io.ts'
import { checkedConfiguration, wipeKeys } from '../change/configuration.ts'
import type { Request } from './arguments.ts'
import type { RouteAnswer } from './passage.ts'

export interface Place {
  readonly situation: Situation
  readonly algorithms: AlgorithmTable
  /** As messages call what was asked. */
  readonly name: string
  routeTo(destination: Address): RouteAnswer
}

type Wish = Pick<Request, 'files' | 'kind' | 'dataPath' | 'hasDataPath' | 'isForwarded'>

/**
 * @param own what is to count as the host's address: of files that need not be of this host
 * @throws CommandError
 */
export async function placeOf(request: Wish, own: Address | undefined, io: Io): Promise<Place> {
  return request.files.length > 0 ? placeOfFiles(request, own, io) : loadedPlace(request, io)
}

function loadedPlace({ dataPath, isForwarded }: Wish, io: Io): Place {
  if (isForwarded && !isForwarding()) {
    throw new CommandError(
      'this host passes no packets on: no interface has net.ipv4 or net.ipv6 forwarding set',
    )
  }
  const algorithms = displayTable()
  const session = Session.open(algorithms, { choice: dataPath, needs: [] })
  try {
    announceDataPath(session.dataPath, io)
    if (session.isUnrecorded) {
      throw new CommandError(
        'the record of the loaded rules is lost; `ip xfrm policy` shows what is in force',
      )
    }
    const name = `what is loaded (${session.dataPath.kind} data path)`
    return { situation: loadedSituation(session), algorithms, name, routeTo }
  } finally {
    session.close()
  }
}

async function placeOfFiles(
  { files, kind, dataPath, hasDataPath, isForwarded }: Wish,
  own: Address | undefined,
  io: Io,
): Promise<Place> {
  const here = readHostNetwork()
  const localAddresses = own ? [...here.localAddresses.filter(isLoopback), own] : here.localAddresses
  const network = { ...here, localAddresses }
  const rules: Rule[] = []
  const associations: SecurityAssociation[] = []
  const tunnels = new Map<string, Tunnel>()
  let algorithms: AlgorithmTable | undefined
  let tunables: TunableValues = {}
  for (const file of files) {
    const request = { file, ...(kind && { kind }), ...(hasDataPath && { dataPath }) }
    const { configuration } = await checkedConfiguration(request, io, ['error'])
    append(rules, configuration.rules ?? [])
    append(associations, configuration.associations ?? [])
    if (configuration.tunables) tunables = { ...tunables, ...tunableValuesOf(configuration.tunables) }
    for (const one of configuration.tunnels ?? [])
      tunnels.set(one.name, described(one, network, tunnels.size))
    if (!algorithms || configuration.hasAlgorithms) algorithms = configuration.algorithms
  }
  const table = algorithms ?? displayTable()
  const meant = { ...network, tunnels: new Map([...network.tunnels, ...tunnels]) }
  try {
    const situation = proposedSituation({
      rules,
      associations,
      algorithms: table,
      network: meant,
      isRouter: isForwarded,
      tunables,
    })
    return { situation, algorithms: table, name: files.join(', '), routeTo: () => ({ kind: 'not asked' }) }
  } finally {
    wipeKeys(associations)
  }
}

/** An interface that is not there gets a number that no other has. */
function described(
  tunnel: Parameters<typeof describedTunnel>[0],
  { tunnels }: HostNetwork,
  serial: number,
): Tunnel {
  return describedTunnel(tunnel, tunnels.get(tunnel.name)?.ifindex ?? 0x7fff_0000 + serial)
}

/** What the kernel says of the way to an address, in the namespace of the calling thread. */
function routeTo({ bytes }: Address): RouteAnswer {
  const socket = NetlinkSocket.open(NETLINK_ROUTE)
  try {
    const path = requestPath(socket, bytes, 0)
    const ifindex = path?.attributes.oif
    if (!path || ifindex === undefined) return { kind: 'no route', why: 'the route leads nowhere' }
    const name = requestLink(socket, ifindex)?.attributes.ifname ?? `interface ${ifindex}`
    return { kind: 'found', route: { ifindex, interface: name } }
  } catch (error) {
    // A route that refuses is an error, too.
    if (error instanceof NetlinkError) return { kind: 'no route', why: error.message }
    throw error
  } finally {
    socket.close()
  }
}
