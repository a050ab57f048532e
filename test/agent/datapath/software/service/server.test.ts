import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { Server } from '../../../../../agent/datapath/software/service/server.ts'
import { XfrmConnection } from '../../../../../netlink/xfrm/connection.ts'
import { group } from '../../../../../netlink/xfrm/constants.ts'
import { temporaryFolder } from '../../../../compat/commands/support/temporary.ts'

t.test('an event reaches all who listen', async (t) => {
  const service = join(temporaryFolder(t), 'socket')
  const server = new Server(service, {
    request: () => [],
    dump: () => [],
    statistics: () => ({}),
    settle: () => {},
  })
  t.teardown(() => server.close())
  const connection = XfrmConnection.open({ service })
  const heard = [0, 0, 0]
  const subscriptions = heard.map((_, n) =>
    connection.subscribe([group.POLICY], {
      event: ({ name }) => {
        if (name === 'FLUSHPOLICY') heard[n] = (heard[n] ?? 0) + 1
      },
      overrun: () => t.fail('overrun'),
    }),
  )
  t.teardown(() => {
    for (const subscription of subscriptions) subscription.close()
    connection.close()
  })
  for (let i = 0; i < 500 && heard.includes(0); i++) {
    server.announce(group.POLICY, { name: 'FLUSHPOLICY', body: {}, attributes: {} }, 0)
    await sleep(10)
  }
  t.notOk(heard.includes(0), String(heard))
})
