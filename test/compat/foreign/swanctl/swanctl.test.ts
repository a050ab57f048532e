/**
 * `--to swanctl.conf`: golden texts; and whatever the rules are, each is said as it is meant, or listed.
 */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { formatPrefix, maskPrefix, type Prefix } from '../../../../agent/model/address.ts'
import { FLAG_COMBINED, PROTOCOL_AH, PROTOCOL_ESP } from '../../../../agent/model/algorithm.ts'
import { defaultAlgorithmTable as table } from '../../../../agent/model/default-algorithms.ts'
import { familiesOf } from '../../../../agent/model/entries.ts'
import { allKeyBits } from '../../../../agent/model/key-sizes.ts'
import { PROTOCOLS_WITH_PORTS, type Protection, type Rule } from '../../../../agent/model/policy.ts'
import { bandOf } from '../../../../agent/translate/priorities.ts'
import { requirementsOf, satisfies } from '../../../../agent/translate/requirements.ts'
import { toForeign } from '../../../../compat/foreign/index.ts'
import { childrenOf } from '../../../../compat/foreign/swanctl/children.ts'
import { toSwanctl } from '../../../../compat/foreign/swanctl/index.ts'
import { inOrder, overlap } from '../../../../compat/foreign/swanctl/order.ts'
import { proposalsOf } from '../../../../compat/foreign/swanctl/proposals.ts'
import { times } from '../../../support/fuzz.ts'
import { KEY_256 } from '../../configuration/support.ts'
import { rule } from '../../solaris/ipsecconf/arbitraries.ts'
import { hostWith, inputOf, linesOf, numbered } from '../support.ts'
import { childrenIn, readSections } from './swanctl-language.ts'

const ESP = 'encr_algs aes(256) encr_auth_algs sha256'

t.test('a rule that protects and one that lets pass', (t) => {
  const policy = `{laddr 192.0.2.1 raddr 198.51.100.7 ulp tcp rport 23} ipsec {${ESP}}\n{lport 22 ulp tcp laddr 192.0.2.0/24 dir both} bypass {}\n`
  const { lines, unsaid } = toSwanctl(inputOf(policy), hostWith())
  t.same(linesOf(unsaid), [1])
  t.match(unsaid[0]?.reason, /who the peer is.*solipsec-2/)
  t.equal(
    lines.join('\n'),
    `connections {
  solipsec-1 {
    local_addrs = 127.0.0.1
    remote_addrs = 127.0.0.1
    children {
      # policy:2: {lport 22 ulp tcp laddr 192.0.2.0/24 dir both} bypass {}
      rule-1 {
        mode = pass
        local_ts = 192.0.2.0/24[6/22]
        remote_ts = 0.0.0.0/0[6]
        priority = 1
        start_action = trap
      }
    }
  }
  solipsec-2 {
    version = 2
    local_addrs = 192.0.2.1
    remote_addrs = 198.51.100.7
    # Missing is who the two ends are and how they prove it. With a shared secret, here:
    #   local { auth = psk   id = THIS-HOST }
    #   remote { auth = psk   id = PEER }
    # and beside connections: secrets { ike-PEER { id = PEER   secret = "..." } }
    children {
      # policy:1: {laddr 192.0.2.1 raddr 198.51.100.7 ulp tcp rport 23} ipsec {${ESP}}
      rule-1 {
        mode = transport
        local_ts = 192.0.2.1/32[6]
        remote_ts = 198.51.100.7/32[6/23]
        esp_proposals = aes256-sha256
        priority = 2
        start_action = trap
      }
    }
  }
}`,
  )
  t.end()
})

const proposals = (action: string) => {
  const { lines } = toSwanctl(inputOf(`{laddr 192.0.2.1 raddr 198.51.100.7} ${action}\n`), hostWith())
  return lines.flatMap((line) => (line.includes('_proposals') ? [line.trim()] : []))
}

t.test('algorithms', (t) => {
  t.same(proposals('ipsec {encr_algs aes-gcm(256)}'), ['esp_proposals = aes256gcm16'])
  t.same(proposals('ipsec {auth_algs sha512} or ipsec {auth_algs sha1}'), ['ah_proposals = sha512,sha1'])
  t.same(proposals('ipsec {encr_algs 3des}'), [
    'esp_proposals = 3des-md5-sha1-sha256-sha384-sha512-aesxcbc-aescmac,3des',
  ])
  t.end()
})

t.test('tunnels', (t) => {
  const text = `{tunnel tun0 negotiate tunnel laddr 10.1.0.0/16 raddr 10.2.0.0/16} ipsec {${ESP}}\n`
  const children = childrenIn(readSections(toSwanctl(inputOf(text), hostWith(['tun0'])).lines))
  t.match(children, [
    {
      ends: '192.0.2.1 198.51.100.1',
      settings: { mode: 'tunnel', local_ts: '10.1.0.0/16', remote_ts: '10.2.0.0/16' },
    },
  ])
  const outer = `{tunnel tun0 negotiate transport} ipsec {${ESP}}\n`
  const [only] = childrenIn(readSections(toSwanctl(inputOf(outer), hostWith(['tun0'])).lines))
  t.match(only?.settings, { mode: 'transport', local_ts: '192.0.2.1/32[4]', remote_ts: '198.51.100.1/32[4]' })
  t.end()
})

const CASES: readonly (readonly [policy: string, reason: RegExp])[] = [
  [`{raddr 10.0.0.1 dir in} ipsec {${ESP}}`, /both directions/],
  [`{laddr 192.0.2.1 raddr 10.0.0.1} ipsec {${ESP} auth_algs md5}`, /never by both/],
  [`{laddr 192.0.2.1 raddr 10.0.0.1} ipsec {${ESP}} or pass {}`, /never either/],
  [`{laddr 192.0.2.1 raddr 10.0.0.1} ipsec {${ESP}} or ipsec {auth_algs md5}`, /choose between ESP and AH/],
  [`{laddr 192.0.2.1 raddr 10.0.0.1} ipsec {${ESP} sa unique}`, /sa unique/],
  [`{raddr 10.0.0.1} ipsec {${ESP}}`, /name it by laddr/],
  [`{laddr 192.0.2.0/24 raddr 10.0.0.0/8} ipsec {${ESP}}`, /laddr is a network/],
  ['{ulp icmp type 8 dir both} bypass {}', /no ICMP types/],
  [`{tunnel tun0 negotiate tunnel} ipsec {${ESP}}`, /by addresses alone/],
  ['{tunnel tun0 negotiate tunnel raddr 10.0.0.0/8} drop {}', /no drop to a tunnel interface/],
  [`{tunnel tun7 negotiate tunnel} ipsec {${ESP}}`, /Cannot find tunnel/],
]

t.test('what cannot be said', (t) => {
  for (const [policy, reason] of CASES) {
    const { unsaid, text } = toForeign('swanctl.conf', inputOf(`\n${policy}\n`), hostWith(['tun0']))
    t.match(unsaid, [{ file: 'policy', line: 2, text: policy, reason }], policy)
    t.equal(unsaid.length, 1)
    t.notMatch(text, /^ *rule-/m)
  }
  const keys = `add ah spi 0x300 src 10.0.0.1 dst 192.0.2.1 auth_alg sha256 authkey ${KEY_256}\n`
  const { unsaid, text } = toForeign('swanctl.conf', inputOf('', keys), hostWith())
  t.match(unsaid, [
    { file: 'keys', line: 1, text: 'ah spi 0x300 src 10.0.0.1 dst 192.0.2.1', reason: /by IKE/ },
  ])
  t.notOk(text.includes(KEY_256))
  t.end()
})

t.test('tunnels that only interfaces tell apart', (t) => {
  const through = (name: string) =>
    `{tunnel ${name} negotiate tunnel laddr 10.1.0.0/16 raddr 10.2.0.0/16} ipsec {${ESP}}\n`
  const { unsaid, remarks } = toSwanctl(
    inputOf(through('tun0') + through('tun1')),
    hostWith(['tun0', 'tun1']),
  )
  t.match(unsaid, [
    { line: 2, reason: /known by addresses alone.*policy:1/ },
    { line: 1, reason: /who the peer is/ },
  ])
  t.match(remarks.join('\n'), /whatever their route/)
  t.end()
})

t.test('order around rules toward networks', (t) => {
  const policy = `{laddr 192.0.2.1 raddr 10.0.0.1} ipsec {${ESP}}
{raddr 10.0.0.0/8} ipsec {${ESP}}
{laddr 192.0.2.1 raddr 10.0.0.2} ipsec {${ESP}}
{raddr 10.0.0.0/16} ipsec {${ESP}}
{raddr 172.16.0.0/12} ipsec {${ESP}}
{raddr 10.0.0.0/9 dir both} drop {}
`
  const { lines, unsaid } = toSwanctl(inputOf(policy), hostWith())
  const refused = unsaid.filter(({ reason }) => reason.includes('orders'))
  t.same(linesOf(refused), [4])
  const priorities = childrenIn(readSections(lines)).map(({ comment, settings }) => [
    comment.split(':')[1],
    Number(settings.priority ?? 0),
  ])
  const of = (line: number) => Number(priorities.find(([number]) => Number(number) === line)?.[1])
  t.ok(of(1) > 0 && of(1) < 100_000)
  t.same([of(2), of(5)], [0, 0], "strongSwan's own")
  t.ok(of(3) > 1_000_000 && of(6) > of(3))
  t.end()
})

/** What the children of a said rule must be about, worked out anew. */
function selectorsOf({ selector }: Rule, isTransport: boolean): string[] {
  const { protocol, localPort, remotePort, pairs } = selector
  const protocols = protocol === undefined && (localPort || remotePort) ? PROTOCOLS_WITH_PORTS : [protocol]
  return pairs
    .flatMap((pair) =>
      familiesOf(pair).flatMap((family) =>
        protocols.map((number) => {
          const any = isTransport ? 'dynamic' : family === 'inet' ? '0.0.0.0/0' : '::/0'
          const end = (prefix: Prefix | undefined, port: number | undefined) => {
            const words = number === undefined ? '' : port ? `[${number}/${port}]` : `[${number}]`
            return `${prefix && prefix.length > 0 ? formatPrefix(maskPrefix(prefix)) : any}${words}`
          }
          return `${end(pair.local, localPort)} ${end(pair.remote, remotePort)}`
        }),
      ),
    )
    .sort()
}

t.test('every rule is said or listed', async () => {
  fc.assert(
    fc.property(fc.array(rule, { maxLength: 6 }), (rules) => {
      const input = numbered(rules.map((one, i) => (i % 2 === 0 ? { ...one, direction: 'both' } : one)))
      const names = rules.flatMap(({ tunnel }) => (tunnel ? [tunnel.name] : []))
      const { lines, unsaid } = toSwanctl(input, hostWith([...new Set(names)]))
      const gone = linesOf(unsaid.filter(({ reason }) => !/^only|^who/.test(reason)))
      const children = childrenIn(readSections(lines))
      for (const one of input.rules) {
        const { line } = one.span
        const own = children.filter(({ comment }) => comment.startsWith(`# model:${line}:`))
        assert.equal(own.length === 0, gone.includes(line))
        if (own.length === 0 || one.tunnel?.mode === 'transport') continue
        const found = own.map(({ settings }) => `${settings.local_ts} ${settings.remote_ts}`).sort()
        assert.deepEqual(found, selectorsOf(one, own[0]?.settings.mode === 'transport'))
        const protects = one.actions[0]?.kind === 'protect'
        for (const { settings } of own) {
          assert.equal(settings.esp_proposals !== undefined || settings.ah_proposals !== undefined, protects)
          assert.equal(settings.start_action, 'trap')
        }
      }
    }),
    times(200),
  )
})

t.test('what shares packets keeps the order of Solaris', async () => {
  fc.assert(
    fc.property(fc.array(rule, { minLength: 2, maxLength: 8 }), (rules) => {
      const ranked = rules.flatMap((one) => {
        const children = childrenOf({ ...one, direction: 'both' }, table, hostWith().tunnels)
        return typeof children === 'string' ? [] : [{ rule: one, children }]
      })
      const place = new Map(ranked.map(({ rule: one }, index) => [one, index]))
      const placed = inOrder(ranked, () => undefined)
      const rank = ({ rule: one }: { rule: Rule }) => bandOf(one.actions) * 16 + (place.get(one) ?? 0)
      for (const a of placed) {
        for (const b of placed) {
          if (rank(a) >= rank(b) || !overlap(a.traffic, b.traffic)) continue
          // strongSwan chooses between 100,000 and 400,000.
          assert.ok((a.priority ?? 400_000) < (b.priority ?? 100_000))
        }
      }
    }),
    times(200),
  )
})

/** Every cipher and integrity algorithm that a name stands for. */
function contentsOf(protocol: 'esp' | 'ah', proposal: string) {
  const words = proposal.split('-')
  const rows = (wanted: number) =>
    table.algorithms
      .filter(({ protocol: one }) => one === wanted)
      .flatMap((row) => {
        const sizes = allKeyBits(row.keySizes)
        return (sizes.length === 0 ? [0] : sizes).flatMap((bits) =>
          words.includes(nameOf(wanted, row.number, bits)) ? [{ row, bits }] : [],
        )
      })
  const ciphers = rows(PROTOCOL_ESP)
  const integrity = rows(PROTOCOL_AH)
  assert.equal(ciphers.length + integrity.length, words.length, proposal)
  const none = { row: undefined, bits: 0 }
  return (protocol === 'ah' ? [none] : ciphers).flatMap((cipher) =>
    (integrity.length === 0 ? [none] : integrity).map((auth) => ({ cipher, auth })),
  )
}

const NAMES: Readonly<Record<number, string>> = {
  12: 'aesN',
  13: 'aesNctr',
  23: 'aesNgmac',
  ...{ 14: 'aesNccm8', 15: 'aesNccm12', 16: 'aesNccm16', 18: 'aesNgcm8', 19: 'aesNgcm12', 20: 'aesNgcm16' },
  ...{ 2: 'des', 3: '3des', 7: 'blowfishN', 11: 'null', 28: 'chacha20poly1305' },
}
const AUTH_NAMES: Readonly<Record<number, string>> = {
  ...{ 2: 'md5', 3: 'sha1', 5: 'sha256', 6: 'sha384', 7: 'sha512', 9: 'aesxcbc', 250: 'aescmac' },
}

function nameOf(protocol: number, number: number, bits: number): string {
  return protocol === PROTOCOL_AH
    ? (AUTH_NAMES[number] ?? '')
    : (NAMES[number] ?? '').replace('N', String(bits))
}

t.test('proposals offer what satisfies a rule, and nothing else', async () => {
  const protections = rule.map(({ actions }) =>
    actions.flatMap((one): Protection[] =>
      one.kind === 'protect' ? [{ ...one.protection, unique: false }] : [],
    ),
  )
  fc.assert(
    fc.property(protections, (list) => {
      for (const protection of list) {
        const found = proposalsOf(protection, table)
        if (typeof found === 'string') continue
        const [requirement] = requirementsOf(protection)
        assert.ok(requirement)
        for (const { cipher, auth } of found.list.flatMap((one) => contentsOf(found.kind, one))) {
          const content = {
            protocol: found.kind,
            encrAlgorithm: cipher.row?.number ?? 0,
            encrBits: cipher.bits,
            authAlgorithm: auth.row?.number ?? 0,
            authBits: auth.bits,
            combined: ((cipher.row?.flags ?? 0) & FLAG_COMBINED) !== 0,
            unique: false,
            mode: 'transport' as const,
            source: { family: 'inet' as const, bytes: new Uint8Array(4) },
            destination: { family: 'inet' as const, bytes: new Uint8Array(4) },
          }
          assert.ok(satisfies(content, requirement), `${found.list} ${requirement.key}`)
        }
      }
    }),
    times(200),
  )
})
