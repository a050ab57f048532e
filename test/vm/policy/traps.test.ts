/**
 * The thirty ways in which Linux's XFRM surprises whoever comes from Solaris, each with the tests that would fail if
 * it caught us, or with the reason why it cannot. The last few are tested here.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { root } from '../../support/tiers.ts'
import { check } from '../support/check.ts'
import { AES_SHA256, pairOf } from '../support/keys.ts'
import { CommandFailed } from '../support/station.ts'
import { raw } from '../support/traffic.ts'
import { AH, ESP, INET, TwoStations } from '../support/two-stations.ts'
import { Wiretap } from '../support/wiretap.ts'

t.setTimeout(600_000)

/** Test files, each with words of a title in it; or why there is nothing to test. */
type Cover = readonly (readonly [file: string, title: string])[] | string

const vm = (file: string, title: string) => [`test/vm/policy/${file}.test.ts`, title] as const
const acceptance = vm('acceptance', 'each rule accepts what it names, and refuses clear text')
const everything = vm('exceptions', 'a rule for everything leaves alone what a host lives by')
const transforms = vm('transforms', 'UDP, TCP and ICMP flow, and only ESP or AH is on the wire')
const either = vm('selectors', 'which rule wins')
const here = (title: string) => vm('traps', title)

const TRAPS: readonly (readonly [trap: string, cover: Cover])[] = [
  ['wildcard rules catch IPv6 neighbour discovery and own addresses', [everything]],
  ['outbound policies catch forwarded packets', [vm('forwarding', "is about the host's own packets alone")]],
  ['reqid 0 is exact on output, any on input', [acceptance]],
  [
    'integrity is checked inbound only, ciphers never',
    [acceptance, vm('exceptions', 'an SA with a shorter key than the rule asks for carries nothing out')],
  ],
  ['an optional template is an open door inbound', [acceptance]],
  [
    'protection beyond the templates is tolerated',
    [acceptance, vm('exceptions', 'a protected packet that no rule asked for is refused')],
  ],
  ['ESP around AH cannot be received in transport mode', [transforms]],
  ['six templates are too many', 'no rule makes more than two'],
  ['HMAC-SHA-256 is cut to 96 bits by default', [vm('transforms', 'HMAC-SHA-256 is cut to 128 bits')]],
  ['no replay window by default', [here('a replay window refuses what came before')]],
  ['UPDSA does not change keys', 'an update never carries keys: the key language refuses them'],
  ['ALLOCSPI and then NEWSA collide', 'manual keys name their SPI: nothing is allocated'],
  ['one acquire at a time for a pair and reqid', 'there is no key daemon yet: nothing listens for acquires'],
  ["an acquire's selector names the interface", 'the same'],
  [
    'without a listener there is no larval SA',
    'the same; packets without an SA are refused, see exceptions.test.ts',
  ],
  ['per-socket policy has its own rules', 'rules never become per-socket policy'],
  ['of two equal priorities the older policy wins', [either]],
  ['the mark is part of what names a policy', [acceptance, here('nothing stays behind')]],
  ['port policies are searched one by one', 'a matter of speed: see bench/'],
  [
    'unknown attributes are ignored',
    [['test/host/netlink/xfrm-iproute2.test.ts', 'our bytes are those of iproute2']],
  ],
  [
    'dumps do not say that they were disturbed',
    [['test/host/netlink/events.test.ts', 'a consistent read beside a process that changes the table']],
  ],
  ['a lifetime limit of 0 is not "no limit"', [transforms]],
  ['encapsulated packets need a socket that takes them', [vm('exceptions', 'ESP in UDP')]],
  ['a tunnel needs both in and fwd policies', [['test/vm/policy/tunnels.ts', 'negotiate tunnel']]],
  ['SPIs below 256 and weak keys are accepted', [here('reserved SPIs and weak keys are refused')]],
  ['if_id 0 on an SA is refused', 'no SA or policy of ours has an interface id'],
  ['DELPOLICY needs the mark', [here('nothing stays behind')]],
  [
    'a default of block kills neighbour discovery',
    'the default stays accept; what a rule for everything must spare: exceptions.test.ts',
  ],
  ['lockdown hides keys', 'a machine cannot be locked down and unlocked in a test; HiddenKeysError says so'],
  ['a blocked sender sees EPERM', [vm('selectors', "forBoth('drop'")]],
]

const two = await TwoStations.make(t)
const { left, right } = two

t.test('each trap is covered', async (t) => {
  t.equal(TRAPS.length, 30)
  TRAPS.forEach(([trap, cover], i) => {
    if (typeof cover === 'string') t.pass(`${i + 1}. ${trap}: ${cover}`)
    else {
      const missing = cover.filter(([file, title]) => !readFileSync(join(root, file), 'utf8').includes(title))
      t.same(missing, [], `${i + 1}. ${trap}`)
    }
  })
})

t.test('a replay window refuses what came before', async (t) => {
  const { L, R } = INET
  const wire = Wiretap.open(t, { station: right })
  const replayed = async (more: string) => {
    await left.policy(`{laddr ${L} raddr ${R}} ipsec {${ESP}}`)
    await right.policy(`{laddr ${R} raddr ${L}} ipsec {${ESP}}`)
    await two.keys(pairOf({ ...AES_SHA256, spi: 0x3000, source: L, destination: R, more }))
    wire.take()
    two.in(INET)
    const [packet] = wire.take()
    await right.policy('')
    const PROTOCOL_ESP = 50
    const ends = [right, left].map((station, i) => ({ station, address: [R, L][i] ?? '' }))
    const [from, to] = ends
    return packet && from && to ? raw(from, to, PROTOCOL_ESP, packet.payload).refusals : ['nothing sent']
  }
  t.match(await replayed('replay 32'), ['XfrmInStateSeqError'])
  t.notMatch(await replayed(''), ['XfrmInStateSeqError'], 'only where one was asked for')
})

t.test('nothing stays behind', async (t) => {
  await left.policy(`{ulp udp} ipsec {${ESP}} or ipsec {${AH}} or pass {}\n{ulp tcp dir in} drop {}`)
  t.match(await left.host.ip('xfrm policy list'), /mark/)
  await left.policy('')
  t.equal(await left.host.ip('xfrm policy list'), '')
  check(t, 'flushed', { out: [() => two.out(INET), 'clear'], in: [() => two.in(INET), 'accepted'] })
})

t.test('reserved SPIs and weak keys are refused', async (t) => {
  const ends = `src ${INET.L} dst ${INET.R}`
  const integrity = `auth_alg sha1 authkey ${'5a'.repeat(20)}`
  await t.rejects(left.keys(`add esp spi 255 ${ends} ${integrity}\n`), CommandFailed)
  const weak = `add esp spi 0x4000 ${ends} encr_alg des encrkey 0101010101010101 ${integrity}\n`
  await t.rejects(left.keys(weak), CommandFailed)
  await left.keys(`add esp spi 256 ${ends} ${integrity}\n`)
})
