import t from 'tap'
import {
  ALIVE,
  HARD,
  limitsOf,
  SOFT,
  stageByAmount,
  stageByTime,
} from '../../../../../agent/datapath/software/state/lifetime.ts'
import { defaultLifetime } from '../../../../../netlink/xfrm/defaults.ts'

const unused = { bytes: 0, packets: 0, addTime: 1000, useTime: 0, lastUsed: 0 }

t.test('without limits an SA lives for ever', async (t) => {
  const limits = limitsOf(defaultLifetime())
  t.notOk(limits.isTimed)
  t.equal(stageByAmount(limits, { ...unused, bytes: 2 ** 52, packets: 2 ** 52 }), ALIVE)
  t.equal(stageByTime(limits, unused, 2 ** 40), ALIVE)
})

t.test('amounts', async (t) => {
  const limits = limitsOf({
    ...defaultLifetime(),
    soft_byte_limit: 100n,
    hard_byte_limit: 200n,
    hard_packet_limit: 3n,
  })
  for (const [bytes, packets, stage] of [
    [99, 0, ALIVE],
    [100, 0, SOFT],
    [200, 0, HARD],
    [0, 2, ALIVE],
    [0, 3, HARD],
  ] as const) {
    t.equal(stageByAmount(limits, { ...unused, bytes, packets }), stage, `${bytes} bytes, ${packets} packets`)
  }
})

t.test('times since the SA was added, and since it was first used', async (t) => {
  const limits = limitsOf({
    ...defaultLifetime(),
    soft_add_expires_seconds: 50n,
    hard_add_expires_seconds: 100n,
    hard_use_expires_seconds: 10n,
  })
  t.ok(limits.isTimed)
  t.equal(stageByTime(limits, unused, 1049), ALIVE)
  t.equal(stageByTime(limits, unused, 1050), SOFT)
  t.equal(stageByTime(limits, unused, 1100), HARD)
  t.equal(stageByTime(limits, { ...unused, useTime: 1005 }, 1014), ALIVE)
  t.equal(stageByTime(limits, { ...unused, useTime: 1005 }, 1015), HARD)
})
