/** tshark takes the table for every algorithm, and decrypts with it what it knows. */
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { saFromDump, type ViewedSa } from '../../../agent/capture/viewed-sa.ts'
import { wiresharkIntegrity, wiresharkRow, wiresharkTable } from '../../../agent/capture/wireshark.ts'
import { defaultAlgorithmTable } from '../../../agent/model/default-algorithms.ts'
import { authAttributes, espSamples } from '../datapath/software/crypto/samples.ts'
import { Loop, type LoopOptions } from '../datapath/software/loop.ts'
import { ipv4, pcapFile } from './files.ts'

const OPTIONS: LoopOptions = {
  protocol: 'esp',
  attributes: {},
  version: 4,
  destination: Uint8Array.of(10, 0, 0, 2),
  isTunnel: false,
  isExtended: false,
  inUdp: false,
  window: 64,
}

/** SAs with an SPI each, and a UDP packet to port 1000 + n by each of them. */
const made = espSamples.map(({ title, attributes }, n) => {
  const loop = new Loop({ ...OPTIONS, attributes })
  const spi = 0x1000 + n
  loop.sender.body = { ...loop.sender.body, id: { ...loop.sender.body.id, spi } }
  const udp = Buffer.from('9c40000000140000', 'hex')
  udp.writeUInt16BE(1000 + n, 2)
  const wire = loop.protect(new Uint8Array(ipv4(Buffer.concat([udp, Buffer.from('secret text ')]), 17)))
  if (typeof wire === 'string') throw new Error(wire)
  return { title, sa: viewed(loop.sender), wire, port: String(1000 + n) }
})

function viewed(message: Parameters<typeof saFromDump>[0]): ViewedSa {
  const sa = saFromDump(message, defaultAlgorithmTable)
  if (!sa) throw new Error('no SA')
  return sa
}

/** What Wireshark cannot decrypt is left out. Camellia it does not know. */
const isKnown = (title: string) => !/^(ccm|gmac|chacha20|cbc\(camellia)/.test(title)

t.test('what is in the table', async (t) => {
  for (const { title, sa } of made) t.equal(wiresharkRow(sa) !== undefined, isKnown(title), title)
  const { text, leftOut } = wiresharkTable(made.map(({ sa }) => sa))
  t.equal(leftOut, made.filter(({ title }) => !isKnown(title)).length)
  t.equal(text.split('\n').length - 2, made.length - leftOut)
  const ah = new Loop({ ...OPTIONS, protocol: 'ah', attributes: authAttributes(['hmac(sha1)', 20, 96]) })
  t.same(wiresharkTable([viewed(ah.sender)]).leftOut, 0)
  t.equal(wiresharkRow(viewed(ah.sender)), undefined)
  t.equal(wiresharkIntegrity('hmac(sha256)', 100), undefined)
  const extended = new Loop({ ...OPTIONS, isExtended: true, attributes: espSamples[1]?.attributes ?? {} })
  t.match(wiresharkRow(viewed(extended.sender))?.authentication, /^ANY 128 bit/)
})

const hasTshark = spawnSync('tshark', ['--version']).status === 0

t.test('tshark decrypts with it', { skip: !hasTshark && 'no tshark (Debian package tshark)' }, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'solipsec-wireshark-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  writeFileSync(join(folder, 'esp_sa'), wiresharkTable(made.map(({ sa }) => sa)).text)
  const file = join(folder, 'capture')
  writeFileSync(file, pcapFile(made.map(({ wire }) => ({ data: wire }))))
  const options = ['esp.enable_encryption_decode:TRUE', 'esp.enable_authentication_check:TRUE']
  const fields = ['udp.dstport', 'esp.icv_bad'].flatMap((name) => ['-e', name])
  const argv = ['-n', '-r', file, ...options.flatMap((option) => ['-o', option]), '-T', 'fields', ...fields]
  const out = execFileSync('tshark', argv, {
    env: { ...process.env, WIRESHARK_CONFIG_DIR: folder },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const rows = String(out).split('\n')
  for (const [n, { title, port }] of made.entries()) {
    const [found, bad] = (rows[n] ?? '').split('\t')
    t.equal(found, isKnown(title) ? port : '', title)
    t.not(bad, '1', title)
  }
})
