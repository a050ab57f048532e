/** A host that sends ESP in UDP keeps the mapping of a NAT alive while it has nothing to send. */
import { setTimeout as wait } from 'node:timers/promises'
import t from 'tap'
import { ownState } from '../../../../support/own-state.ts'
import { softwarePair } from '../../../../support/software-pair.ts'
import {
  apply,
  connect,
  ESP,
  exceptions,
  newState,
  policies,
} from '../../../../vm/agent/datapath/software/sas.ts'
import { ping } from '../../../../vm/support/traffic.ts'

t.setTimeout(60_000)
ownState(t)
const [L, R] = ['10.1.0.1', '10.1.0.2']
const { left, right } = await softwarePair(t, [`${L}/24`], [`${R}/24`])
const connections = [connect(left), connect(right)] as const
t.teardown(() => {
  for (const connection of connections) connection.close()
})

t.test('one byte, a second after the last packet, where the SA asks for that', async (t) => {
  const common = {
    protocol: 'esp',
    algorithms: ESP[0] ?? [],
    isTunnel: false,
    isExtended: false,
    inUdp: true,
    window: 64,
  } as const
  const there = newState({ ...common, spi: 0x1001, source: L, destination: R })
  const back = newState({ ...common, spi: 0x1002, source: R, destination: L })
  const asked = { ...there, attributes: { ...there.attributes, nat_keepalive_interval: 1 } }
  apply(connections[0], [...exceptions(), ...policies('esp', L, R), asked, back])
  apply(connections[1], [...exceptions(), ...policies('esp', R, L), there, back])
  for (const connection of connections) connection.spdInfo()
  const wire = await left.host.capture()
  t.match(ping({ station: left, address: L }, { station: right, address: R }), { delivered: true })
  const keepalives = async () => {
    const packets = await wire.packets()
    return packets.filter(
      ({ protocol, payload }) => protocol === 17 && payload.subarray(8).equals(Buffer.of(0xff)),
    )
  }
  for (let i = 0; i < 100 && (await keepalives()).length === 0; i++) await wait(100)
  const [first] = await keepalives()
  await wire.stop()
  t.match(first, { source: L, destination: R })
  t.same([first?.payload.readUInt16BE(0), first?.payload.readUInt16BE(2)], [4500, 4500])
  const { err } = await right.ipsecconf(['-l'])
  t.equal(err, '', 'nobody minds')
})
