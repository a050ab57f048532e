import t from 'tap'
import type { Drift } from '../../../agent/daemon/drift.ts'
import type { RoundReport } from '../../../agent/daemon/round.ts'
import { roundEvents } from '../../../agent/daemon/words.ts'
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
