/** Single questions to rtnetlink, in a network namespace that has a loopback device and nothing else. */
import t from 'tap'
import { linkFlag, routeType } from '../../../netlink/route/constants.ts'
import { defaultLink } from '../../../netlink/route/defaults.ts'
import { requestLink, requestPath, requestRoute } from '../../../netlink/route/request.ts'
import { NetlinkError } from '../../../netlink/socket/error.ts'
import { NETLINK_ROUTE } from '../../../netlink/socket/protocols.ts'
import { NetlinkSocket } from '../../../netlink/socket/socket.ts'
import { makeNetns, skip } from './namespace.ts'

function open(t: Parameters<typeof makeNetns>[0]): NetlinkSocket {
  const socket = NetlinkSocket.open(NETLINK_ROUTE, { netns: makeNetns(t) })
  t.teardown(() => socket.close())
  return socket
}

t.test('an interface by its name and by its number', { skip }, async (t) => {
  const socket = open(t)
  const link = requestLink(socket, 'lo')
  t.match(link, { name: 'NEWLINK', attributes: { ifname: 'lo' } })
  t.match(requestLink(socket, link?.body.ifi_index ?? 0), { attributes: { ifname: 'lo' } })
  t.throws(() => requestLink(socket, 'no-such-device'), NetlinkError)
})

t.test('the way to a destination, once there is one', { skip }, async (t) => {
  const socket = open(t)
  const four = Uint8Array.of(127, 0, 0, 1)
  const six = Uint8Array.from({ length: 16 }, (_, i) => (i === 15 ? 1 : 0))
  t.throws(() => requestPath(socket, four, 0), NetlinkError)
  const { ifi_index = 0 } = requestLink(socket, 'lo')?.body ?? {}
  const body = { ...defaultLink(), ifi_index, ifi_flags: linkFlag.UP, ifi_change: linkFlag.UP }
  t.same(requestRoute(socket, { name: 'NEWLINK', body, attributes: {} }), [])
  t.match(requestPath(socket, four, 0), {
    body: { rtm_type: routeType.LOCAL },
    attributes: { oif: ifi_index },
  })
  t.match(requestPath(socket, six, 0), {
    body: { rtm_type: routeType.LOCAL },
    attributes: { oif: ifi_index },
  })
})
