/** Whole policy sets: what is there around the rules, and tunnels. Single packets are the subject of semantics.test.ts. */
import t from 'tap'
import { type Address, formatAddress, formatPrefix } from '../../../agent/model/address.ts'
import { defaultAlgorithmTable } from '../../../agent/model/default-algorithms.ts'
import type { OutboundAssociation } from '../../../agent/translate/choice.ts'
import type { ClassTable } from '../../../agent/translate/classes.ts'
import type { KernelPolicy } from '../../../agent/translate/kernel-policy.ts'
import { DEFAULT_MARK_MASK, markLayout } from '../../../agent/translate/marks.ts'
import {
  classesOf,
  type HostFacts,
  MarkCapacityError,
  translatePolicySet,
} from '../../../agent/translate/policy-set.ts'
import { BAND } from '../../../agent/translate/priorities.ts'
import { readAddress } from '../../../agent/translate/selectors.ts'
import type { Tunnel } from '../../../agent/translate/tunnels.ts'
import { action, dir, mode, proto } from '../../../netlink/xfrm/constants.ts'
import { rulesOf } from '../../compat/solaris/ipsecconf/support.ts'
import { address } from '../../support/address.ts'
import { identityOf } from '../reconcile/identity.ts'
import { inOrder } from './simulation/host.ts'

const TUNNEL: Tunnel = {
  name: 'tun0',
  ifindex: 9,
  endpoints: { local: address('192.0.2.1'), remote: address('198.51.100.1') },
  protocols: [4],
}

const FACTS: HostFacts = {
  algorithms: defaultAlgorithmTable,
  marks: markLayout(DEFAULT_MARK_MASK),
  forwarding: false,
  localAddresses: ['192.0.2.1', '2001:db8::1'].map(address),
  tunnels: new Map([['tun0', TUNNEL]]),
  guardsOwnAddresses: true,
}

function translate(
  text: string,
  facts: Partial<HostFacts> = {},
  associations: (classes: ClassTable) => OutboundAssociation[] = () => [],
): readonly KernelPolicy[] {
  const all = { ...FACTS, ...facts }
  const rules = rulesOf(text)
  const classes = classesOf(rules, all)
  return translatePolicySet(inOrder(rules), classes, associations(classes), all)
}

const DIRECTIONS = { [dir.IN]: 'in', [dir.OUT]: 'out', [dir.FWD]: 'fwd' } as const

/** `in 192.0.2.1/32 10.0.0.0/8 esp-tunnel 192.0.2.1 198.51.100.1`, with protocol and interface where there are. */
function line({ dir: way, sel, action: verdict, tmpl }: KernelPolicy): string {
  const end = (bytes: Uint8Array, length: number) =>
    formatPrefix({ ...readAddress(bytes, sel.family), length })
  const words = [DIRECTIONS[way], end(sel.saddr, sel.prefixlen_s), end(sel.daddr, sel.prefixlen_d)]
  if (sel.proto !== 0) words.push(`proto ${sel.proto}`)
  if (sel.ifindex !== 0) words.push(`dev ${sel.ifindex}`)
  if (verdict === action.BLOCK) words.push('block')
  for (const one of tmpl) {
    words.push(`${one.id.proto === proto.ESP ? 'esp' : 'ah'}${one.mode === mode.TUNNEL ? '-tunnel' : ''}`)
    const outer = [one.saddr, one.id.daddr].map((bytes) => formatAddress(readAddress(bytes, one.family)))
    if (one.mode === mode.TUNNEL) words.push(...outer)
  }
  return words.join(' ')
}

const ofRules = (policies: readonly KernelPolicy[]) =>
  policies.filter(({ priority }) => priority >= BAND.bypass && priority < BAND.fence)

t.test('no rules, no policies', async (t) => {
  t.same(translate(''), [])
})

t.test('a family that no rule is about has no policies', async (t) => {
  const families = (text: string) => new Set(translate(text).map(({ sel }) => sel.family))
  t.same([...families('{raddr 10.0.0.1} ipsec {auth_algs sha1}\n')], [2])
  t.same([...families('{raddr ::/0} ipsec {auth_algs sha1}\n')], [10])
  t.same(families('{ulp tcp} ipsec {auth_algs sha1}\n').size, 2)
})

t.test('the frame: own addresses, neighbours, key management', async (t) => {
  const frame = translate('{} ipsec {auth_algs sha1}\n')
  const lines = frame.map(line)
  t.ok(lines.includes('out ::/0 2001:db8::1/128'), 'to an own IPv6 address')
  t.ok(lines.includes('in 2001:db8::1/128 ::/0'), 'and from it')
  t.notOk(
    lines.some((one) => one.includes('192.0.2.1')),
    'IPv4 has no need of it',
  )
  const allowed = (protocol: number, number: number, way: number) =>
    frame.some(
      ({ sel, dir: of, action: verdict }) =>
        of === way &&
        verdict === action.ALLOW &&
        sel.proto === protocol &&
        ((sel.sport ^ number) & sel.sport_mask) === 0 &&
        sel.sport_mask !== 0,
    )
  for (const type of [130, 132, 133, 135, 136, 137, 143])
    for (const way of [dir.IN, dir.OUT]) t.ok(allowed(58, type, way), `ICMPv6 ${type}`)
  t.notOk(allowed(58, 128, dir.IN), 'no echo request')
  for (const port of [500, 4500]) t.ok(allowed(17, port, dir.OUT), `UDP ${port}`)
})

t.test('where a rule drops inbound ICMP, none of it passes in clear', async (t) => {
  const clear = (drop: string) =>
    translate(`{} ipsec {auth_algs sha1}\n${drop}`).some(
      ({ sel, dir: way }) => way === dir.IN && sel.proto === 1,
    )
  t.ok(clear(''))
  t.ok(clear('{ulp tcp dir in} drop {}\n'))
  t.ok(clear('{raddr 10.0.0.1 ulp icmp dir out} drop {}\n'))
  for (const drop of ['{raddr 10.0.0.1 dir in} drop {}\n', '{raddr 10.0.0.1 ulp icmp dir both} drop {}\n']) {
    const inbound = translate(`{} ipsec {auth_algs sha1}\n${drop}`).filter(
      ({ priority }) => priority < BAND.bypass,
    )
    t.notOk(
      inbound.some(({ sel, dir: way }) => way === dir.IN && sel.proto === 1),
      drop,
    )
  }
})

t.test('no two policies of one identity', async (t) => {
  const policies = translate(
    '{lport 80} ipsec {auth_algs sha1}\n{ulp tcp lport 80} ipsec {encr_algs aes encr_auth_algs sha1}\n',
  )
  t.equal(new Set(policies.map(identityOf)).size, policies.length)
  const out = policies.filter(
    ({ dir: way, sel }) => way === dir.OUT && sel.proto === 6 && sel.sport === 80 && sel.family === 2,
  )
  t.same(
    out.map(({ tmpl }) => tmpl[0]?.id.proto),
    [proto.ESP],
    'the one that wins',
  )
})

t.test('a tunnel: bound to its interface outbound, known by its SAs inbound', async (t) => {
  const policies = translate(
    '{tunnel tun0 negotiate tunnel raddr 10.0.0.0/8} ipsec {encr_algs aes encr_auth_algs sha256}\n',
  )
  t.same(ofRules(policies).map(line), [
    'out 0.0.0.0/0 10.0.0.0/8 dev 9 esp-tunnel 192.0.2.1 198.51.100.1',
    'in 10.0.0.0/8 0.0.0.0/0 esp-tunnel 198.51.100.1 192.0.2.1',
    'fwd 10.0.0.0/8 0.0.0.0/0 esp-tunnel 198.51.100.1 192.0.2.1',
  ])
  const lines = policies.map(line)
  for (const fence of [
    'out 192.0.2.1/32 198.51.100.1/32 proto 4 block',
    'in 198.51.100.1/32 192.0.2.1/32 proto 4 block',
    'fwd 0.0.0.0/0 0.0.0.0/0 dev 9',
  ])
    t.ok(lines.includes(fence), fence)
})

t.test('a tunnel in transport mode: its outer packets', async (t) => {
  const text = '{tunnel tun0 negotiate transport} ipsec {encr_algs aes encr_auth_algs sha256}\n'
  t.same(ofRules(translate(text)).map(line), [
    'out 192.0.2.1/32 198.51.100.1/32 proto 4 esp',
    'in 198.51.100.1/32 192.0.2.1/32 proto 4 esp',
  ])
})

t.test('alternatives are chosen by the SAs that there are; those of a tunnel by its ends', async (t) => {
  const [aes, des] = [
    'ipsec {encr_algs aes encr_auth_algs sha256}',
    'ipsec {encr_algs 3des encr_auth_algs sha256}',
  ]
  const rule = (pattern: string) => `{${pattern}} ${aes} or ${des}\n`
  const [local, remote, other] = ['192.0.2.1', '198.51.100.1', '198.51.100.2'].map(address)
  const outTemplates = (text: string, peers: [Address | undefined, number][]) => {
    let reqids: number[] = []
    const policies = translate(text, {}, (classes) => {
      reqids = [12, 3].map(
        (cipher) =>
          classes.esp.find(({ signature }) => signature.some((one) => one.includes(` ${cipher}(`)))?.reqid ??
          0,
      )
      return peers.flatMap(([destination, choice]) => {
        const protectionClass = classes.esp.find(({ reqid }) => reqid === reqids[choice])
        return protectionClass && local && destination
          ? [{ source: local, destination, protectionClass, unique: false }]
          : []
      })
    })
    return ofRules(policies)
      .filter(({ dir: way }) => way === dir.OUT)
      .map(
        ({ sel, tmpl }) =>
          `${readAddress(sel.daddr, sel.family).bytes.join('.')}/${sel.prefixlen_d} ${reqids.indexOf(tmpl[0]?.reqid ?? 0)}`,
      )
      .sort()
  }
  t.same(
    outTemplates(rule('raddr 198.51.100.0/24'), []),
    ['198.51.100.0/24 0'],
    'none yet: the preferred one',
  )
  t.same(outTemplates(rule('raddr 198.51.100.0/24'), [[remote, 1]]), ['198.51.100.0/24 1'])
  t.same(
    outTemplates(rule('raddr 198.51.100.0/24'), [
      [remote, 1],
      [other, 0],
    ]),
    ['198.51.100.0/24 0', '198.51.100.1/32 1'],
  )
  t.same(
    outTemplates(rule('raddr 198.51.100.0/24'), [
      [remote, 1],
      [remote, 0],
    ]),
    ['198.51.100.0/24 0'],
  )
  t.same(
    outTemplates(rule('raddr 203.0.113.0/24'), [[remote, 1]]),
    ['203.0.113.0/24 0'],
    'not about these hosts',
  )
  const tunnelled = rule('tunnel tun0 negotiate tunnel raddr 10.0.0.0/8')
  t.same(outTemplates(tunnelled, [[remote, 1]]), ['10.0.0.0/8 1'])
  t.same(outTemplates(tunnelled, [[other, 1]]), ['10.0.0.0/8 0'])
})

t.test('mark bits that do not do', async (t) => {
  const ciphers = [
    'aes(128)',
    'aes(192)',
    'aes(256)',
    '3des',
    'des',
    'aes-gcm(128)',
    'aes-gcm(192)',
    'aes-gcm(256)',
  ]
  const single = (cipher: string) =>
    cipher.startsWith('aes-gcm')
      ? `ipsec {encr_algs ${cipher}}`
      : `ipsec {encr_algs ${cipher} encr_auth_algs sha1}`
  const text = ciphers
    .map((cipher, i) => `{lport ${i + 1}} ${single(cipher)} or ipsec {auth_algs sha1}\n`)
    .join('')
  t.doesNotThrow(() => translate(text, { marks: markLayout(0x1f) }), 'one class a rule: they share')
  const pairs = ciphers.flatMap((a, i) =>
    ciphers.slice(i + 1).map((b, k) => `{lport ${i * 10 + k + 1}} ${single(a)} or ${single(b)}\n`),
  )
  t.throws(
    () => translate(pairs.join(''), { marks: markLayout(0x1f) }),
    MarkCapacityError,
    'every two together',
  )
  t.doesNotThrow(() => translate(pairs.join('')))
  t.doesNotThrow(() => translate(pairs.join(''), { marks: undefined }))
})
