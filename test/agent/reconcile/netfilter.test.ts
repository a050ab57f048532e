import t from 'tap'
import {
  NO_NETFILTER_RULES,
  netfilterScript,
  sameNetfilterRules,
} from '../../../agent/reconcile/netfilter.ts'

t.test('nothing to do leaves no table', async (t) => {
  t.equal(netfilterScript(NO_NETFILTER_RULES), 'table inet solipsec\ndelete table inet solipsec\n')
})

t.test('forwarded packets are marked behind destination NAT', async (t) => {
  const script = netfilterScript({ ...NO_NETFILTER_RULES, forwardedMark: 0x8000_0000 })
  t.match(script, /hook prerouting priority -99/)
  t.match(script, 'mark set meta mark or 0x80000000')
  t.notMatch(script, /saddr type local/)
})

t.test('own IPv6 addresses are guarded before anything else sees the packet', async (t) => {
  const script = netfilterScript({ ...NO_NETFILTER_RULES, guardsOwnAddresses: true })
  t.match(script, /hook prerouting priority raw/)
  t.match(script, 'meta nfproto ipv6 iif != lo fib saddr type local drop')
  t.notMatch(script, /mark set/)
})

t.test('class marks are taken off what no SA protects', async (t) => {
  const script = netfilterScript({ ...NO_NETFILTER_RULES, classMarks: 0x7f00_0000 })
  t.match(script, 'meta ipsec missing meta mark & 0x7f000000 != 0 meta mark set meta mark and 0x80ffffff')
})

t.test('rules are the same or not', async (t) => {
  t.ok(sameNetfilterRules(NO_NETFILTER_RULES, { ...NO_NETFILTER_RULES }))
  t.notOk(sameNetfilterRules(NO_NETFILTER_RULES, { ...NO_NETFILTER_RULES, forwardedMark: 1 }))
  t.notOk(sameNetfilterRules(NO_NETFILTER_RULES, { ...NO_NETFILTER_RULES, guardsOwnAddresses: true }))
  t.notOk(sameNetfilterRules(NO_NETFILTER_RULES, { ...NO_NETFILTER_RULES, classMarks: 1 }))
})
