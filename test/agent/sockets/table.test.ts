import { join } from 'node:path'
import t from 'tap'
import type { SocketDemand } from '../../../agent/sockets/demand.ts'
import { SocketJournal } from '../../../agent/sockets/journal.ts'
import { SocketTable } from '../../../agent/sockets/table.ts'

const PROTECTED = {
  action: { kind: 'protect', protection: { associations: 'shared' } },
  selfEncapsulation: false,
} as unknown as SocketDemand
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

t.test('who may change what was protected', async (t) => {
  const journal = new SocketJournal(join(t.testdir(), 'sockets'))
  journal.set(7n, { kind: 'protect', uid: 0 })
  journal.set(8n, { kind: 'bypass', uid: 0 })
  t.teardown(() => journal.close())
  const table = new SocketTable(undefined, journal)
  const protect = { ...entry(0), demand: PROTECTED }
  table.set(1n, protect)
  table.set(2n, { ...protect, uid: 1000 })
  table.set(3n, entry(0))
  const may = (cookie: bigint, uid: number, isPrivileged = false) => {
    try {
      table.checkOwner(cookie, { uid, isPrivileged })
      return true
    } catch (error) {
      t.match(error, { code: 'EPERM' })
      return false
    }
  }
  t.notOk(may(1n, 1000), "root's")
  t.ok(may(1n, 0, true))
  t.ok(may(1n, 1000, true), 'with CAP_NET_ADMIN')
  t.ok(may(2n, 1000), 'his own')
  t.notOk(may(2n, 1001))
  t.ok(may(3n, 1000), 'what passes in clear may be protected')
  t.ok(may(4n, 1000), 'nothing')
  t.notOk(may(7n, 1000), 'what another agent has given counts')
  t.ok(may(8n, 1000))
  t.same(
    [1n, 4n, 7n].map((cookie) => table.isKnown(cookie)),
    [true, false, true],
  )
})

t.test("nobody makes root's sockets forgotten", async (t) => {
  const table = new SocketTable({ all: 9, ofUser: 9, silent: 2 })
  table.set(1n, entry(0, SCTP))
  for (const cookie of [2n, 3n, 4n]) table.set(cookie, entry(1000, SCTP))
  t.same(
    [1n, 2n, 3n, 4n].map((cookie) => table.get(cookie) !== undefined),
    [true, false, false, true],
  )
})

t.test('sockets whose end nobody announces are forgotten, the oldest first', async (t) => {
  const table = new SocketTable({ all: 9, ofUser: 9, silent: 2 })
  for (const cookie of [1n, 2n, 3n]) table.set(cookie, entry(0, SCTP))
  t.same(
    [1n, 2n, 3n].map((cookie) => table.get(cookie) !== undefined),
    [false, true, true],
  )
})
