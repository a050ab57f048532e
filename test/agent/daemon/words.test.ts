import t from 'tap'
import type { Drift } from '../../../agent/daemon/drift.ts'
import type { RoundReport } from '../../../agent/daemon/round.ts'
import { awaitedText, roundEvents } from '../../../agent/daemon/words.ts'
import { defaultAlgorithmTable } from '../../../agent/model/default-algorithms.ts'
import { QUIET } from './quiet-round.ts'

function told(tunnels: Partial<Drift['tunnels']>, more: Partial<RoundReport> = {}): string[] {
  const drift = { ...QUIET.drift, tunnels: { ...QUIET.drift.tunnels, ...tunnels } }
  return roundEvents({ ...QUIET, drift, ...more }).map(({ event, message }) => `${event}: ${message}`)
}

t.test('tunnel interfaces that others have changed', async (t) => {
  const ours = 'Another program has changed what is ours: the tunnel interface ip.tun0 missing.'
  t.same(told({}), [])
  t.same(told({ missing: ['ip.tun0'] }, { isApplied: true, isMended: true }), [
    `drift-mended: ${ours} It was put right.`,
  ])
  t.same(told({ missing: ['ip.tun0'] }), [
    `drift: ${ours} Nothing was done about it, as the configuration says.`,
  ])
  t.same(told({ missing: ['ip.tun0'] }, { obstacles: [new Error('no')] }), [
    `drift: ${ours} Not all of it could be put right.`,
  ])
  t.match(told({ changed: ['a', 'b'] }), [/: the tunnel interfaces a, b changed\./])
  t.same(told({ blocked: ['a', 'b'] }), [
    'drift: In place of ours, another program has made the tunnel interfaces a, b. ' +
      'To have ours again: ip link delete a; ip link delete b',
  ])
})

t.test('why a configuration is not in force', async (t) => {
  const stays = 'The configuration could not be loaded; what was loaded stays in force.'
  t.equal(awaitedText(undefined), stays)
  t.equal(awaitedText({ isTunnel: true, names: [] }), `${stays} It is tried again when interfaces change.`)
  t.equal(
    awaitedText({ isTunnel: true, names: ['a'] }),
    `${stays} It is tried again when interfaces change, and when names have addresses.`,
  )
  t.equal(
    awaitedText({ isTunnel: false, names: [], passing: 'others' }),
    `${stays} It is tried again at least once a minute.`,
  )
  t.equal(
    awaitedText({
      isTunnel: false,
      names: ['a'],
      settings: { algorithms: defaultAlgorithmTable, drift: 'enforce' },
    }),
    'Only a part of the configuration is in force. It is tried again when names have addresses.',
  )
})
