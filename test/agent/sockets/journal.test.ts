import { appendFileSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import t from 'tap'
import { SocketJournal } from '../../../agent/sockets/journal.ts'
import { times } from '../../support/fuzz.ts'

const folder = t.testdir()

t.test('the next agent knows what this one has given', async (t) => {
  const path = join(folder, 'sockets')
  const first = new SocketJournal(path)
  first.set(1n, { kind: 'protect', uid: 0 })
  first.set(0xffff_ffff_ffff_ffffn, { kind: 'bypass', uid: 0 })
  first.set(3n, { kind: 'protect', uid: 0 })
  first.set(3n, { kind: 'bypass', uid: 0 })
  first.delete(1n)
  first.delete(77n)
  // Killed within a line.
  appendFileSync(path, 'protect 9')
  const second = new SocketJournal(path)
  t.same(
    [1n, 3n, 0xffff_ffff_ffff_ffffn].map((cookie) => second.get(cookie)?.kind),
    [undefined, 'bypass', 'bypass'],
  )
  t.equal(statSync(path).mode & 0o777, 0o600)
  second.set(4n, { kind: 'protect', uid: 0 })
  second.close()
  t.equal(new SocketJournal(path).get(4n)?.kind, 'protect')
  first.close()
})

t.test("whose a policy is; of a line that does not say so, it is root's", async (t) => {
  const path = join(folder, 'users')
  const first = new SocketJournal(path)
  first.set(5n, { kind: 'protect', uid: 65_534 })
  first.set(6n, { kind: 'protect', uid: 1 })
  first.set(6n, { kind: 'protect', uid: 2 })
  first.close()
  appendFileSync(path, 'protect 7\n')
  const again = new SocketJournal(path)
  t.same(
    [5n, 6n, 7n].map((cookie) => again.get(cookie)?.uid),
    [65_534, 2, 0],
  )
  again.close()
})

t.test('it does not grow for ever', async (t) => {
  const path = join(folder, 'long')
  const journal = new SocketJournal(path)
  for (let i = 0n; i < 20_000n; i++) {
    journal.set(i, { kind: 'protect', uid: 0 })
    journal.delete(i)
  }
  journal.set(1n, { kind: 'bypass', uid: 0 })
  journal.close()
  t.ok(readFileSync(path, 'utf8').split('\n').length < 5000)
  t.equal(new SocketJournal(path).get(1n)?.kind, 'bypass')
})

t.test('property: read again it is the same', async () => {
  const cookie = fc.bigInt({ min: 1n, max: 8n })
  const step = fc.tuple(cookie, fc.constantFrom('protect', 'bypass', undefined))
  let serial = 0
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const path = join(folder, `property-${serial++}`)
      const journal = new SocketJournal(path)
      const expected = new Map<bigint, string>()
      for (const [cookie, kind] of steps) {
        if (kind) {
          journal.set(cookie, { kind, uid: Number(cookie) })
          expected.set(cookie, kind)
        } else {
          journal.delete(cookie)
          expected.delete(cookie)
        }
      }
      journal.close()
      const again = new SocketJournal(path)
      again.close()
      return (
        again.size === expected.size &&
        [...expected].every(
          ([one, kind]) => again.get(one)?.kind === kind && again.get(one)?.uid === Number(one),
        )
      )
    }),
    times(100),
  )
})
