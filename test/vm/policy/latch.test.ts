/**
 * Established connections under real ESP and AH, across changes of rules at both ends: each keeps the policy that it began
 * under, also where SAs change their classes, and new ones go by the new rules.
 */
import t from 'tap'
import { OpenConnection } from '../../support/open-connection.ts'
import { ownState } from '../../support/own-state.ts'
import { until } from '../support/sockets.ts'
import { AH, ESP, INET, INET6, TwoStations } from '../support/two-stations.ts'
import { kindOf, Wiretap } from '../support/wiretap.ts'

t.setTimeout(600_000)
ownState(t)

const two = await TwoStations.make(t)
const { left, right } = two

/** The same policy at both ends. */
async function both(properties: string): Promise<void> {
  for (const station of [left, right]) {
    const action = properties === '' ? 'bypass {}' : `ipsec {${properties}}`
    await station.policy(`{ulp tcp dir both} ${action}`, '--latch', 'on')
  }
}

for (const on of [INET, INET6]) {
  t.test(`each connection under its own policy, ${on.family}`, async (t) => {
    const here = two.end(left, on.L)
    const there = two.end(right, on.R)
    const wire = Wiretap.open(t, { station: left })
    /** What is on the wire while a connection talks. */
    const kind = (connection: OpenConnection): string => {
      wire.take()
      if (!connection.passes(true)) return 'nothing'
      return [...new Set(wire.take().map(kindOf))].sort().join(' ')
    }
    await both('')
    const clear = OpenConnection.open(here, there, 1000)
    t.equal(kind(clear), 'tcp')
    await both(ESP)
    const esp = OpenConnection.open(here, there, 1001)
    t.same([kind(clear), kind(esp)], ['tcp', 'esp'])
    await both(AH)
    const ah = OpenConnection.open(here, there, 1002)
    t.same([kind(clear), kind(esp), kind(ah)], ['tcp', 'esp', 'ah'])
    // The SAs serve another requirement as well now: they are made anew, under the connections.
    await both('encr_algs aes encr_auth_algs sha256')
    const any = OpenConnection.open(here, there, 1003)
    t.same([kind(clear), kind(esp), kind(ah), kind(any)], ['tcp', 'esp', 'ah', 'esp'])
    await both('')
    const last = OpenConnection.open(here, there, 1004)
    t.same([clear, esp, ah, any, last].map(kind), ['tcp', 'esp', 'ah', 'esp', 'tcp'])
    esp.close()
    const next = OpenConnection.open(here, there, 1001)
    t.ok(
      until(() => (kind(next) === 'tcp' ? true : undefined), 20_000),
      'what comes after a pinned connection goes by the rules',
    )
    for (const connection of [clear, ah, any, last, next]) connection.close()
  })
}

t.test('without latching, what is not protected is cut off', async (t) => {
  await left.policy('{ulp tcp dir both} bypass {}', '--latch', 'off')
  const clear = OpenConnection.open(two.end(left, INET.L), two.end(right, INET.R), 1000)
  t.ok(clear.passes(true))
  await left.policy(`{ulp tcp dir both} ipsec {${ESP}}`)
  await right.policy('{ulp tcp dir both} bypass {}', '--latch', 'off')
  t.notOk(clear.passes(false))
  clear.close()
})
