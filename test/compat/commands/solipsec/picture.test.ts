/** `solipsec picture` of files. */
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { run } from '../../../../compat/commands/solipsec.ts'
import { espPair } from '../../../support/configuration-place.ts'
import { captureIo } from '../support/capture-io.ts'

const folder = mkdtempSync(join(tmpdir(), 'solipsec-picture-'))
t.teardown(() => rmSync(folder, { recursive: true, force: true }))
const CONFIG = join(folder, 'policy.json')
const TUNNEL = { name: 'tun9', kind: 'ipip', local: '203.0.113.1', remote: '203.0.113.2' }
const PROTECT = { encryption: 'aes(128)', authentication: 'sha256' }
const POLICIES = [
  { local: '192.0.2.1', remote: '192.0.2.2', protect: PROTECT },
  { remote: '198.51.100.0/24', action: 'drop', direction: 'both' },
  { tunnel: { name: 'tun9', mode: 'tunnel' }, local: '10.1.0.0/16', remote: '10.2.0.0/16', protect: PROTECT },
]
const associations = espPair(0x1001, '192.0.2.1', '192.0.2.2')
writeFileSync(CONFIG, JSON.stringify({ tunnels: [TUNNEL], policies: POLICIES, associations }), {
  mode: 0o600,
})

async function draw(...words: string[]) {
  const io = captureIo()
  const code = await run(['picture', ...words], io)
  return { code, out: io.out(), err: io.err() }
}

t.test('both at once, for the owner alone, without keys', async (t) => {
  const [svg, html] = [join(folder, 'a.svg'), join(folder, 'a.html')]
  t.match(await draw('--svg', svg, '--html', html, '--file', CONFIG), { code: 0, out: '', err: '' })
  for (const file of [svg, html]) {
    t.equal(statSync(file).mode & 0o777, 0o600)
    const text = readFileSync(file, 'utf8')
    t.match(text, 'ESP aes-cbc(128) + hmac-sha256')
    t.match(text, '2 SAs')
    t.match(text, 'tunnel tun9: 203.0.113.1 ⇄ 203.0.113.2')
    t.notMatch(text, /[0-9a-f]{24}/)
  }
  const text = readFileSync(html, 'utf8')
  t.match(text, '<title>policy.json – IPsec</title>')
  t.notMatch(text, 'State</th>', 'what is not loaded has no state')
})

t.test('to standard output, under a title', async (t) => {
  const { code, out } = await draw('--svg', '-', '--title', 'a <title>', '--file', CONFIG)
  t.equal(code, 0)
  t.match(out, /^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg"/)
  t.match(out, 'IPsec of a &lt;title&gt;')
})

t.test('bad usage', async (t) => {
  t.match(await draw('--file', CONFIG), { code: 1, err: /--svg FILE or --html FILE/ })
  t.match(await draw('--svg', '-', CONFIG), { code: 1, err: /named by --file/ })
  t.match(await draw('--svg', '-', '--kind', 'json'), { code: 1, err: /about a file/ })
  t.match(await draw('--svg', '-', '--file', join(folder, 'none')), { code: 1, err: /cannot be read/ })
  t.match(await draw('--svg', join(CONFIG, 'x.svg'), '--file', CONFIG), { code: 1, err: /policy\.json/ })
})
