/** `solipsec snoop` on capture files: what it prints, writes and refuses. */
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { run, subcommandNames } from '../../../../compat/commands/solipsec.ts'
import { readBack } from '../../../agent/capture/files.ts'
import { captureIo } from '../support/capture-io.ts'
import { captureOf, folderWith, KEY_FILE, KEYS, protector, udpPacket } from './captures.ts'

const hasTshark = spawnSync('tshark', ['--version']).status === 0
const program = fileURLToPath(new URL('../../../../../bin/solipsec', import.meta.url))

interface Outcome {
  readonly code: number
  readonly out: string
  readonly err: string
}

async function snoop(...argv: string[]): Promise<Outcome> {
  const io = captureIo()
  const code = await run(['snoop', ...argv], io)
  return { code, out: io.out(), err: io.err() }
}

const protect = protector()
const inside = [1001, 1002, 1003].map((port) => udpPacket(port))
const clear = udpPacket(2000)
const capture = captureOf([...inside.map(protect), clear])
const place = folderWith(t, { capture, keys: KEY_FILE, cut: capture.subarray(0, -7) })
const withKeys = ['-n', '-r', place('capture'), '-k', place('keys')]

t.test('summary, layers, verbose', async (t) => {
  const summary = await snoop(...withKeys)
  t.equal(summary.code, 0)
  t.equal(summary.err, '')
  const lines = summary.out.split('\n').slice(0, -1)
  t.equal(lines.length, 4)
  t.match(lines[0], /^ {2}1 {3}0\.00000 +10\.0\.0\.1 -> 10\.0\.0\.2 +ESP SPI=0x12345678 .*1001/)
  t.match(lines[1], /^ {2}2 {3}1\.00000 .*1002/)
  t.notMatch(lines[3], /ESP/)
  const layers = await snoop(...withKeys, '-V')
  t.match(layers.out, /ESP SPI=0x12345678 Replay=1 \(opened: aes-cbc\b/)
  const verbose = await snoop(...withKeys, '-v', '-c', '1')
  t.match(verbose.out, /Encapsulating Security Payload[\s\S]*Verdict = opened[\s\S]*UDP/)
  const closed = await snoop('-n', '-r', place('capture'), '--no-keys', '-V')
  t.match(closed.out, /ESP SPI=0x12345678/)
  t.notMatch(closed.out, /opened|1001/)
})

t.test('which packets', async (t) => {
  const portsOf = ({ out }: Outcome) => [...out.matchAll(/\b(100\d|2000)\b/g)].map(([, port]) => port)
  const rows: [words: string[], ports: string[]][] = [
    [['esp'], ['1001', '1002', '1003']],
    [['not', 'esp'], ['2000']],
    [['esp', 'and', 'port', '1002'], ['1002']],
    [['port 1002 or port 2000'], ['1002', '2000']],
    [['-p', '2'], ['1002']],
    [
      ['-p', '2,3'],
      ['1002', '1003'],
    ],
    [
      ['-c', '2'],
      ['1001', '1002'],
    ],
    [['-c', '1', 'port', '1003'], ['1003']],
    [['host', '10.0.0.9'], []],
  ]
  for (const [words, ports] of rows) t.same([...new Set(portsOf(await snoop(...withKeys, ...words)))], ports)
})

t.test('a tunnel is found by the addresses of both packets', async (t) => {
  const inTunnel = protector({ isTunnel: true, destination: Uint8Array.of(192, 0, 2, 9) })
  const keys = KEY_FILE.replace('dst 10.0.0.2', 'dst 192.0.2.9 isrc 10.0.0.0/8 idst 10.0.0.0/8')
  const place = folderWith(t, { capture: captureOf([inTunnel(udpPacket(1001))]), keys })
  for (const host of ['192.0.2.9', '10.0.0.2', '10.0.0.77']) {
    const { out } = await snoop('-n', '-r', place('capture'), '-k', place('keys'), 'host', host)
    t.equal(out.includes('1001'), host !== '10.0.0.77', host)
  }
})

t.test('columns and octets', async (t) => {
  t.match((await snoop(...withKeys, '-t', 'r')).out, /^ {2}4 {3}3\.00000/m)
  t.match((await snoop(...withKeys, '-t', 'a')).out, /^ {2}1 \d+:\d\d:00\.00000/m)
  t.match((await snoop(...withKeys, '-S')).out, /length: {3}54/)
  const { out } = await snoop(...withKeys, '-x', '42,6', '-p', '1')
  t.match(out, /42: 6578 7420 7365 +ext se/)
})

t.test('a decrypted copy', async (t) => {
  const target = place('written')
  const { code, out, err } = await snoop(...withKeys, '-w', target)
  t.equal(code, 0)
  t.equal(out, '')
  t.equal(err, `4 packets, 4 written to ${target}; AH and ESP: 3 opened\n`)
  t.equal(statSync(target).mode & 0o777, 0o600)
  const { frames } = await readBack(readFileSync(target))
  t.same(
    frames.map(({ hex }) => hex.slice(28)),
    [...inside, clear].map((packet) => Buffer.from(packet).toString('hex')),
  )
  t.same((await snoop(...withKeys, '-w', target, '-V')).out.match(/ESP SPI/g)?.length, 3)
  const link = place('link')
  symlinkSync(place('keys'), link)
  t.match(await snoop(...withKeys, '-w', link), { code: 1, err: /Not a regular file/ })
  t.match(await snoop(...withKeys, '-w', place('none/there')), { code: 1, err: /there is no folder/ })
  t.match(await snoop(...withKeys, '-w', place('capture')), { code: 1, err: /is the file that is read/ })
  t.equal(readFileSync(place('keys'), 'utf8'), KEY_FILE)
  t.same(readFileSync(place('capture')), capture)
})

t.test("Wireshark's table", async (t) => {
  mkdirSync(place('wireshark'))
  const table = place('wireshark/esp_sa')
  t.same(await snoop('--wireshark', table, '-k', place('keys')), { code: 0, out: '', err: '' })
  t.equal(statSync(table).mode & 0o777, 0o600)
  t.match(readFileSync(table, 'utf8'), `"IPv4","*","*","0x12345678","AES-CBC [RFC3602]","0x${KEYS[0]}"`)
  if (!hasTshark) {
    t.comment('no tshark (Debian package tshark): not read by it')
    return
  }
  const env = { ...process.env, WIRESHARK_CONFIG_DIR: place('wireshark') }
  const options = ['-o', 'esp.enable_encryption_decode:TRUE', '-T', 'fields', '-e', 'udp.dstport']
  const ports = execFileSync('tshark', ['-n', '-r', place('capture'), ...options], { env, stdio: 'pipe' })
  t.equal(String(ports), '1001\n1002\n1003\n2000\n')
})

t.test('what is wrong is said, after what could be shown', async (t) => {
  const cut = await snoop('-n', '-r', place('cut'), '-k', place('keys'))
  t.equal(cut.code, 1)
  t.equal(cut.out.split('\n').length, 4)
  t.match(cut.err, `solipsec snoop: ${place('cut')}: at offset `)
  writeFileSync(place('bad-keys'), KEY_FILE.replace('aes-cbc', 'aes-cbb'), { mode: 0o600 })
  const bad = await snoop('-n', '-r', place('capture'), '-k', place('bad-keys'))
  t.match(bad, { code: 1, err: /aes-cbb[\s\S]*1 of 1 commands contained errors/ })
  for (const key of KEYS) t.notOk(bad.err.includes(key))
  const rows: [argv: string[], err: RegExp][] = [
    [['-r', place('none')], /none/],
    [['-r', place('keys')], /at offset 0: this is no capture file/],
    [['-r', place('.')], /cannot read the capture: illegal operation on a directory/],
    [['-r', '/dev/null'], /\/dev\/null: at offset 0: the file is empty/],
    [
      ['-n', '-r', place('capture'), 'portt', '3'],
      /Did you mean `port`\?[\s\S]*the filter expression is wrong/,
    ],
    [['-k', place('none'), '-r', place('capture')], /Invalid pathname/],
  ]
  for (const [argv, err] of rows) t.match(await snoop(...argv), { code: 1, out: '', err }, argv.join(' '))
})

t.test('a progress bar on a terminal, where packets are not printed', async (t) => {
  const seen = async (...argv: string[]): Promise<string> => {
    const io = captureIo()
    const write = (text: string) => io.stderr.write(text)
    const stderr = { isTTY: true, write, flush: () => {}, stream: () => io.stderr.stream() }
    await run(['snoop', ...withKeys, ...argv], { ...io, stderr })
    return io.err().replaceAll('\r\x1b[K', '~')
  }
  const bar = /^~\[.*~4 packets, 4 (shown|written)/
  t.match(await seen('-q'), bar)
  t.match(await seen('-w', place('again')), bar)
  t.equal(await seen(), '')
})

t.test('an interrupt ends the reading of a file', async (t) => {
  const io = captureIo()
  io.interrupt()
  t.equal(await run(['snoop', ...withKeys], io), 1)
  t.equal(io.err(), 'solipsec snoop: interrupted\n')
})

t.test('the commands of solipsec', async (t) => {
  const solipsec = async (...argv: string[]): Promise<Outcome> => {
    const io = captureIo()
    return { code: await run(argv, io), out: io.out(), err: io.err() }
  }
  const missing = `a command is missing; there are: ${subcommandNames.join(', ')}, help`
  t.match(await solipsec(), { code: 1, err: missing })
  t.same(subcommandNames, [...subcommandNames].sort(), 'in the order of the alphabet')
  t.match(await solipsec('snop'), { code: 1, err: /there is no command 'snop'/ })
  t.match(await solipsec('constructor'), { code: 1, err: /there is no command/ })
  t.match(await solipsec('--version'), { code: 0, out: /^solipsec \(solipsec\) \d/ })
  t.match(await solipsec('help'), { code: 0, out: /solipsec COMMAND/ })
  t.same(await solipsec('help', 'snoop'), await solipsec('snoop', '--help'))
  t.match(await solipsec('snoop', '--help'), { code: 0, out: /--wireshark FILE[\s\S]*man solipsec-snoop/ })
  t.match(await solipsec('snoop', '-r', 'a', '-i', 'b'), { code: 1, err: /-r and -i cannot go together/ })
})

t.test('a reader that goes away ends it without a word', async (t) => {
  const long = protector()
  const place = folderWith(t, {
    capture: captureOf(Array.from({ length: 20_000 }, () => long(clear))),
    keys: KEY_FILE,
  })
  const argv = ['snoop', '-n', '-r', place('capture'), '-k', place('keys'), '-V']
  const child = spawn(program, argv, { stdio: ['ignore', 'pipe', 'pipe'] })
  let err = ''
  child.stderr.on('data', (text) => {
    err += text
  })
  child.stdout.once('data', () => child.stdout.destroy())
  const [code] = await once(child, 'close')
  t.equal(code, 0)
  t.equal(err, '')
})
