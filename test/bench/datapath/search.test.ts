import fc from 'fast-check'
import t from 'tap'
import { type Attempt, highestRate } from '../../../bench/datapath/search.ts'

/** A path that carries `limit` packets a second and loses the rest, fed by a sender that can do `sender`. */
function path(limit: number, sender = Number.POSITIVE_INFINITY) {
  let attempts = 0
  const attempt = async (rate: number): Promise<Attempt> => {
    attempts++
    const sent = Math.min(rate, sender)
    return { sent, arrived: Math.min(sent, limit), seconds: 1 }
  }
  return { attempt, attempts: () => attempts }
}

t.test('any limit is found within a tenth, in a bounded number of attempts', async (t) => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 600, max: 2_000_000 }), async (limit) => {
      const { attempt, attempts } = path(limit)
      const { rate, isSendersLimit } = await highestRate(attempt)
      return !isSendersLimit && rate <= limit && rate >= limit / 1.11 && attempts() < 40
    }),
    { seed: 1, numRuns: 200 },
  )
  t.pass()
})

t.test('the limit of the sender is told from that of the path', async (t) => {
  t.same(await highestRate(path(1_000_000, 100_000).attempt), { rate: 100_000, isSendersLimit: true })
  t.match(await highestRate(path(90_000, 100_000).attempt), { isSendersLimit: false })
})

t.test('a path that carries nothing has rate 0', async (t) => {
  t.same(await highestRate(path(0).attempt), { rate: 0, isSendersLimit: false })
  const dead = async (): Promise<Attempt> => ({ sent: 0, arrived: 0, seconds: 1 })
  t.same(await highestRate(dead), { rate: 0, isSendersLimit: false })
})

t.test('losses that do not happen again are forgiven', async (t) => {
  const { attempt } = path(100_000)
  let count = 0
  const disturbed = async (rate: number) => {
    const result = await attempt(rate)
    return count++ % 2 === 0 ? { ...result, arrived: result.arrived / 2 } : result
  }
  const { rate } = await highestRate(disturbed)
  t.ok(rate > 90_000, `${rate}`)
})

t.test('the rate is what arrived, not what was asked for', async (t) => {
  const slow = async (rate: number) => ({
    sent: rate * 0.9,
    arrived: rate < 70_000 ? rate * 0.9 : 0,
    seconds: 1,
  })
  const { rate } = await highestRate(slow)
  t.ok(rate <= 63_000 && rate > 56_000, `${rate}`)
})
