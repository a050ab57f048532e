import t from 'tap'
import { policyOf } from '../../../../../../agent/datapath/software/policy/policy.ts'
import { steeringScript } from '../../../../../../agent/datapath/software/service/steering/table.ts'
import { BAND } from '../../../../../../agent/translate/priorities.ts'
import { action, family as af, dir } from '../../../../../../netlink/xfrm/constants.ts'
import { defaultPolicy, defaultSelector, defaultTemplate } from '../../../../../../netlink/xfrm/defaults.ts'
import type { Selector } from '../../../../../../netlink/xfrm/structs.ts'

const address = (...head: number[]) => Uint8Array.from({ length: 16 }, (_, i) => head[i] ?? 0)

type What = 'clear' | 'protect' | 'refuse'

function policy(
  what: What,
  sel: Partial<Selector>,
  direction: 0 | 1 | 2 = dir.OUT,
  mark?: { v: number; m: number },
) {
  const info = {
    ...defaultPolicy(),
    sel: { ...defaultSelector(sel.family ?? af.INET), ...sel },
    dir: direction,
    action: what === 'refuse' ? action.BLOCK : action.ALLOW,
  }
  const attributes = { ...(what === 'protect' && { tmpl: [defaultTemplate()] }), ...(mark && { mark }) }
  return policyOf({ body: info, attributes }, 8, 0)
}

const hosts = (last: number): Partial<Selector> => ({
  saddr: address(10, 0, 0, 1),
  daddr: address(10, 0, 0, last),
  prefixlen_s: 32,
  prefixlen_d: 32,
})

/** The rules of one chain, without what stands in front of them in every table. */
function rulesOf(script: string, chain: 'output' | 'input' | 'forward'): string[] {
  const body = script.split(`chain ${chain} {`)[1]?.split('\n}')[0] ?? ''
  const last = LAST_FIXED[chain]
  return (body.split(`${last}\n`)[1] ?? '').split('\n').filter(Boolean)
}

const LAST_FIXED = {
  output: 'oif lo accept',
  input: 'frag nexthdr { 50, 51 } accept',
  forward: 'iifname "dev0" accept',
}

const script = (...policies: ReturnType<typeof policy>[]) =>
  steeringScript({ device: 'dev0', policies, tunnels: [] })
const STEER = 'meta mark set meta mark or 0x400000 accept'

t.test('policies between hosts are looked up in sets, one for each run of a verdict', async (t) => {
  const text = script(
    policy('clear', hosts(2)),
    policy('protect', hosts(3)),
    policy('protect', { ...hosts(4), proto: 6, sport: 80, sport_mask: 0xffff }),
    policy('protect', hosts(5)),
    policy('clear', hosts(6)),
    policy('refuse', hosts(7)),
  )
  t.same(rulesOf(text, 'output'), [
    'ip saddr . ip daddr @out_0_4 accept',
    `ip saddr . ip daddr @out_1_4 ${STEER}`,
    `ip saddr . ip daddr . meta l4proto . th sport @out_1_4ps ${STEER}`,
    'ip saddr . ip daddr @out_2_4 accept',
    'ip saddr . ip daddr @out_3_4 counter name refused_out drop',
  ])
  t.match(text, 'elements = { 10.0.0.1 . 10.0.0.3, 10.0.0.1 . 10.0.0.5 }')
  t.match(text, 'elements = { 10.0.0.1 . 10.0.0.4 . 6 . 80 }')
})

t.test('everything else is a rule with its conditions, in order', async (t) => {
  const text = script(
    policy('clear', { proto: 17, dport: 500, dport_mask: 0xffff }),
    policy('protect', { daddr: address(10), prefixlen_d: 8 }),
    policy('clear', { proto: 1, sport: 8, sport_mask: 0xfff8 }),
    policy('refuse', { family: af.INET6, proto: 58, sport: 128, sport_mask: 0xffff }),
    policy('refuse', {}, dir.OUT, { v: 0x1000000, m: 0x7f000000 }),
  )
  t.same(rulesOf(text, 'output'), [
    'meta nfproto ipv4 meta l4proto 17 th dport 500 accept',
    `meta nfproto ipv4 ip daddr 10.0.0.0/8 ${STEER}`,
    'meta nfproto ipv4 meta l4proto 1 @th,0,8 & 0xf8 == 0x8 accept',
    'meta nfproto ipv6 meta l4proto 58 @th,0,8 128 counter name refused_out drop',
    'meta mark & 0x7f000000 == 0x1000000 meta nfproto ipv4 counter name refused_out drop',
  ])
})

t.test('inbound, what should be protected and arrives in clear is dropped', async (t) => {
  const text = script(policy('protect', {}, dir.IN), policy('clear', { family: af.INET6 }, dir.IN))
  t.same(rulesOf(text, 'input'), ['meta nfproto ipv4 counter name clear_in drop', 'meta nfproto ipv6 accept'])
  t.same(rulesOf(text, 'output'), [])
})

t.test('an optional template asks for nothing', async (t) => {
  const info = { ...defaultPolicy(), sel: defaultSelector(), dir: dir.IN }
  const optional = policyOf(
    { body: info, attributes: { tmpl: [{ ...defaultTemplate(), optional: 1 }] } },
    8,
    0,
  )
  t.same(rulesOf(script(optional), 'input'), ['meta nfproto ipv4 accept'])
})

t.test('a tunnel is steered by its own packets; what is routed into it is let go there', async (t) => {
  const endpoints = {
    local: { family: 'inet', bytes: Uint8Array.of(192, 0, 2, 1) },
    remote: { family: 'inet', bytes: Uint8Array.of(192, 0, 2, 2) },
  } as const
  const text = steeringScript({
    device: 'dev0',
    policies: [
      policy('refuse', { ...hosts(9), proto: 4 }),
      policy('protect', { daddr: address(10), prefixlen_d: 8, ifindex: 7 }),
      policy('clear', { ifindex: 7 }, dir.FWD),
      policy('protect', { daddr: address(10), prefixlen_d: 8 }, dir.FWD),
    ],
    tunnels: [{ endpoints, protocols: [4] }],
  })
  t.same(rulesOf(text, 'output'), [
    `ip saddr 192.0.2.1 ip daddr 192.0.2.2 meta l4proto { 4 } ${STEER}`,
    'ip saddr . ip daddr . meta l4proto @out_0_4p counter name refused_out drop',
    'meta oif 7 meta nfproto ipv4 ip daddr 10.0.0.0/8 accept',
  ])
  t.same(rulesOf(text, 'forward'), [
    'meta oif 7 meta nfproto ipv4 accept',
    'meta nfproto ipv4 ip daddr 10.0.0.0/8 counter name clear_in drop',
  ])
})

t.test('a mark that a tunnel’s own packet has from the packet inside does not count', async (t) => {
  const mark = { v: 0, m: 0x80 }
  t.same(rulesOf(script(policy('protect', {}, dir.OUT, mark)), 'output'), [
    ...[4, 41, 47].map((protocol) => `meta nfproto ipv4 meta l4proto ${protocol} ${STEER}`),
    `meta mark & 0x80 == 0x0 meta nfproto ipv4 ${STEER}`,
  ])
  t.same(rulesOf(script(policy('protect', { proto: 4 }, dir.OUT, mark)), 'output'), [
    `meta nfproto ipv4 meta l4proto 4 ${STEER}`,
  ])
})

t.test(
  'the host with itself is known by its interface, not by addresses that may move to another',
  async (t) => {
    const own = policy('clear', { family: af.INET6, daddr: address(0xfd, 1), prefixlen_d: 128 })
    const neighbour = policy('clear', { family: af.INET6, proto: 58, sport: 136, sport_mask: 0xffff })
    const inBand = (one: typeof own) => ({ ...one, info: { ...one.info, priority: BAND.system } })
    t.same(
      rulesOf(script(inBand(own), inBand(neighbour)), 'output'),
      rulesOf(script(inBand(neighbour)), 'output'),
    )
    t.equal(rulesOf(script(own), 'output').length, 1, 'a rule of a file that says the same')
  },
)
