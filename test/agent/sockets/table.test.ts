import t from 'tap'
import { SocketTable } from '../../../agent/sockets/table.ts'

const [TCP, SCTP] = [6, 132]
const entry = (uid: number, protocol = TCP) => ({
  demand: { action: { kind: 'bypass' }, selfEncapsulation: false } as const,
  uid,
  protocol,
})

t.test('a user has only so much room, and leaves some to others', async (t) => {
  const table = new SocketTable({ all: 4, ofUser: 2, silent: 9 })
  const add = (cookie: bigint, uid: number) => {
    table.makeRoom(cookie, uid)
    table.set(cookie, entry(uid))
  }
  add(1n, 1000)
  add(2n, 1000)
  t.throws(() => add(3n, 1000), { code: 'ENOBUFS' })
  add(2n, 1000)
  add(4n, 1001)
  add(5n, 0)
  t.throws(() => add(6n, 0), { code: 'ENOBUFS' }, 'full')
  t.ok(table.delete(1n))
  t.notOk(table.delete(1n))
  add(6n, 0)
  t.equal(table.size, 4)
  table.doubtAll()
  add(7n, 1002)
  t.equal(table.size, 4, 'what may be gone makes room')
  t.notOk(table.get(2n), 'the oldest first')
})

t.test('sockets whose end nobody announces are forgotten, the oldest first', async (t) => {
  const table = new SocketTable({ all: 9, ofUser: 9, silent: 2 })
  for (const cookie of [1n, 2n, 3n]) table.set(cookie, entry(0, SCTP))
  t.same(
    [1n, 2n, 3n].map((cookie) => table.get(cookie) !== undefined),
    [false, true, true],
  )
})
