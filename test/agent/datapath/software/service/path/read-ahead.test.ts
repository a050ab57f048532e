import fc from 'fast-check'
import t from 'tap'
import { segmentation } from '../../../../../../agent/datapath/software/offload/virtio-header.ts'
import { ReadAhead } from '../../../../../../agent/datapath/software/service/path/read-ahead.ts'
import { memoryOf } from '../../../../../../netlink/codec/memory.ts'

const PLACES = 32
const SIZE = 128

/** What the device gives: `name` tells pieces apart, ports connections. */
interface Given {
  readonly name: number
  readonly port: number
  readonly isMany?: boolean
  readonly version?: 4 | 6
  /** IPv4's fragment offset, or the flag of more fragments. */
  readonly fragment?: number
}

/** @returns the names in the order in which they are taken, when `places` are read ahead at a time */
function order(given: readonly Given[], places = PLACES): number[] {
  const memory = memoryOf(new Uint8Array(places * SIZE))
  const ahead = new ReadAhead(
    memory,
    Array.from({ length: places }, (_, n) => n * SIZE),
  )
  const names = new Map<number, number>()
  let next = 0
  const fill = () =>
    ahead.fill((at, header) => {
      const one = given[next]
      if (!one) return 0
      next++
      names.set(at, one.name)
      header.kind = one.isMany ? segmentation.TCP4 : segmentation.NONE
      return at + write(memory.bytes, at, one)
    })
  const taken: number[] = []
  for (;;) {
    fill()
    const piece = ahead.take()
    if (!piece) break
    taken.push(names.get(piece.at) ?? -1)
    ahead.done(piece)
  }
  if (!ahead.isEmpty) throw new Error('something is left')
  return taken
}

function write(bytes: Uint8Array, at: number, { version = 4, port, fragment = 0 }: Given): number {
  bytes.fill(0, at, at + SIZE)
  const view = new DataView(bytes.buffer, at)
  const headers = version === 4 ? 20 : 40
  view.setUint8(0, version === 4 ? 0x45 : 0x60)
  view.setUint8(version === 4 ? 9 : 6, 6)
  if (version === 4) view.setUint16(6, fragment)
  view.setUint8(version === 4 ? 19 : 39, 1)
  view.setUint16(headers, port)
  return headers + 20
}

t.test('single packets pass by the long pieces of others', async (t) => {
  const long = [1, 2, 3].map((name) => ({ name, port: 80, isMany: true }))
  for (const version of [4, 6] as const) {
    const given = [...long, { name: 4, port: 22 }, { name: 5, port: 53 }].map((one) => ({ ...one, version }))
    t.same(order(given), [4, 5, 1, 2, 3])
  }
})

t.test('but not by those of their own connection', async (t) => {
  t.same(
    order([
      { name: 1, port: 80, isMany: true },
      { name: 2, port: 81, isMany: true },
      { name: 3, port: 80 },
      { name: 4, port: 22 },
      { name: 5, port: 80 },
    ]),
    [4, 1, 2, 3, 5],
  )
})

t.test('fragments are known by their hosts alone', async (t) => {
  const fragments = [0x2000, 0x0010].map((fragment, name) => ({ name, port: 1000 + name, fragment }))
  t.same(order([{ name: 9, port: 3, fragment: 0x2000, isMany: true }, ...fragments]), [9, 0, 1])
  t.same(
    order([
      { name: 9, port: 3, fragment: 0x4000, isMany: true },
      { name: 1, port: 4 },
    ]),
    [1, 9],
  )
})

t.test('of much of both sorts, both get on', async (t) => {
  const given = Array.from({ length: 400 }, (_, name) => ({ name, port: name % 2, isMany: name % 2 === 1 }))
  const first = order(given, 200).slice(0, 200)
  const bulk = first.filter((name) => name % 2 === 1).length
  t.ok(bulk >= 4, `${bulk} long pieces among the first 200`)
  t.ok(first[0] === 0 && first[1] === 2, 'single packets first')
})

t.test('a long piece whose turn has come waits for its own connection all the same', async (t) => {
  const given = Array.from({ length: 200 }, (_, name) => ({ name, port: name % 5, isMany: name === 60 }))
  const own = order(given).filter((name) => name % 5 === 0)
  t.same(
    own,
    own.toSorted((a, b) => a - b),
  )
})

t.test('nothing is lost, nothing comes twice, and no connection is reordered', async () => {
  // Mostly single ones, so that the long pieces get their turn before all of them are gone.
  const isMany = fc.integer({ min: 0, max: 9 }).map((n) => n === 0)
  const one = fc.record({ port: fc.integer({ min: 1, max: 5 }), isMany })
  fc.assert(
    fc.property(
      fc.array(one, { maxLength: 300, size: 'max' }),
      fc.integer({ min: 1, max: PLACES }),
      (pieces, places) => {
        const given = pieces.map((piece, name) => ({ ...piece, name }))
        const taken = order(given, places)
        if (taken.length !== given.length) return false
        return [1, 2, 3, 4, 5].every((port) => {
          const own = taken.filter((name) => given[name]?.port === port)
          return own.every((name, i) => i === 0 || name > (own[i - 1] ?? -1))
        })
      },
    ),
  )
})
