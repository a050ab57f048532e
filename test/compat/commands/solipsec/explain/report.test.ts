/** Questions to files, as they are asked on the command line. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { run } from '../../../../../compat/commands/solipsec.ts'
import { violations } from '../../../../schemas/support.ts'
import { espPair } from '../../../../support/configuration-place.ts'
import { captureIo } from '../../support/capture-io.ts'

const folder = mkdtempSync(join(tmpdir(), 'solipsec-explain-'))
t.teardown(() => rmSync(folder, { recursive: true, force: true }))

function file(name: string, content: string | object): string {
  const path = join(folder, name)
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content), { mode: 0o600 })
  return path
}

const POLICY = file(
  'ipsecinit.conf',
  `{lport 22 ulp tcp dir both} bypass {}
{raddr 192.0.2.0/24 ulp tcp rport 443} ipsec {encr_algs aes(128) encr_auth_algs sha256 sa shared} or ipsec {auth_algs sha256 sa shared}
{raddr 198.51.100.0/24} ipsec {encr_algs any encr_auth_algs any sa shared} or pass {}
{raddr 192.0.2.0/24 ulp icmp type 8 dir both} drop {}
{raddr 192.0.2.0/24} ipsec {auth_algs sha256 sa shared}
`,
)
const KEYS = file('keys.json', { associations: espPair(0x1001, '192.0.2.1', '192.0.2.2') })
const ROUTER = file('router.json', {
  tunnels: [{ name: 'tun9', kind: 'ipip', local: '203.0.113.1', remote: '203.0.113.2' }],
  policies: [
    {
      tunnel: { name: 'tun9', mode: 'tunnel' },
      local: '10.1.0.0/16',
      remote: '10.2.0.0/16',
      protect: { encryption: 'aes(128)', authentication: 'sha256' },
    },
  ],
})
const CARRIED = file('carried.json', {
  tunnels: [{ name: 'tun9', kind: 'ipip', local: '203.0.113.1', remote: '203.0.113.2' }],
  policies: [
    {
      tunnel: { name: 'tun9', mode: 'transport' },
      protect: { encryption: 'aes(128)', authentication: 'sha256' },
    },
  ],
})

async function ask(question: string, files = [POLICY, KEYS]) {
  const io = captureIo()
  const words = ['explain', ...files.flatMap((path) => ['--file', path]), ...question.split(' ')]
  const code = await run(words, io)
  if (/[0-9a-f]{24}/.test(io.out())) throw new Error('a key was shown')
  return { code, out: io.out(), err: io.err() }
}

async function askJson(question: string, files?: string[]) {
  const { code, out, err } = await ask(`--json ${question}`, files)
  t.same(violations('solipsec-explain.schema.json', out || '{}'), [], `${question} ${err}`)
  return { code, ...JSON.parse(out) }
}

t.test('protected, and by what', async (t) => {
  const { code, out } = await ask('--out 192.0.2.1 192.0.2.2 tcp 5000 443')
  t.equal(code, 0)
  t.match(out, /^192\.0\.2\.1:5000 -> 192\.0\.2\.2:443 TCP, out\n\nPROTECTED {2}It leaves under esp 0x1001 /)
  t.match(
    out,
    /Decides\n {2}rule 6 \(.*ipsecinit\.conf:2\)\n {2}\{raddr 192\.0\.2\.0\/24 ulp tcp rport 443\}/,
  )
  t.match(out, /1\. ESP aes-cbc\(128\) \+ hmac-sha256\n {5}SA: esp 0x1001/)
  t.match(out, /2\. AH hmac-sha256\n {5}SA: none/)
  t.match(out, /rule +4 {2}bypass {6}another local port: 22\n/)
  t.match(out, /about it as well: rule 12 \(AH\)/)
  t.match(
    out,
    /does the same\n {4}out 0\.0\.0\.0\/0 -> 192\.0\.2\.0\/24 proto 6 dport 443 priority 0x20000403 allow/,
  )
})

t.test('what is left open', async (t) => {
  const { out } = await ask('--out 192.0.2.1 192.0.2.2')
  t.match(out, /^192\.0\.2\.1 -> 192\.0\.2\.2, any protocol, out\n\nHELD BACK/)
  t.match(
    out,
    /But of these\n {2}TCP, local port 22: IN CLEAR, by rule 4\n {2}TCP, remote port 443: PROTECTED, by rule 6/,
  )
})

t.test('coming in', async (t) => {
  const { out } = await ask('--in 192.0.2.2 192.0.2.1 tcp 443 5000')
  t.match(out, /LET IN IF PROTECTED {2}In clear it is refused\./)
  t.match(out, /Arrives\n {2}in clear: refused, not as asked\n {2}esp 0x1002 .*: let in, as asked/)
  const echo = await askJson('--in 192.0.2.2 192.0.2.1 icmp echo-reply')
  t.match(echo.cases[0].arrivals[0], { isAccepted: true, why: 'clear ICMP' })
})

t.test('a rule that drops stands behind all others', async (t) => {
  const { out } = await ask('--out 192.0.2.1 192.0.2.7 icmp echo')
  t.match(out, /HELD BACK/)
  t.match(out, /about it as well: rule 10 \(drop\)/)
})

t.test('exceptions', async (t) => {
  const exception = async (question: string) => (await askJson(question)).cases[0].decider.exception
  t.equal(await exception('--out 192.0.2.1 192.0.2.2 udp 500 500'), 'key management')
  t.equal(await exception('--out 192.0.2.1 192.0.2.1'), 'own')
  t.equal(await exception('--forwarded 10.9.0.1 192.0.2.1 tcp'), 'forwarded')
  t.equal(await exception('--in fe80::2 fe80::1 icmp neighbour-solicitation'), 'link')
  t.equal(await exception('--in 192.0.2.2 224.0.0.22 2'), 'multicast routing')
  t.match((await ask('--out 192.0.2.1 192.0.2.2 udp 500 500')).out, /key management has to work/)
})

t.test('into a tunnel, and past it', async (t) => {
  const inside = await askJson('--forwarded --interface tun9 10.1.0.1 10.2.0.1 tcp 1 2', [ROUTER])
  t.equal(inside.isDifferent, false)
  t.equal(inside.tunnel, 'tun9')
  t.match(inside.cases[0], { decider: { kind: 'rule' }, departure: { kind: 'held' }, agreement: 'same' })
  t.equal(inside.cases[0].kernel.departure.lookups[1].policy.templates[0].mode, 'tunnel')
  const beside = await askJson('--out --interface tun9 10.1.0.1 10.3.0.1 tcp 1 2', [ROUTER])
  t.match(beside.cases[0], { decider: { kind: 'none' }, departure: { kind: 'dropped' }, agreement: 'same' })
  t.equal(
    beside.cases[0].kernel.departure.lookups.at(-1).isOuter,
    true,
    "the tunnel's own packet is fenced off",
  )
  const arriving = await askJson('--in --interface tun9 10.2.0.1 10.1.0.1 tcp 1 2', [ROUTER])
  t.match(arriving.cases[0].arrivals, [{ associations: [], isAccepted: false }])
  t.equal(arriving.isDifferent, false)
})

t.test('what a tunnel in transport mode carries', async (t) => {
  const { out } = await ask('--out --interface tun9 10.1.0.1 10.2.0.1 tcp', [CARRIED])
  t.match(out, /carried by its own packets/)
  t.match(out, /203\.0\.113\.1 -> 203\.0\.113\.2 IPv4 in IP, out/)
  t.match(out, /HELD BACK/)
})

t.test('what the kernel would do can be unknown', async (t) => {
  const gone = file('gone.conf', '{tunnel tun8 negotiate tunnel} ipsec {encr_algs aes sa shared}\n')
  const answer = await askJson('--out 192.0.2.1 192.0.2.2 tcp', [gone])
  t.match(answer.kernel, { unknown: /tun8/ })
  t.match((await ask('--out 192.0.2.1 192.0.2.2 tcp', [gone])).out, /cannot be told: Cannot find tunnel/)
})

t.test('errors', async (t) => {
  t.match(await ask('--out 192.0.2.1 2001:db8::1'), { code: 1, err: /no family of addresses in common/ })
  t.match(await ask('10.0.0.1 10.0.0.2'), { code: 1, err: /--out or --in says which/ })
  t.match(await ask('--out --interface eth9 10.0.0.1 10.0.0.2'), { code: 1, err: /no tunnel interface/ })
  const bad = file('bad.conf', '{raddr} ipsec {}\n')
  t.match(await ask('--out 10.0.0.1 10.0.0.2', [bad]), { code: 1, err: /error/ })
})

t.test('many rules: those asked in vain are counted', async (t) => {
  const many = Array.from(
    { length: 500 },
    (_, i) => `{raddr 10.${i >> 8}.${i & 255}.0/24} ipsec {encr_algs aes encr_auth_algs sha256 sa shared}`,
  )
  const path = file('many.conf', `${many.join('\n')}\n`)
  const { out } = await ask('--out 192.0.2.1 10.1.200.1 tcp 1 2', [path])
  t.match(out, /\d+ rules in vain: \d+ of another remote address \(-v shows them\)/)
  t.ok(out.split('\n').length < 45)
  t.ok((await ask('-v --out 192.0.2.1 10.1.200.1 tcp 1 2', [path])).out.split('\n').length > 400)
})

t.test('texts of others do no harm', async (t) => {
  const path = file('hostile.conf', '{raddr 192.0.2.2 #\u001b[2J\u202e\n} ipsec {encr_algs aes sa shared}\n')
  const { out } = await ask('--out 192.0.2.1 192.0.2.2 tcp', [path])
  t.notOk(out.includes('\u001b') || out.includes('\u202e'))
})
