import t from 'tap'
import { reachedLimits, SoftLimitDuty } from '../../../../agent/daemon/duties/soft-limits.ts'
import type { AgentEvent } from '../../../../agent/daemon/events.ts'
import { parseAddress } from '../../../../agent/model/address.ts'
import { saKey } from '../../../../agent/reconcile/association-notes.ts'
import { INF } from '../../../../netlink/xfrm/constants.ts'
import { defaultState } from '../../../../netlink/xfrm/defaults.ts'
import { violations } from '../../../schemas/support.ts'

const destination = parseAddress('192.0.2.2')
if (!destination) throw new Error('it is an address')
const one = { protocol: 'esp', spi: 0x1001, destination } as const
const { lft, curlft } = defaultState()
const limits = {
  ...lft,
  soft_byte_limit: 1000n,
  soft_add_expires_seconds: 60n,
  soft_use_expires_seconds: 30n,
}
const used = (bytes: bigint, addTime = 100n, useTime = 0n) => ({
  lft: limits,
  curlft: { ...curlft, bytes, add_time: addTime, use_time: useTime },
})
const names = (life: Parameters<typeof reachedLimits>[0], now: bigint) =>
  reachedLimits(life, now).map(({ limit }) => limit)

t.test('which limits an SA is beyond', async (t) => {
  t.same(names({ lft, curlft: { ...curlft, bytes: INF - 1n } }, INF), [], 'one without limits')
  t.same(names(used(999n), 159n), [])
  t.same(names(used(1000n), 159n), ['bytes'])
  t.same(names(used(0n), 160n), ['addTime'])
  t.same(names(used(0n, 100n, 120n), 149n), [])
  t.same(names(used(0n, 100n, 120n), 150n), ['useTime'])
  t.same(names(used(0n, 100n), 130n), [], 'one that was never used')
})

t.test('each SA and limit is told of once', async (t) => {
  let now = 110n
  const told: Omit<AgentEvent, 'time'>[] = []
  const duty = new SoftLimitDuty(
    (event) => told.push(event),
    () => now,
  )
  const limitsTold = () => told.splice(0).map(({ details }) => `${details?.limit} ${details?.value}`)
  duty.look(one, used(999n))
  t.same(limitsTold(), [])
  duty.look(one, used(1000n))
  duty.look(one, used(2000n))
  t.same(limitsTold(), ['bytes 1000'])
  now = 170n
  duty.look(one, used(2000n))
  t.same(limitsTold(), ['addTime 60'], 'another limit')
  duty.look(one, { ...used(2000n), lft: { ...limits, soft_byte_limit: 1500n } })
  t.same(limitsTold(), ['bytes 1500'], 'a limit that was changed')
  duty.look({ ...one, spi: 0x1002 }, used(1000n, 165n))
  t.same(limitsTold(), ['bytes 1000'], 'another SA')
  duty.prune((key) => key === saKey(one))
  duty.look(one, used(2000n))
  t.same(limitsTold(), [], 'one that is kept is not forgotten')
  duty.look(one, used(1000n, 165n))
  t.same(limitsTold(), ['bytes 1000'], 'an SA that was made anew')
  duty.prune(() => false)
  duty.look(one, used(1000n, 165n))
  t.same(limitsTold(), ['bytes 1000'])
})

t.test('what it says', async (t) => {
  const told: Omit<AgentEvent, 'time'>[] = []
  const duty = new SoftLimitDuty(
    (event) => told.push(event),
    () => 200n,
  )
  duty.look(one, used(7n))
  duty.look(one, { ...used(1000n), lft: { ...limits, hard_byte_limit: 5000n } })
  const [first, second] = told
  t.match(first, {
    level: 'warning',
    event: 'association-soft',
    message:
      'esp 0x1001 -> 192.0.2.2 has reached its soft limit of 60 seconds since it was made. ' +
      'It stays in use until it is removed, since it has no hard limit; a successor is due.',
    details: { association: 'esp 0x1001 -> 192.0.2.2', limit: 'addTime', value: 60, bytes: 7 },
  })
  t.match(second?.message, /soft limit of 1000 bytes\. It stays in use until its hard limit;/)
  const { details, ...rest } = { time: '2026-01-01T00:00:00.000Z', ...first }
  t.same(violations('solipsec-log.schema.json', JSON.stringify({ ...rest, ...details })), [])
})
