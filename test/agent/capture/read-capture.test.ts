/** Capture files of all kinds, whole and damaged. */
import fc from 'fast-check'
import t from 'tap'
import { times } from '../../support/fuzz.ts'
import { ipv4, type Kept, pcapFile, pcapngBlocks, readBack } from './files.ts'

t.setTimeout(600_000)

const one = ipv4()
const hexOf = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')
const ethernet = (...words: number[]) => Buffer.concat([Buffer.alloc(12, 2), Buffer.from(words)])
const timesOf = (frames: readonly Kept[]) => frames.map(({ time }) => time)

t.test('pcap: byte orders, units of time, and what was cut off by a snap length', async (t) => {
  for (const isLittle of [true, false]) {
    const records = [
      { seconds: 7, fraction: 5, data: one, wireLength: 1500 },
      { seconds: 8, data: one },
    ]
    const micro = await readBack(pcapFile(records, { isLittle }))
    t.equal(micro.damage, undefined)
    t.same(timesOf(micro.frames), [7_000_005_000n, 8_000_000_000n])
    t.match(micro.frames[0], { number: 1, link: 'raw', ipAt: 0, end: 27, wireLength: 1500, hex: hexOf(one) })
    const nano = await readBack(pcapFile(records, { isLittle, magic: 0xa1b23c4d }))
    t.same(timesOf(nano.frames), [7_000_000_005n, 8_000_000_000n])
  }
})

t.test('link layers: where IP begins', async (t) => {
  const rows: [title: string, linkType: number, head: Uint8Array, ipAt: number][] = [
    ['ethernet', 1, ethernet(8, 0), 14],
    ['VLAN', 1, ethernet(0x81, 0, 0, 5, 8, 0), 18],
    ['two VLANs', 1, ethernet(0x88, 0xa8, 0, 5, 0x81, 0, 0, 6, 8, 0), 22],
    ['ARP', 1, ethernet(8, 6), -1],
    ['IPv6 was announced', 1, ethernet(0x86, 0xdd), -1],
    ['cooked', 113, Buffer.concat([Buffer.alloc(14), Buffer.from([8, 0])]), 16],
    ['cooked 2', 276, Buffer.concat([Buffer.from([8, 0]), Buffer.alloc(18)]), 20],
    ['null, little-endian', 0, Buffer.from([2, 0, 0, 0]), 4],
    ['null, big-endian', 0, Buffer.from([0, 0, 0, 2]), 4],
    ['loop', 108, Buffer.from([0, 0, 0, 2]), 4],
    ['null, another family', 0, Buffer.from([7, 0, 0, 0]), -1],
    ['raw', 101, Buffer.alloc(0), 0],
    ['raw IPv4', 228, Buffer.alloc(0), 0],
  ]
  for (const [title, linkType, head, ipAt] of rows) {
    const { frames } = await readBack(pcapFile([{ data: Buffer.concat([head, one]) }], { linkType }))
    t.equal(frames[0]?.ipAt, ipAt, title)
  }
  const short = await readBack(
    pcapFile([{ data: Buffer.alloc(5) }, { data: Buffer.alloc(0) }], { linkType: 1 }),
  )
  t.same(
    short.frames.map(({ ipAt }) => ipAt),
    [-1, -1],
  )
})

t.test('pcapng: sections, interfaces, unknown blocks, units of time', async (t) => {
  for (const isLittle of [true, false]) {
    const { section, description, packet, simple, block, option, u32 } = pcapngBlocks(isLittle)
    const other = pcapngBlocks(!isLittle)
    const offset = Buffer.alloc(8)
    if (isLittle) offset.writeBigInt64LE(-3n)
    else offset.writeBigInt64BE(-3n)
    const { frames, damage, leftOut } = await readBack(
      Buffer.concat([
        section(),
        description(101),
        description(
          1,
          0,
          option(2, Buffer.from('eth0')),
          option(9, Buffer.from([9])),
          option(0, Buffer.alloc(0)),
        ),
        description(101, 0, option(9, Buffer.from([0x8a])), option(14, offset)),
        description(105),
        block(0xbad, Buffer.alloc(1_000_000)),
        packet(0, 5_000_001n, one, option(1, Buffer.from('said')), option(0, Buffer.alloc(0))),
        packet(1, 1_800_000_000_123_456_789n, Buffer.concat([ethernet(8, 0), one])),
        packet(2, 10n * 1024n + 512n, one),
        packet(3, 5n, one),
        simple(27, one),
        block(2, Buffer.concat([Buffer.alloc(4), u32(0), u32(9), u32(27), u32(27), one])),
        other.section(),
        other.description(228, 20),
        other.simple(27, one.subarray(0, 20)),
        other.packet(0, 6_000_000n, one),
      ]),
    )
    t.equal(damage, undefined)
    t.same([...leftOut], [[105, 1]])
    t.same(timesOf(frames), [
      5_000_001_000n,
      1_800_000_000_123_456_789n,
      7_500_000_000n,
      7_500_000_000n,
      9_000n,
      9_000n,
      6_000_000_000n,
    ])
    t.same(
      frames.map(({ link }) => link),
      ['raw', 'ethernet', 'raw', 'raw', 'raw', 'raw', 'raw'],
    )
    t.equal(frames[5]?.end, 20)
    t.equal(frames[5]?.wireLength, 27)
    t.same(
      frames.filter(({ end, link }) => end === 27 && link === 'raw').map(({ hex }) => hex),
      Array(5).fill(hexOf(one)),
    )
  }
})

t.test('times that nobody can have', async (t) => {
  const { section, description, packet, option } = pcapngBlocks(true)
  for (const resolution of [0, 127, 0x80, 0xff]) {
    const file = [
      section(),
      description(101, 0, option(9, Buffer.from([resolution]))),
      packet(0, 2n ** 64n - 1n, one),
    ]
    const { frames } = await readBack(Buffer.concat(file))
    t.equal(frames[0]?.time, resolution & 127 ? 0n : 2n ** 63n - 1n)
  }
})

/** A file of Solaris's snoop: each record padded to 4 bytes. */
function snoopFile(packets: readonly Uint8Array[], version = 2, type = 4): Buffer {
  const numbers = (...values: number[]) => {
    const bytes = Buffer.alloc(4 * values.length)
    for (const [index, value] of values.entries()) bytes.writeUInt32BE(value, 4 * index)
    return bytes
  }
  const records = packets.flatMap((data, index) => {
    const padding = -data.length & 3
    const head = numbers(data.length + 5, data.length, 24 + data.length + padding, 0, 7 + index, 5)
    return [head, data, Buffer.alloc(padding)]
  })
  return Buffer.concat([Buffer.from('snoop\0\0\0'), numbers(version, type), ...records])
}

t.test("files of Solaris's snoop", async (t) => {
  const packet = Buffer.concat([ethernet(8, 0), one])
  const { frames, damage } = await readBack(snoopFile([packet, packet.subarray(0, 40), packet]))
  t.equal(damage, undefined)
  t.same(timesOf(frames), [7_000_005_000n, 8_000_005_000n, 9_000_005_000n])
  t.match(frames[0], { link: 'ethernet', ipAt: 14, end: 41, wireLength: 46, hex: hexOf(packet) })
  t.match(frames[1], { end: 40, hex: hexOf(packet.subarray(0, 40)) })
  const long = snoopFile([packet, packet])
  long.writeUInt32BE(0xffff_ffff, 16 + 68 + 4)
  const short = snoopFile([packet, packet])
  short.writeUInt32BE(30, 16 + 68 + 8)
  for (const [file, count, offset, reason] of [
    [snoopFile([packet], 3), 0, 0, /version 3 of snoop/],
    [snoopFile([packet], 2, 8), 0, 0, /link type 8 of snoop/],
    [snoopFile([packet, packet]).subarray(0, -20), 1, 84, /ends/],
    [long, 1, 84, /4294967295 bytes/],
    [short, 1, 84, /41 bytes in a record of 30/],
    [Buffer.from('snoop\0\0\0abc'), 0, 0, /ends in its header/],
  ] as const) {
    t.match(await readBack(file), { frames: { length: count }, damage: { offset, reason } })
  }
})

t.test('damage is told with its place, after what could be read', async (t) => {
  const { section, description, packet, block } = pcapngBlocks(true)
  const good = Buffer.concat([section(), description(101), packet(0, 1n, one)])
  const changed = (at: number, value: number) => {
    const bytes = Buffer.from(good)
    bytes.writeUInt32LE(value, at)
    return bytes
  }
  const pcap = pcapFile([{ data: one }, { data: one }])
  const long = Buffer.from(pcap)
  long.writeUInt32LE(0xffff_ffff, 24 + 16 + 27 + 8)
  const rows: [title: string, file: Uint8Array, frames: number, offset: number, reason: RegExp][] = [
    ['empty', Buffer.alloc(0), 0, 0, /empty/],
    ['no capture', Buffer.from('Hello, this is some text, no packets'), 0, 0, /no capture file/],
    ['short', Buffer.from([0xd4, 0xc3, 0xb2, 0xa1]), 0, 0, /ends in its header/],
    ['two bytes', Buffer.from([0xd4, 0xc3]), 0, 0, /no capture file/],
    ['gzip', Buffer.concat([Buffer.from([0x1f, 0x8b]), Buffer.alloc(30)]), 0, 0, /zcat/],
    ['version', pcapFile([], { version: 9 }), 0, 0, /version 9/],
    ['link type', pcapFile([], { linkType: 105 }), 0, 0, /link type 105/],
    ['cut', pcap.subarray(0, -1), 1, 67, /ends/],
    ['cut in a header', pcap.subarray(0, 70), 1, 67, /ends/],
    ['absurd', long, 1, 67, /4294967295 bytes/],
    ['pcapng cut', good.subarray(0, -2), 1, 104, /ends/],
    ['trailer', changed(good.length - 4, 5), 1, 104, /60 bytes ends with the length 5/],
    ['block length', changed(28 + 4, 22), 0, 28, /22 bytes/],
    ['block length', changed(28 + 20 + 4, 16), 0, 48, /16 bytes/],
    ['captured', changed(28 + 20 + 20, 0x7fff_ffff), 0, 48, /packet of 2147483647 bytes in a block of 60/],
    ['interface', changed(28 + 20 + 8, 7), 0, 48, /interface 7/],
    ['magic', Buffer.concat([good, block(0x0a0d0d0a, Buffer.alloc(16))]), 1, 108, /magic/],
    [
      'huge block',
      Buffer.concat([good, Buffer.from('00000bad fffffffc'.replace(' ', ''), 'hex')]),
      1,
      108,
      /./,
    ],
  ]
  for (const [title, file, count, offset, reason] of rows) {
    const { frames, damage } = await readBack(file)
    t.equal(frames.length, count, title)
    t.equal(damage?.offset, offset, title)
    t.match(damage?.reason, reason, title)
  }
})

t.test('property: packets of any length and number come back', async () => {
  const records = fc.array(
    fc.record({
      seconds: fc.nat(),
      fraction: fc.nat(999_999),
      data: fc.uint8Array({ maxLength: 3000, size: 'max' }),
    }),
    { maxLength: 400, size: 'max' },
  )
  await fc.assert(
    fc.asyncProperty(records, fc.boolean(), async (records, isLittle) => {
      const { frames, damage } = await readBack(pcapFile(records, { isLittle, linkType: 1 }))
      if (damage) throw new Error(damage.reason)
      return (
        frames.length === records.length &&
        records.every(
          ({ data }, index) => frames[index]?.hex === hexOf(data) && frames[index]?.number === index + 1,
        )
      )
    }),
    { numRuns: 20, seed: 1 },
  )
})

t.test('fuzzer: files with any bytes changed', async (t) => {
  const { section, description, packet, simple, block, option } = pcapngBlocks(false)
  const big = Buffer.concat([ethernet(8, 0), ipv4(Buffer.alloc(1400))])
  const files = [
    pcapFile(Array(5).fill({ data: big }), { linkType: 1 }),
    Buffer.concat([
      section(),
      description(1, 65535, option(9, Buffer.from([9]))),
      packet(0, 99n, big, option(1, Buffer.from('comment'))),
      block(4, Buffer.alloc(60)),
      simple(27, one),
      section(),
      description(276),
      packet(0, 99n, big),
    ]),
  ]
  files.push(snoopFile(Array(5).fill(big)))
  const change = fc.record({ at: fc.nat(1200), value: fc.nat(255) })
  // SOLIPSEC_FUZZ=N multiplies them by N.
  const parameters = times(600)
  let whole = 0
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...files),
      fc.array(change, { minLength: 1, maxLength: 4 }),
      fc.option(fc.nat(4000)),
      async (file, changes, length) => {
        const bytes = Buffer.from(length === null ? file : file.subarray(0, length))
        for (const { at, value } of changes) if (at < bytes.length) bytes[at] = value
        const { frames, damage } = await readBack(bytes)
        if (!damage) whole++
        return frames.length <= bytes.length / 16 && (damage === undefined || damage.offset <= bytes.length)
      },
    ),
    parameters,
  )
  t.ok(whole > 0 && whole < parameters.numRuns)
})
