import fc from 'fast-check'
import t from 'tap'
import { alignedBlocks, selectorPairs } from '../../../agent/translate/selectors.ts'
import type { Selector } from '../../../netlink/xfrm/structs.ts'
import { ruleOf } from '../../compat/solaris/ipsecconf/support.ts'

t.test('property: blocks cover a range of 8-bit numbers, each once, and nothing else', async () => {
  const range = fc.tuple(fc.nat(255), fc.nat(255)).map(([a, b]) => [Math.min(a, b), Math.max(a, b)] as const)
  fc.assert(
    fc.property(range, ([from, to]) => {
      const blocks = alignedBlocks(from, to)
      for (let number = 0; number <= 0xffff; number += number < 300 ? 1 : 97) {
        const hits = blocks.filter(({ value, mask }) => ((number ^ value) & mask) === 0).length
        if (hits !== (number >= from && number <= to ? 1 : 0)) return false
      }
      return blocks.length <= 14
    }),
  )
  t.same(alignedBlocks(0, 255), [{ value: 0, mask: 0xff00 }])
})

/** The selectors of a pattern, as `source -> destination protocol sport/mask dport/mask`. */
function selectors(pattern: string, family: 'inet' | 'inet6' = 'inet') {
  const { selector } = ruleOf(`{${pattern} dir both} drop {}\n`)
  const [pair = {}] = selector.pairs
  const show = (one: Selector): string => {
    const port = (value: number, mask: number) => (mask === 0 ? '*' : `${value}/${mask.toString(16)}`)
    const end = (bytes: Uint8Array, length: number) => `${bytes.slice(0, 4).join('.')}/${length}`
    const ports = `${port(one.sport, one.sport_mask)} ${port(one.dport, one.dport_mask)}`
    return `${end(one.saddr, one.prefixlen_s)} ${end(one.daddr, one.prefixlen_d)} ${one.proto} ${ports}`
  }
  const all = selectorPairs(selector, pair, family)
  return { out: all.map((one) => show(one.out)), in: all.map((one) => show(one.in)) }
}

t.test('addresses and ports turn round inbound', async (t) => {
  t.same(selectors('laddr 192.0.2.1 raddr 10.1.2.3/8 ulp tcp lport 22 rport 99'), {
    out: ['192.0.2.1/32 10.0.0.0/8 6 22/ffff 99/ffff'],
    in: ['10.0.0.0/8 192.0.2.1/32 6 99/ffff 22/ffff'],
  })
  t.same(selectors('raddr 10.1.2.3'), {
    out: ['0.0.0.0/0 10.1.2.3/32 0 * *'],
    in: ['10.1.2.3/32 0.0.0.0/0 0 * *'],
  })
})

t.test('ICMP type and code do not', async (t) => {
  const echo = '0.0.0.0/0 0.0.0.0/0 1 8/ffff *'
  t.same(selectors('ulp icmp type 8'), { out: [echo], in: [echo] })
  const both = '0.0.0.0/0 0.0.0.0/0 58 1/ffff 4/ffff'
  t.same(selectors('ulp ipv6-icmp type 1 code 4', 'inet6'), { out: [both], in: [both] })
  t.equal(selectors('ulp icmp type 8-10 code 1-2').out.length, 4, 'two blocks each')
  t.same(selectors('ulp icmp type 255').out, ['0.0.0.0/0 0.0.0.0/0 1 * *'])
})

t.test(
  'a port without a protocol is one of the protocols that have ports, never of what else keeps numbers there',
  async (t) => {
    t.same(
      selectors('lport 22').in,
      [6, 17, 33, 132, 136].map((protocol) => `0.0.0.0/0 0.0.0.0/0 ${protocol} * 22/ffff`),
    )
  },
)
