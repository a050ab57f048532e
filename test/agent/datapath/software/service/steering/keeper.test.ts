import { setTimeout as pause, setImmediate } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { Databases } from '../../../../../../agent/datapath/software/databases.ts'
import {
  type Nft,
  SteeringKeeper,
} from '../../../../../../agent/datapath/software/service/steering/keeper.ts'
import { Tunnels } from '../../../../../../agent/datapath/software/service/tunnels.ts'
import { NETLINK_ROUTE } from '../../../../../../netlink/socket/protocols.ts'
import { NetlinkSocket } from '../../../../../../netlink/socket/socket.ts'

/** Nothing else happens for so many milliseconds. */
function work(milliseconds: number): void {
  const end = performance.now() + milliseconds
  while (performance.now() < end);
}

/** A keeper, and when its tables were made; `cost`: milliseconds that nft takes, as with a large table. */
function keeperWith(t: Test, cost: number) {
  const applied: number[] = []
  const nft: Nft = {
    applySteering: () => {
      work(cost)
      return applied.push(performance.now())
    },
    isSteering: () => {
      work(cost)
      return true
    },
    refusedBySteering: () => new Map(),
  }
  const socket = NetlinkSocket.open(NETLINK_ROUTE)
  const databases = new Databases({ acquire: () => {}, expire: () => {} })
  const keeper = new SteeringKeeper('solipsec0', databases, new Tunnels(socket), nft)
  t.teardown(() => {
    keeper.close()
    socket.close()
  })
  return { applied, keeper }
}

t.test('a swarm of changes makes one table, however long tables take to be made', async (t) => {
  const { applied, keeper } = keeperWith(t, 200)
  keeper.policiesChanged()
  keeper.bring()
  for (let i = 0; i < 100; i++) {
    work(4)
    keeper.policiesChanged()
    keeper.soon()
    // The kernel's announcements of the first table were too many.
    if (i % 40 === 20) keeper.restore(undefined)
    await setImmediate()
  }
  t.equal(applied.length, 1, 'none before it is over')
  while (applied.length < 2) await pause(10)
  await pause(300)
  t.equal(applied.length, 2)
})

t.test('a swarm without an end is brought into force now and then', async (t) => {
  const { applied, keeper } = keeperWith(t, 1)
  while (applied.length < 2) {
    keeper.policiesChanged()
    keeper.soon()
    await setImmediate()
  }
  const [first = 0, second = 0] = applied
  t.ok(second - first >= 900, 'but not all the time')
})

t.test('changes of others to the table are undone, those of ourselves are not', async (t) => {
  const { applied, keeper } = keeperWith(t, 1)
  keeper.bring()
  t.equal(applied.length, 1)
  keeper.restore(1)
  await pause(50)
  t.equal(applied.length, 1)
  keeper.restore(12345)
  while (applied.length < 2) await pause(10)
  t.pass('made anew')
})
