import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { Turns } from '../../../agent/daemon/turns.ts'

const NEVER = 1_000_000

t.test('one thing after the other, whatever becomes of them', async (t) => {
  const turns = new Turns(async () => {})
  const log: string[] = []
  const first = turns.take(async () => {
    await nextTurn()
    log.push('first')
    throw new Error('went wrong')
  })
  const second = turns.take(() => {
    log.push('second')
    return 2
  })
  await t.rejects(first, { message: 'went wrong' })
  t.equal(await second, 2)
  t.same(log, ['first', 'second'])
  await turns.end()
})

t.test('who wakes sooner is heard; a round is one for all who have', async (t) => {
  let rounds = 0
  let done = () => {}
  const round = new Promise<void>((resolve) => {
    done = resolve
  })
  const turns = new Turns(async () => {
    rounds++
    done()
  })
  turns.wake(NEVER)
  turns.wake(1)
  turns.wake(1)
  turns.wake(NEVER)
  await round
  await turns.end()
  t.equal(rounds, 1)
})

t.test('after a round, others have as much time as it took', async (t) => {
  let rounds = 0
  const turns = new Turns(async () => rounds++)
  turns.rest(NEVER)
  turns.wake(0)
  turns.rest(NEVER)
  await sleep(20)
  t.equal(rounds, 0)
  await turns.end()
})

t.test('the end: what was asked for is done, and no more rounds come', async (t) => {
  let rounds = 0
  const turns = new Turns(async () => rounds++)
  let isDone = false
  turns.wake(1)
  void turns.take(async () => {
    await nextTurn()
    isDone = true
  })
  await turns.end()
  t.ok(isDone)
  t.notOk(turns.isOpen)
  turns.wake(0)
  turns.rest(0)
  await sleep(20)
  t.equal(rounds, 0)
})
