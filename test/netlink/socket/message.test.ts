import fc from 'fast-check'
import t from 'tap'
import { memoryOf } from '../../../netlink/codec/memory.ts'
import { NetlinkError } from '../../../netlink/socket/error.ts'
import { formatMessage, keep, parseMessages, writeMessage } from '../../../netlink/socket/message.ts'

const fromHex = (hex: string) => new Uint8Array(Buffer.from(hex, 'hex'))

const message = fc.record({
  type: fc.integer({ min: 0, max: 0xffff }),
  flags: fc.integer({ min: 0, max: 0xffff }),
  payload: fc.uint8Array({ maxLength: 40 }),
})

t.test('a kernel reply of two datagrams, as captured', async (t) => {
  const [reply] = parseMessages(
    fromHex(
      '4c0000002400000007000000f47b0000000000001c000100000000000000000000000000000000000000000000000000' +
        '0c000200070000000000100006000300202000000600040080800000',
    ),
  )
  t.match(reply, { type: 36, flags: 0, sequence: 7, portId: 0x7bf4 })
  t.equal(reply?.payload.length, 60)
})

t.test('what is written is read back, several to a datagram', async () => {
  fc.assert(
    fc.property(fc.array(message, { maxLength: 5 }), fc.nat(), (messages, sequence) => {
      const datagram = Buffer.concat(messages.map((m, i) => formatMessage(m, (sequence + i) >>> 0, 9)))
      const read = [...parseMessages(datagram)]
      t.equal(read.length, messages.length)
      for (const [i, m] of messages.entries()) {
        const wanted = { ...m, sequence: (sequence + i) >>> 0, portId: 9 }
        t.strictSame(
          { ...read[i], payload: [...(read[i]?.payload ?? [])] },
          { ...wanted, payload: [...m.payload] },
        )
      }
    }),
  )
})

t.test('a last message without its padding is whole', async (t) => {
  const datagram = formatMessage({ type: 20, payload: Uint8Array.of(1, 2, 3, 4, 5) }).subarray(0, 21)
  t.strictSame(
    [...parseMessages(datagram)].map(({ payload }) => [...payload]),
    [[1, 2, 3, 4, 5]],
  )
})

t.test('whatever comes in, it is messages inside the datagram or an error with an offset in it', async () => {
  const anything = fc.oneof(
    fc.uint8Array({ maxLength: 80 }),
    // Begins well: a message, and then something.
    fc.tuple(message, fc.uint8Array({ maxLength: 40 })).map(([m, tail]) => {
      return new Uint8Array(Buffer.concat([formatMessage(m), tail]))
    }),
  )
  fc.assert(
    fc.property(anything, (datagram) => {
      let bytes = 0
      try {
        for (const { payload } of parseMessages(datagram)) bytes += 16 + payload.length
      } catch (error) {
        if (!(error instanceof NetlinkError)) throw error
        if (error.code !== 'ERR_NETLINK_MALFORMED') throw error
        return error.offset !== undefined && error.offset < datagram.length && error.offset >= bytes
      }
      return bytes <= datagram.length
    }),
  )
})

t.test('lengths that lie are refused, and what came before them is not lost', async (t) => {
  const good = formatMessage({ type: 20, payload: new Uint8Array(4) })
  for (const length of [0, 15, 25, 0xffffffff]) {
    const bad = formatMessage({ type: 21, payload: new Uint8Array(8) })
    memoryOf(bad).view.setUint32(0, length, true)
    const seen: number[] = []
    t.throws(
      () => {
        for (const { type } of parseMessages(Buffer.concat([good, bad]))) seen.push(type)
      },
      { code: 'ERR_NETLINK_MALFORMED', offset: 20 },
      `length ${length}`,
    )
    t.strictSame(seen, [20])
  }
})

t.test('writing checks the room and clears the padding', async (t) => {
  const target = new Uint8Array(24).fill(0xff)
  t.equal(writeMessage(memoryOf(target), 0, { type: 1, payload: new Uint8Array(5) }), 24)
  t.strictSame([...target.subarray(16)], [0, 0, 0, 0, 0, 0, 0, 0])
  t.throws(() => writeMessage(memoryOf(target), 4, { type: 1, payload: new Uint8Array(5) }), RangeError)
})

t.test('keep makes a payload independent of the datagram', async (t) => {
  const datagram = formatMessage({ type: 20, payload: Uint8Array.of(1, 2, 3, 4) })
  const kept = [...parseMessages(datagram)].map(keep)
  datagram.fill(0)
  t.strictSame([...(kept[0]?.payload ?? [])], [1, 2, 3, 4])
})
