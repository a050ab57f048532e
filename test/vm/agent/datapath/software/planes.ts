/**
 * Two hosts on one wire with an address for each protocol, mode and family, so that policy is loaded once and only SAs
 * change.
 *
 * @module
 */
import { EncapSockets } from '../../../../../agent/datapath/kernel/encap-socket.ts'
import type { XfrmConnection } from '../../../../../netlink/xfrm/connection.ts'
import type { XfrmMessage } from '../../../../../netlink/xfrm/messages.ts'
import { type Teardown, TestNet } from '../../../../support/namespaces.ts'
import { Station } from '../../../support/station.ts'
import { Wiretap } from '../../../support/wiretap.ts'
import { type Algorithm, apply, connect, exceptions, policies, type TestState } from './sas.ts'

export type Side = 'near' | 'far'

/** Addresses of a mode and family for one protocol; in tunnel mode the tunnel's, too. */
export interface Plane {
  readonly protocol: 'esp' | 'ah'
  readonly near: string
  readonly far: string
  readonly tunnel?: { readonly near: string; readonly far: string }
}

const OUTER4 = { near: '192.0.2.1', far: '192.0.2.2' }
const OUTER6 = { near: '2001:db8::1', far: '2001:db8::2' }

export const PLANES: readonly Plane[] = (['esp', 'ah'] as const).flatMap((protocol, n) => [
  { protocol, near: `10.${n}.1.1`, far: `10.${n}.1.2` },
  { protocol, near: `fd0${n}::1:1`, far: `fd0${n}::1:2` },
  { protocol, near: `10.${n}.2.1`, far: `10.${n}.2.2`, tunnel: OUTER4 },
  { protocol, near: `fd0${n}::2:1`, far: `fd0${n}::2:2`, tunnel: OUTER6 },
])

/** In words: mode and family. */
export function titleOf({ near, tunnel }: Plane): string {
  return `${tunnel ? 'tunnel' : 'transport'}, ${near.includes(':') ? 'IPv6' : 'IPv4'}`
}

/** All that a host needs on the wire, with prefix lengths. */
export function addressesOf(side: Side): string[] {
  return [
    `${OUTER4[side]}/24`,
    `${OUTER6[side]}/64`,
    ...PLANES.map((plane) => `${plane[side]}/${plane[side].includes(':') ? 64 : 16}`),
  ]
}

/** The software data path on one host and the kernel's on the other, and who looks at the wire between them. */
export async function softAndHard(t: Teardown) {
  const net = new TestNet(t)
  const soft = await Station.makeSoftware(t, net)
  const [hard] = await Station.make(t, net, 1)
  await net.wire(soft.host, hard.host, addressesOf('near'), addressesOf('far'))
  const wire = Wiretap.open(t, { station: soft }, { station: hard })
  const connections = [connect(soft), connect(hard)] as const
  t.teardown(() => {
    for (const connection of connections) connection.close()
  })
  const sockets = hard.visit(() =>
    EncapSockets.bind([
      { family: 'inet', port: 4500 },
      { family: 'inet6', port: 4500 },
    ]),
  )
  t.teardown(() => sockets.close())
  return { soft, hard, wire, connections }
}

/** Gives a host the policies of all planes, and the exceptions; when it returns they are in force. */
export function loadPolicies(connection: XfrmConnection, side: Side): void {
  apply(connection, exceptions())
  for (const plane of PLANES) apply(connection, policiesOf(plane, side))
  connection.spdInfo()
}

function policiesOf({ protocol, tunnel, ...plane }: Plane, local: Side): XfrmMessage<'NEWPOLICY'>[] {
  const remote = local === 'near' ? 'far' : 'near'
  const ends = tunnel && { local: tunnel[local], remote: tunnel[remote] }
  return policies(protocol, plane[local], plane[remote], ends)
}

/** What two SAs have in common. */
export interface PairOptions {
  readonly algorithms: readonly Algorithm[]
  readonly isExtended: boolean
  readonly inUdp: boolean
  readonly window?: number
}

let spi = 0x1000

/** Two SAs of a plane with numbers of their own: from near to far, and back. */
export function newPair(
  plane: Plane,
  { window = 128, ...options }: PairOptions,
): readonly [TestState, TestState] {
  const { near, far } = plane.tunnel ?? plane
  const common = { protocol: plane.protocol, isTunnel: plane.tunnel !== undefined, window, ...options }
  spi += 2
  return [
    { ...common, spi, source: near, destination: far },
    { ...common, spi: spi + 1, source: far, destination: near },
  ]
}
