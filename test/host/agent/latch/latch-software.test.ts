/** Latching and tunables where the software data path carries the packets. */
import { openSync } from 'node:fs'
import t from 'tap'
import { connectDataPath } from '../../../../agent/datapath/data-path.ts'
import { paddingCheckOf } from '../../../../agent/model/padding-check.ts'
import { run as runNdd } from '../../../../compat/commands/ndd.ts'
import { enterNetns } from '../../../../netlink/libc/netns.ts'
import { captureIo } from '../../../compat/commands/support/capture-io.ts'
import { OpenConnection, type Place } from '../../../support/open-connection.ts'
import { ownState } from '../../../support/own-state.ts'
import { softwarePair } from '../../../support/software-pair.ts'
import { AES_SHA256, AH_SHA256, keyFile, pairOf } from '../../../vm/support/keys.ts'
import { AH, ESP } from '../../../vm/support/two-stations.ts'
import { kindOf, Wiretap } from '../../../vm/support/wiretap.ts'

t.setTimeout(120_000)
ownState(t)
const [L, R] = ['10.1.0.1', '10.1.0.2']
const { left, right } = await softwarePair(t, [`${L}/24`], [`${R}/24`])
const here: Place = { station: left, address: L }
const there: Place = { station: right, address: R }
const home = openSync('/proc/thread-self/ns/net', 'r')

async function both(action: string): Promise<void> {
  for (const station of [left, right]) await station.policy(`{ulp tcp dir both} ${action}`, '--latch', 'on')
}

async function ndd(...words: string[]): Promise<void> {
  const io = captureIo()
  const code = await runNdd(['--netns', left.host.namespace, ...words], io)
  enterNetns(home)
  if (code !== 0) throw new Error(io.err())
}

t.test('each connection under its own policy', async (t) => {
  const keys = [
    ...pairOf({ ...AES_SHA256, spi: 0x1000, source: L, destination: R }),
    ...pairOf({ ...AH_SHA256, spi: 0x2000, source: L, destination: R }),
  ]
  for (const station of [left, right]) await station.keys(keyFile(keys))
  await both('bypass {}')
  const wire = Wiretap.open(t, { station: left })
  const kind = (connection: OpenConnection): string => {
    wire.take()
    if (!connection.passes(true)) return 'nothing'
    return [...new Set(wire.take().map(kindOf))].sort().join(' ')
  }
  const clear = OpenConnection.open(here, there, 1000)
  await both(`ipsec {${ESP}}`)
  const esp = OpenConnection.open(here, there, 1001)
  t.same([clear, esp].map(kind), ['tcp', 'esp'])
  await both(`ipsec {${AH}}`)
  const ah = OpenConnection.open(here, there, 1002)
  t.same([clear, esp, ah].map(kind), ['tcp', 'esp', 'ah'])
  await both('ipsec {encr_algs aes encr_auth_algs sha256}')
  t.same([clear, esp, ah].map(kind), ['tcp', 'esp', 'ah'], 'under new classes')
  for (const connection of [clear, esp, ah]) connection.close()
})

t.test(
  'the interval of keepalives, and what is checked of padding, go with SAs that are added',
  async (t) => {
    const encapsulated = (spi: number) =>
      keyFile([
        { ...AES_SHA256, spi, source: L, destination: R, more: `encap udp nat_loc ${L} nat_rem ${R}` },
      ])
    const ways = () =>
      left.visit(() => {
        const connection = connectDataPath(left.folder)
        try {
          return connection
            .states()
            .map(({ attributes: { nat_keepalive_interval: interval, sa_extra_flags: flags = 0 } }) => [
              interval,
              paddingCheckOf(flags),
            ])
        } finally {
          connection.close()
        }
      })
    await left.keys(encapsulated(0x3000))
    t.same(ways(), [[20, 1]])
    await ndd('-set', '/dev/ipsecesp', 'ipsecesp_nat_keepalive_interval', '7')
    await ndd('-set', '/dev/ipsecesp', 'ipsecesp_padding_check', '2')
    t.same(ways(), [[20, 1]])
    await left.keys(encapsulated(0x3001))
    t.same(ways(), [[7, 2]])
  },
)
