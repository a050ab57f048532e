/**
 * `--to setkey`: golden texts; and whatever the rules and SAs are, what the kernel's PF_KEY makes of the script is what
 * was asked for, or it is listed.
 */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import type { Address } from '../../../../agent/model/address.ts'
import type { SecurityAssociation } from '../../../../agent/model/association.ts'
import { appendRules, emptyState } from '../../../../agent/reconcile/policy-edit.ts'
import { placedRules } from '../../../../agent/reconcile/policy-state.ts'
import { newState } from '../../../../agent/translate/associations.ts'
import { classesOf, translatePolicySet } from '../../../../agent/translate/policy-set.ts'
import { familyNumber } from '../../../../agent/translate/selectors.ts'
import { toForeign } from '../../../../compat/foreign/index.ts'
import { toSetkey } from '../../../../compat/foreign/setkey/index.ts'
import { manualNumbers } from '../../../../compat/foreign/setkey/numbers.ts'
import { toXfrmAddress } from '../../../../netlink/xfrm/address.ts'
import { INF, mode, proto } from '../../../../netlink/xfrm/constants.ts'
import { times } from '../../../support/fuzz.ts'
import { KEY_128, KEY_256 } from '../../configuration/support.ts'
import { rule } from '../../solaris/ipsecconf/arbitraries.ts'
import { associations } from '../../solaris/ipseckey/arbitrary.ts'
import { hostWith, inputOf, linesOf, numbered } from '../support.ts'
import { hexOf, spoken, wanted } from './kernel-form.ts'
import { CIPHERS, INTEGRITY, readScript, type SpokenState } from './setkey-language.ts'

const ESP = 'encr_algs aes(128) encr_auth_algs sha1'
const KEY_160 = KEY_256.slice(0, 40)
const KEYS = `encr_alg aes encrkey ${KEY_128} auth_alg sha1 authkey ${KEY_160}`

t.test('a rule and its SA', (t) => {
  const input = inputOf(
    `{laddr 192.0.2.1 raddr 198.51.100.7 ulp tcp rport 23} ipsec {${ESP}}\n{laddr 192.0.2.1 raddr 10.0.0.0/8 dir in} drop {}\n`,
    `add esp spi 0x1001 src 192.0.2.1 dst 198.51.100.7 ${KEYS} soft_addtime 60 hard_bytes 1000 replay 32\n`,
  )
  const { lines, unsaid } = toSetkey(input, hostWith())
  t.same(unsaid, [])
  t.same(lines.slice(-4), [
    'spdadd 192.0.2.1/32 198.51.100.7/32[23] 6 -P out prio high + 268434941 ipsec esp/transport//unique:15492 ;',
    'spdadd 198.51.100.7/32[23] 192.0.2.1/32 6 -P in prio high + 268434941 ipsec esp/transport//unique:15492 ;',
    'spdadd 10.0.0.0/8 192.0.2.1/32 any -P in prio high - 268436483 discard ;',
    `add 192.0.2.1 198.51.100.7 esp 0x1001 -m transport -u 15492 -r 32 -bh 1000 -ls 60 -E aes-cbc 0x${KEY_128} -A hmac-sha1 0x${KEY_160} ;`,
  ])
  t.match(toForeign('setkey', input, hostWith()).text, /^# .*Load with: setkey -k -f FILE\n/)
  t.end()
})

t.test('a tunnel, known by its addresses; its fwd policy stands first', (t) => {
  const ends = 'src 192.0.2.1 dst 198.51.100.1'
  const { lines, unsaid, remarks } = toSetkey(
    inputOf(
      `{tunnel tun0 negotiate tunnel laddr 10.1.0.0/16 raddr 10.2.0.0/16} ipsec {${ESP}}\n`,
      `add esp spi 0x1001 ${ends} proto 4 isrc 0.0.0.0/0 idst 0.0.0.0/0 ${KEYS}\n`,
    ),
    hostWith(['tun0']),
  )
  t.same(unsaid, [])
  t.match(remarks.join('\n'), /whatever their route/)
  t.match(
    lines[0],
    /^spdadd 10\.2\.0\.0\/16 10\.1\.0\.0\/16 any -P fwd .* esp\/tunnel\/198\.51\.100\.1-192\.0\.2\.1\/unique:\d+ ;$/,
  )
  const numbers = new Set(lines.flatMap((line) => /(?:unique:|-u )(\d+)/.exec(line)?.[1] ?? []))
  t.equal(numbers.size, 1)
  t.match(lines.at(-1), / -m tunnel /)
  t.ok(lines.some((line) => /^spdadd 192\.0\.2\.1\/32 198\.51\.100\.1\/32 4 -P out .* discard ;$/.test(line)))
  t.end()
})

t.test('one limit alone is not for the kernel: the other is none', (t) => {
  const line = (limits: string) => toSetkey(inputOf('', sa(limits)), hostWith()).lines.join()
  t.match(line('hard_bytes 5'), / -bh 5 -bs 18446744073709551615 /)
  t.match(line('soft_addtime 5'), / -bh 18446744073709551615 -ls 5 /)
  t.notMatch(line(''), / -[bl][hs] /)
  t.end()
})

function sa(more: string, algorithms = KEYS): string {
  return `add esp spi 0x1001 src 10.0.0.1 dst 192.0.2.1 ${algorithms} ${more}\n`
}

const tun0 = '{tunnel tun0 negotiate tunnel laddr 10.1.0.0/16 raddr 10.2.0.0/16}'
const HMAC = (bits: number) => `auth_alg sha${bits} authkey ${KEY_256.repeat(2).slice(0, bits / 4)}`

const CASES: readonly (readonly [what: string, policy: string, keys: string, reason: RegExp])[] = [
  ['protocol 255', '{ulp 255 raddr 10.0.0.1} drop {}', '', /255 is all protocols/],
  ['echo replies', '{ulp icmp type 0 dir in} bypass {}', '', /type 0 is all types/],
  ['types from 0', '{ulp icmp type 0-9 dir in} drop {}', '', /type 0 is all types/],
  ['code 0', '{ulp icmp type 3 code 0 dir in} bypass {}', '', /code 0 all codes/],
  ['protection or not', `{raddr 10.0.0.1} ipsec {${ESP}} or pass {}`, '', /level use/],
  ['alternatives', `{raddr 10.0.0.1} ipsec {${ESP}} or ipsec {auth_algs md5}`, '', /^only narrowed/],
  ['several kinds', `{raddr 10.0.0.1} ipsec {auth_algs any} or ipsec {auth_algs md5}`, '', /^only narrowed/],
  [
    'no such tunnel',
    `{tunnel tun7 negotiate tunnel} ipsec {${ESP}}`,
    '',
    /Cannot find tunnel interface tun7/,
  ],
  ['a tunnel without addresses', `{tunnel tun0 negotiate tunnel} ipsec {${ESP}}`, '', /laddr and raddr/],
  [
    'the other IP version',
    `{tunnel tun0 negotiate tunnel laddr 2001:db8:1::/48 raddr 2001:db8:2::/48} ipsec {${ESP}}`,
    '',
    /other IP version/,
  ],
  [
    'SHA-256, cut',
    '',
    sa('', `encr_alg aes encrkey ${KEY_128} ${HMAC(256)}`),
    /cuts hmac-sha256 .* 96 bits, not 128/,
  ],
  [
    'AH that is padded otherwise',
    '',
    `add ah spi 0x1001 src 10.0.0.1 dst 192.0.2.1 ${HMAC(512)}\n`,
    /pads AH .*hmac-sha512/,
  ],
  [
    'AEAD',
    '',
    sa('', `encr_alg aes-gcm encrkey ${KEY_128}01020304 reserved_bits 32`),
    /no word for the cipher/,
  ],
  [
    'CMAC',
    '',
    sa('', `encr_alg aes encrkey ${KEY_128} auth_alg aes-cmac authkey ${KEY_128}`),
    /no word.*integrity/,
  ],
  ['ESP in UDP', '', sa('encap udp nat_loc 192.0.2.1 nat_rem 10.0.0.1 inbound'), /UDP port/],
  ['use time', '', sa('hard_usetime 100'), /since first use/],
  ['a wide window', '', sa('replay 64'), /more than 32/],
  ['a sequence number', '', sa('replay_value 12'), /begin anew/],
  ['ports of an SA', '', sa('proto tcp dport 80'), /which packets/],
  ['inner addresses', '', sa('proto 4 isrc 10.1.0.0/16 idst 10.2.0.0/16'), /which packets/],
  ['the other version inside', '', sa('proto 41 isrc ::/0 idst ::/0'), /other IP version/],
  ['a pair', '', sa('idle_addtime 5'), /^only the SA itself.*idle limits/],
]

t.test('what cannot be said', (t) => {
  for (const [what, policy, keys, reason] of CASES) {
    const { text, unsaid } = toForeign('setkey', inputOf(`\n${policy}\n`, `\n${keys}`), hostWith(['tun0']))
    t.equal(unsaid.length, 1, what)
    t.match(unsaid[0], { file: policy ? 'policy' : 'keys', line: 2, reason }, what)
    t.match(text, /^# (policy|keys):2: not said: /m)
    t.notOk(JSON.stringify(unsaid).includes(KEY_128.slice(0, 8)), 'no key in the list')
    if (!reason.source.startsWith('^only'))
      t.same(readScript(text.trimEnd().split('\n')), { policies: [], states: [] })
  }
  t.end()
})

t.test('tunnels that only interfaces tell apart', (t) => {
  const other = tun0.replace('tun0', 'tun1')
  const cases: readonly (readonly [string, number[]])[] = [
    [`${tun0} ipsec {${ESP}}\n${other} ipsec {${ESP}}\n`, [2]],
    [`${tun0} ipsec {${ESP}}\n{raddr 10.2.3.4} ipsec {auth_algs sha1}\n`, [1]],
    [`{raddr 10.2.3.4} ipsec {${ESP}}\n${tun0} ipsec {${ESP}}\n`, []],
    [`${tun0} ipsec {${ESP}}\n{raddr 10.3.0.0/16} ipsec {auth_algs sha1}\n`, []],
    [`${tun0} ipsec {${ESP}}\n{raddr 10.2.0.0/16 dir both} drop {}\n`, []],
  ]
  for (const [policy, lines] of cases) {
    const { unsaid } = toSetkey(inputOf(policy), hostWith(['tun0', 'tun1']))
    t.same(linesOf(unsaid), lines, policy)
    if (lines.length > 0) t.match(unsaid[0]?.reason, /known by addresses alone.*policy:\d/)
  }
  t.end()
})

t.test('ESP in UDP that this host only sends', (t) => {
  const keys = `add esp spi 0x1001 src 192.0.2.1 dst 10.0.0.1 ${KEYS} encap udp nat_rem 10.0.0.1 nat_rport 1024 outbound\n`
  const { lines, unsaid } = toSetkey(inputOf('', keys), hostWith())
  t.match(
    unsaid,
    [/^only the SA itself.*address translation/].map((reason) => ({ reason })),
  )
  t.match(lines[0], /^add 192\.0\.2\.1\[4500\] 10\.0\.0\.1\[1024\] esp-udp 0x1001 /)
  t.end()
})

t.test('a number for each kind of SA', (t) => {
  const numbers = manualNumbers([0x5000_0001, 0x5000_2001, 0x5800_0001, 0x5000_1fff, 0x5000_3fff])
  t.same(
    [...(numbers?.values() ?? [])].sort((a, b) => a - b),
    [0x2000, 0x2001, 0x2002, 0x2003, 0x3fff],
  )
  t.equal(manualNumbers(Array.from({ length: 0x2001 }, (_, i) => i)), undefined)
  t.equal(manualNumbers(Array.from({ length: 0x2000 }, (_, i) => 7 * i))?.size, 0x2000)
  t.end()
})

t.test('every rule is said or listed', async () => {
  fc.assert(
    fc.property(fc.array(rule, { maxLength: 4 }), (rules) => {
      const input = numbered(rules)
      const host = hostWith([...new Set(rules.flatMap(({ tunnel }) => tunnel?.name ?? []))])
      const { lines, unsaid } = toSetkey(input, host)
      const { policies } = readScript(lines)
      const gone = linesOf(unsaid.filter(({ reason }) => !reason.startsWith('only')))
      const said = input.rules.filter(({ span }) => !gone.includes(span.line))
      const facts = { ...input, ...host, marks: undefined, forwarding: false, guardsOwnAddresses: false }
      const classes = classesOf(said, facts)
      const numbers = manualNumbers([...classes.esp, ...classes.ah].map(({ reqid }) => reqid)) ?? new Map()
      const expected = translatePolicySet(placedRules(appendRules(emptyState(0), said)), classes, [], facts)
      const all = new Set(expected.flatMap((policy) => wanted(policy, (reqid) => numbers.get(reqid))))
      const found = policies.map(spoken)
      // Of two with one selector, only the first is ever asked.
      for (const one of found) assert.ok(all.has(one), one)
      const places = new Map(found.map((one) => [placeOf(one), one]))
      assert.equal(places.size, found.length, 'a selector for each')
      for (const one of all) assert.ok(priorityOf(places.get(placeOf(one)) ?? '[]') <= priorityOf(one), one)
    }),
    times(25),
  )
})

/** Direction and selector. */
function placeOf(policy: string): string {
  return JSON.stringify((JSON.parse(policy) as unknown[]).slice(0, 4))
}

function priorityOf(policy: string): number {
  const priority = (JSON.parse(policy) as unknown[])[4]
  assert.equal(typeof priority, 'number', 'it is there')
  return Number(priority)
}

t.test('every SA is said or listed', async () => {
  fc.assert(
    fc.property(associations, (list) => {
      const placed = list.map((association, index) => ({ association, file: 'keys', line: index + 1 }))
      const { lines, unsaid } = toSetkey({ ...numbered([]), associations: placed }, hostWith())
      const gone = linesOf(unsaid.filter(({ reason }) => !reason.startsWith('only')))
      const { states } = readScript(lines)
      const said = placed.filter(({ line }) => !gone.includes(line)).map(({ association }) => association)
      assert.equal(states.length, said.length)
      said.forEach((association, index) => {
        assertSame(association, states[index])
      })
      for (const { association } of placed) {
        for (const key of [association.authKey, association.encrKey]) {
          if (key) assert.ok(!JSON.stringify(unsaid).includes(hexOf(key.reveal())))
        }
      }
    }),
    times(150),
  )
})

/** What the kernel makes of the line is the state that ipseckey would install. */
function assertSame(sa: SecurityAssociation, line: SpokenState | undefined): void {
  assert.ok(line)
  const { body, attributes } = newState(sa, {
    protectionClass: undefined,
    marks: undefined,
    outboundOnly: true,
  })
  const bytes = (address: Address) => hexOf(toXfrmAddress(address.bytes))
  assert.deepEqual(
    [bytes(line.source), bytes(line.destination), familyNumber(line.destination.family), line.spi],
    [hexOf(body.saddr), hexOf(body.id.daddr), body.family, body.id.spi],
  )
  assert.deepEqual([line.protocol === 'ah' ? proto.AH : proto.ESP, line.reqid], [body.id.proto, body.reqid])
  assert.deepEqual(
    [line.mode === 'tunnel' ? mode.TUNNEL : mode.TRANSPORT, line.window],
    [body.mode, body.replay_window],
  )
  const { sel, lft } = body
  assert.deepEqual(
    [sel.prefixlen_s, sel.prefixlen_d, sel.proto, sel.sport_mask, sel.dport_mask, sel.family],
    [0, 0, 0, 0, 0, body.family],
    'PF_KEY has no selectors of SAs',
  )
  const bytesOf = (limit: bigint | undefined) => limit || INF
  assert.deepEqual(
    [bytesOf(line.hard?.bytes), bytesOf(line.soft?.bytes), line.hard?.time ?? 0n, line.soft?.time ?? 0n],
    [lft.hard_byte_limit, lft.soft_byte_limit, lft.hard_add_expires_seconds, lft.soft_add_expires_seconds],
  )
  assert.deepEqual([lft.hard_use_expires_seconds, lft.soft_use_expires_seconds], [0n, 0n])
  const { alg_crypt, alg_auth_trunc, alg_aead, encap, replay_val, replay_esn_val } = attributes
  assert.deepEqual([alg_aead, replay_val, replay_esn_val], [undefined, undefined, undefined])
  assert.deepEqual(line.ports ?? [], encap ? [encap.encap_sport, encap.encap_dport] : [])
  const [cipher, integrity] = [CIPHERS[line.cipher?.word ?? ''], INTEGRITY[line.integrity?.word ?? '']]
  assert.deepEqual(
    [cipher?.name, line.cipher?.key],
    [alg_crypt?.alg_name, alg_crypt && hexOf(alg_crypt.alg_key)],
  )
  assert.deepEqual(
    [integrity?.name, line.integrity?.key, integrity?.icvBits],
    [
      alg_auth_trunc?.alg_name,
      alg_auth_trunc && hexOf(alg_auth_trunc.alg_key),
      alg_auth_trunc?.alg_trunc_len,
    ],
  )
}
