/** What the writer writes, the reader reads; and tshark does. */
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import t from 'tap'
import type { Frame, LinkLayer } from '../../../agent/capture/frame.ts'
import { findIp } from '../../../agent/capture/link-layers.ts'
import { PcapngWriter } from '../../../agent/capture/pcapng-writer.ts'
import { ipv4, readBack } from './files.ts'

const links: readonly LinkLayer[] = ['ethernet', 'cooked', 'cooked2', 'null', 'raw']

const anyFrame: fc.Arbitrary<Frame> = fc
  .record({
    time: fc.bigInt({ min: 0n, max: 2n ** 63n - 1n }),
    link: fc.constantFrom(...links),
    bytes: fc.uint8Array({ maxLength: 2000, size: 'max' }),
    cut: fc.nat(5),
  })
  .map(({ time, link, bytes, cut }) => ({
    number: 0,
    time,
    link,
    bytes,
    ipAt: findIp(bytes, bytes.length, link),
    end: bytes.length,
    wireLength: bytes.length + cut,
    covers: [],
  }))

function written(frames: readonly Frame[]): Buffer {
  const pieces: Uint8Array[] = []
  const writer = new PcapngWriter((bytes) => pieces.push(bytes.slice()))
  for (const frame of frames) writer.write(frame)
  writer.flush()
  return Buffer.concat(pieces)
}

t.test('property: what is written is read', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(anyFrame, { maxLength: 300, size: 'max' }), async (frames) => {
      const { frames: back, damage } = await readBack(written(frames))
      if (damage) throw new Error(damage.reason)
      return (
        back.length === frames.length &&
        frames.every(({ time, link, bytes, ipAt, wireLength }, index) => {
          const one = back[index]
          return (
            one?.time === time &&
            one.link === link &&
            one.hex === Buffer.from(bytes).toString('hex') &&
            one.ipAt === ipAt &&
            one.wireLength === wireLength
          )
        })
      )
    }),
    { numRuns: 20, seed: 2 },
  )
})

t.test('a packet longer than the buffer', async (t) => {
  const bytes = new Uint8Array(262_144)
  const frame: Frame = { ...sample(), bytes, end: bytes.length, wireLength: bytes.length }
  const { frames } = await readBack(written([sample(), frame, sample()]))
  t.same(
    frames.map(({ end }) => end),
    [27, 262_144, 27],
  )
})

function sample(): Frame {
  const bytes = ipv4()
  return {
    number: 1,
    time: 1_800_000_000_123_456_789n,
    link: 'raw',
    bytes,
    ipAt: 0,
    end: bytes.length,
    wireLength: bytes.length,
    covers: [
      { protocol: 'esp', spi: 0x1234, sequence: 9, verdict: 'opened', mode: 'tunnel', encryption: 'aes-gcm' },
    ],
  }
}

const hasTshark = spawnSync('tshark', ['--version']).status === 0

t.test('tshark reads it', { skip: !hasTshark && 'no tshark (Debian package tshark)' }, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'solipsec-writer-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  const file = join(folder, 'written.pcapng')
  const head = Buffer.concat([Buffer.alloc(12, 2), Buffer.from([8, 0])])
  const inEthernet = Buffer.concat([head, ipv4()])
  writeFileSync(
    file,
    written([
      sample(),
      { ...sample(), link: 'ethernet', bytes: inEthernet, end: 41, wireLength: 60, ipAt: 14 },
    ]),
  )
  const fields = ['frame.time_epoch', 'frame.protocols', 'frame.len', 'ip.dst', 'frame.comment']
  const out = execFileSync('tshark', [
    '-n',
    '-r',
    file,
    '-T',
    'fields',
    ...fields.flatMap((name) => ['-e', name]),
  ])
  const rows = String(out)
    .split('\n')
    .slice(0, -1)
    .map((line) => line.split('\t'))
  const comment = 'ESP 0x00001234 #9 tunnel aes-gcm: opened'
  t.same(rows, [
    ['1800000000.123456789', 'raw:ip:data', '27', '10.0.0.2', comment],
    ['1800000000.123456789', 'eth:ethertype:ip:data', '60', '10.0.0.2', comment],
  ])
})
