/** What is said of packets that are passed on, in tunnels and beside them, and of policies for some SAs only. */
import { family as af } from '../../../netlink/xfrm/constants.ts'
import { defaultSelector } from '../../../netlink/xfrm/defaults.ts'
import { address } from '../../support/address.ts'
import { asked, esp, IN, inEsp, judge } from './rows.ts'
import { association, both, LEFT, packet, policy, protect, RIGHT, stateOf } from './world.ts'

const OUR_INDEX = 0x4000_0008

const passing = { from: '10.1.0.9', to: '10.2.0.9' }
const forwarding = { isForwarding: true }
const forwarded = [policy({ direction: 'OUT', asks: ['esp'] }), policy({ direction: 'FWD', asks: ['esp'] })]

judge(
  'passed on, under policies of others',
  { policies: forwarded, facts: forwarding },
  {
    'out in clear': { is: 'leak', bytes: packet(passing) },
    'in in clear': { is: 'arrivedInClear', bytes: packet(passing), frame: IN },
    'ESP of others': { is: 'leak', bytes: protect(esp, packet(passing)), asked: 'ESP' },
  },
)
judge(
  'what this host does not pass on, somebody else has sent',
  { policies: forwarded },
  {
    out: { is: 'notOurs', bytes: packet(passing) },
    in: { is: 'notOurs', bytes: packet(passing), frame: IN },
  },
)
const unmarked = policy({
  direction: 'OUT',
  asks: ['esp'],
  index: OUR_INDEX,
  attributes: { mark: { v: 0, m: 0x8000_0000 } },
})
judge(
  'passed on, under policies of ours, which leave it out',
  { policies: [unmarked], facts: forwarding },
  {
    'passed on': { is: 'clear', bytes: packet(passing) },
    own: { is: 'leak', bytes: packet() },
  },
)
judge(
  'the software data path does not hold it against outbound policy',
  { policies: forwarded, facts: { ...forwarding, dataPath: 'software' } },
  {
    out: { is: 'clear', bytes: packet(passing) },
    in: { is: 'arrivedInClear', bytes: packet(passing), frame: IN },
    own: { is: 'leak', bytes: packet() },
  },
)

const tunnel = association({ isTunnel: true })
const inTunnel = () => protect(tunnel, packet(passing))
/** The end of the tunnel here, and the other one. */
const GATEWAY = '10.0.0.3'
const addresses = [GATEWAY, LEFT, RIGHT]

judge(
  'a tunnel between networks',
  {
    addresses,
    policies: [
      ...both({ asks: ['esp'], isTunnel: true }),
      policy({ direction: 'FWD', asks: ['esp'], isTunnel: true }),
    ],
    states: [stateOf(tunnel)],
    facts: forwarding,
  },
  {
    out: { is: 'protected', bytes: inTunnel() },
    'in, to be passed on': { is: 'protected', bytes: inTunnel(), frame: IN },
    'in, for this host': { is: 'protected', bytes: protect(tunnel, packet({ from: '10.1.0.9' })), frame: IN },
    'past the tunnel': { is: 'leak', bytes: packet(passing), asked: 'ESP in tunnel mode' },
  },
)
judge(
  'a tunnel without policy',
  { addresses, states: [stateOf(tunnel)], facts: forwarding },
  {
    out: { is: 'unasked', bytes: inTunnel() },
    in: { is: 'arrivedOtherwise', bytes: inTunnel(), frame: IN, seen: 'for which there is no policy' },
  },
)
judge(
  'transport mode is asked for',
  { addresses, policies: asked, states: [stateOf(tunnel)] },
  {
    out: { is: 'leak', bytes: inTunnel(), seen: /^ESP in tunnel mode/ },
  },
)

const IFINDEX = 9
const [local, remote] = [address(GATEWAY), address(RIGHT)]
const tunnels = new Map([
  ['tun0', { name: 'tun0', ifindex: IFINDEX, endpoints: { local, remote }, protocols: [4] }],
])
judge(
  'a rule that is bound to a tunnel interface',
  {
    addresses,
    policies: [
      policy({ direction: 'OUT', asks: ['esp'], isTunnel: true, sel: { ifindex: IFINDEX } }),
      policy({ direction: 'OUT', isBlock: true, sel: { proto: 4 } }),
    ],
    states: [stateOf(tunnel)],
    facts: { tunnels },
  },
  {
    'by the tunnel': { is: 'protected', bytes: inTunnel() },
    'the interface itself, in clear': {
      is: 'leak',
      bytes: packet({ protocol: 4 }),
      asked: 'no such packet at all (drop)',
    },
    'beside it': { is: 'clear', bytes: packet() },
  },
)

judge(
  "the SA's mark chooses the policy",
  {
    policies: [
      policy({ direction: 'IN', asks: ['esp'], attributes: { mark: { v: 0x0100_0000, m: 0xff00_0000 } } }),
      policy({ direction: 'IN', isBlock: true, priority: 1 }),
    ],
    states: [stateOf(esp, {}, { set_mark: 0x0100_0000, set_mark_mask: 0xff00_0000 })],
  },
  {
    in: { is: 'protected', bytes: inEsp(), frame: IN },
    clear: { is: 'arrivedInClear', bytes: packet(), frame: IN },
  },
)
judge(
  'an SA for other packets',
  {
    policies: asked,
    states: [stateOf(esp, { sel: { ...defaultSelector(af.INET), proto: 6 } })],
  },
  { in: { is: 'arrivedOtherwise', bytes: inEsp(), frame: IN, seen: 'for other packets' } },
)
