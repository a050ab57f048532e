import t from 'tap'
import { route, tunnelOf } from '../../../netlink/route/messages.ts'
import {
  addAddress,
  changeTunnel,
  createTunnel,
  deleteAddress,
  deleteLink,
  type RouteRequest,
  setMtu,
  setUp,
  type TunnelForm,
} from '../../../netlink/route/tunnels.ts'
import { NLM_F_CREATE, NLM_F_EXCL } from '../../../netlink/socket/message.ts'
import { hex, plain } from '../codec/plain.ts'

const LOCAL4 = Uint8Array.of(192, 0, 2, 1)
const REMOTE4 = Uint8Array.of(198, 51, 100, 1)
const LOCAL6 = hex('20010db8000000000000000000000001')
const REMOTE6 = hex('20010db8000000000000000000000002')

function bytesOf({ message }: RouteRequest): Uint8Array {
  return route.encode(message)
}

/** What iproute2 sends for the same, but for what it says of its own accord and what is 0 anyway. */
const forms: readonly (readonly [form: TunnelForm, data: string])[] = [
  [
    { kind: 'ipip', local: LOCAL4, remote: REMOTE4 },
    '08000200 c0000201 08000300 c6336401 05000400 40000000 05000a00 01000000',
  ],
  [
    { kind: 'gre', local: LOCAL4, remote: REMOTE4 },
    '08000600 c0000201 08000700 c6336401 05000800 40000000 05000a00 01000000',
  ],
  [
    { kind: 'ip6tnl', local: LOCAL6, remote: REMOTE6 },
    `14000200 20010db8000000000000000000000001 14000300 20010db8000000000000000000000002
     05000400 40000000 08000800 01000000 05000900 00000000`,
  ],
  [
    { kind: 'ip6gre', local: LOCAL6, remote: REMOTE6 },
    `14000600 20010db8000000000000000000000001 14000700 20010db8000000000000000000000002
     05000800 40000000 08000d00 01000000`,
  ],
]

for (const [form, data] of forms) {
  t.test(`a tunnel of kind ${form.kind}`, async (t) => {
    for (const request of [createTunnel('ip.tun0', 1_000_001, form), changeTunnel(1_000_001, form)]) {
      const payload = bytesOf(request)
      const message = route.decode(route.type('NEWLINK'), payload)
      if (message.name !== 'NEWLINK') throw new Error('it is about an interface')
      const { linkinfo } = message.attributes
      t.same(Buffer.from(linkinfo?.data ?? []).toString('hex'), Buffer.from(hex(data)).toString('hex'))
      t.same(plain(tunnelOf(message.attributes)), plain(form))
      t.equal(message.body.ifi_index, 1_000_001)
      t.equal(message.body.ifi_flags, 0, 'a new one is down, and another is left as it is')
    }
    t.equal(createTunnel('a', 1, form).flags, NLM_F_CREATE | NLM_F_EXCL, 'only where there is none')
    t.equal(changeTunnel(1, form).flags, 0, 'only where there is one')
  })
}

t.test('the bytes of the others', async (t) => {
  const index = '41420f00'
  const link = (flags: string, change: string) => `00000000 ${index} ${flags} ${change}`
  const same = (request: RouteRequest, digits: string) =>
    t.equal(
      Buffer.from(bytesOf(request)).toString('hex'),
      Buffer.from(hex(digits)).toString('hex'),
      request.message.name,
    )
  same(setUp(1_000_001, true), link('01000000', '01000000'))
  same(setUp(1_000_001, false), link('00000000', '01000000'))
  same(setMtu(1_000_001, 1400), `${link('00000000', '00000000')} 08000400 78050000`)
  same(deleteLink(1_000_001), link('00000000', '00000000'))
  const address = `021e0000 ${index} 08000200 0a000001 08000100 0a000001`
  same(addAddress(1_000_001, Uint8Array.of(10, 0, 0, 1), 30), address)
  same(deleteAddress(1_000_001, Uint8Array.of(10, 0, 0, 1), 30), address)
  const { body } = addAddress(1, LOCAL6, 64).message
  t.match(body, { ifa_family: 10, ifa_prefixlen: 64 })
  const { mtu } = createTunnel('a', 1, forms[0]?.[0] as TunnelForm, 1400).message.attributes as {
    mtu: number
  }
  t.equal(mtu, 1400)
})
