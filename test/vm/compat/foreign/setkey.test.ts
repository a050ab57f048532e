/**
 * `solipsec convert --to setkey`: what the kernel's PF_KEY makes of the script is what was asked for, and two hosts that
 * loaded it understand each other.
 */
import { spawnSync } from 'node:child_process'
import t from 'tap'
import { FLAG_COMBINED, PROTOCOL_AH } from '../../../../agent/model/algorithm.ts'
import { ALGORITHM_NULL, defaultAlgorithmTable } from '../../../../agent/model/default-algorithms.ts'
import { allKeyBits } from '../../../../agent/model/key-sizes.ts'
import { stateFlag } from '../../../../netlink/xfrm/constants.ts'
import { spoken, wanted } from '../../../compat/foreign/setkey/kernel-form.ts'
import { readScript } from '../../../compat/foreign/setkey/setkey-language.ts'
import { convertedFor, kernelOf } from '../../../support/batch.ts'
import { type Host, twoHosts } from '../../../support/namespaces.ts'
import { loadScript } from '../../../support/pfkey.ts'
import { Commands, key } from '../commands/ipseckey/support.ts'

t.setTimeout(250_000)
spawnSync('modprobe', ['af_key'])

const V4 = 'src 192.0.2.1 dst 192.0.2.2'
const V6 = 'src 2001:db8::2 dst 2001:db8::1'
const sha1 = `auth_alg sha1 authkey ${key(1, 160)}`
const aes = `encr_alg aes encrkey ${key(2, 256)} ${sha1}`

/** Every row of the table. */
function* everyAlgorithm(): Generator<string> {
  for (const { number, protocol, keySizes, flags, parameters } of defaultAlgorithmTable.algorithms) {
    const salt = (parameters?.salt ?? 0) * 8
    const sizes = number === ALGORITHM_NULL && protocol !== PROTOCOL_AH ? [0] : allKeyBits(keySizes)
    for (const bits of sizes.slice(0, 3)) {
      const digits = key(bits + number, bits + salt)
      if (protocol === PROTOCOL_AH) {
        yield `ah ${V4} auth_alg ${number} authkey ${digits}`
        yield `ah ${V6} auth_alg ${number} authkey ${digits}`
        yield `esp ${V6} ${aes.slice(0, aes.indexOf('auth_alg'))} auth_alg ${number} authkey ${digits}`
      } else {
        const cipher = bits
          ? `encr_alg ${number} ${salt ? `reserved_bits ${salt}` : ''} encrkey ${digits}`
          : 'encr_alg null'
        yield `esp ${V4} ${cipher} ${flags & FLAG_COMBINED ? '' : sha1}`
      }
    }
  }
}

const KINDS = [
  'proto 4 isrc 0.0.0.0/0 idst 0.0.0.0/0',
  'soft_bytes 1000 hard_bytes 5000000000 soft_addtime 5000 hard_addtime 6000',
  'hard_bytes 2000000',
  'soft_addtime 5000',
  'replay 32',
]

/** `solipsec convert --to setkey`, into the kernel. */
function load(host: Host, ...argv: string[]) {
  const converted = convertedFor(host.namespace, 'setkey', ...argv)
  if (converted.status !== 0) throw new Error(converted.stderr)
  const script = readScript(converted.stdout.trimEnd().split('\n'))
  loadScript(host.namespace, script)
  return { script, stderr: converted.stderr }
}

/** Without the marks, and without the padding that makes no difference here. */
function plain({ name, body, attributes }: ReturnType<typeof kernelOf>['states'][number]) {
  const { set_mark: _, set_mark_mask: __, ...rest } = attributes
  return { name, body: { ...body, flags: body.flags & ~stateFlag.ALIGN4 }, attributes: rest }
}

t.test('SAs are those of ipseckey, or listed', async (t) => {
  const { left, right } = await twoHosts(t)
  const commands = new Commands(t, left.namespace)
  const kinds = [...everyAlgorithm(), ...KINDS.map((kind) => `esp ${V4} ${kind} ${aes}`)]
  const keys = commands.file(
    kinds.map((kind, i) => kind.replace(/^(ah|esp)/, `add $1 spi ${0x1000 + i}`)).join('\n'),
  )
  await commands.done(`-f ${keys}`)
  const { script, stderr } = load(right, '--partial', keys)
  const [own, foreign] = [kernelOf(left.namespace).states, kernelOf(right.namespace).states]
  t.equal(own.length, kinds.length)
  const unsaid = new Set(
    [...stderr.matchAll(/:(\d+): not said/g)].map(([, line]) => 0x1000 + Number(line) - 1),
  )
  t.equal(foreign.length + unsaid.size, kinds.length)
  t.equal(script.states.length, foreign.length)
  const there = new Map(foreign.map((state) => [state.body.id.spi, plain(state)]))
  for (const state of own) {
    const { spi } = state.body.id
    t.same(there.get(spi), unsaid.has(spi) ? undefined : plain(state), `spi ${spi}`)
  }
})

const ESP = 'encr_algs aes(256) encr_auth_algs sha1'
const RULES = `{laddr 192.0.2.0/24 raddr 192.0.2.0/24 ulp tcp lport 7} ipsec {auth_algs sha1 ${ESP}}
{laddr 192.0.2.0/24 raddr 192.0.2.0/24 ulp tcp rport 7} ipsec {auth_algs sha1 ${ESP}}
{laddr 192.0.2.0/24 raddr 192.0.2.0/24 ulp tcp lport 8} ipsec {encr_algs aes(128) encr_auth_algs sha1}
{laddr 192.0.2.0/24 raddr 192.0.2.0/24 ulp tcp rport 8} ipsec {encr_algs aes(128) encr_auth_algs sha1}
{lport 22 ulp tcp dir both} bypass {}
{ulp icmp type 8-11 dir in} bypass {}
{raddr 2001:db8:9::/48 dir in} drop {}
{raddr 203.0.113.0/24 lport 53} ipsec {auth_algs md5}
{tunnel tun0 negotiate tunnel laddr 10.1.0.0/16 raddr 10.2.0.0/16} ipsec {auth_algs sha512 encr_algs aes(192)}
{tunnel tun1 negotiate tunnel laddr 2001:db8:1::/48 raddr 2001:db8:2::/48} ipsec {encr_algs 3des encr_auth_algs sha1}
`

function sa(protocol: string, spi: number, ends: string, rest: string): string {
  return `add ${protocol} spi ${spi} ${ends} ${rest}\n`
}

const BACK = 'src 192.0.2.2 dst 192.0.2.1'
const KEYS = [
  sa('esp', 0x2001, V4, aes),
  sa('esp', 0x2002, BACK, aes),
  sa('ah', 0x2003, V4, sha1),
  sa('ah', 0x2004, BACK, sha1),
].join('')

t.test('policies are as said, and two hosts talk', async (t) => {
  const { left, right } = await twoHosts(t)
  const commands = new Commands(t, left.namespace)
  for (const [host, local, remote] of [
    [left, 1, 2],
    [right, 2, 1],
  ] as const) {
    await host.ip(
      `link add tun0 type ipip local 192.0.2.${local} remote 192.0.2.${remote}`,
      `link add tun1 type ip6tnl mode ip6ip6 local 2001:db8::${local} remote 2001:db8::${remote}`,
    )
    const { script } = load(host, commands.file(RULES), commands.file(KEYS))
    const found = kernelOf(host.namespace).policies.flatMap(({ body, attributes }) =>
      wanted({ ...body, tmpl: attributes.tmpl ?? [] } as Parameters<typeof wanted>[0], (reqid) => reqid),
    )
    t.same(found.sort(), script.policies.map(spoken).sort())
    t.ok(found.length > 60)
  }
  await right.tcpEcho(7)
  await right.tcpEcho(8)
  const wire = await left.capture()
  t.match(await left.tcpSend(right.address4, 7, 'hello'), { reply: 'hello' })
  t.match(
    await left.tcpSend(right.address4, 8, 'hello', { timeout: 1000 }),
    { error: /./ },
    'no SA of that kind',
  )
  const packets = await wire.stop()
  t.ok(packets.length > 5)
  for (const { protocol } of packets) t.equal(protocol, 51)
})
