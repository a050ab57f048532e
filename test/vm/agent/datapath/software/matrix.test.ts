/**
 * The software data path on one host and the kernel's on the other: every transform, in transport and tunnel mode, over
 * IPv4 and IPv6, bare and in UDP, with and without extended sequence numbers, both ways. All at once: SOLIPSEC_FULL=1.
 */
import t from 'tap'
import { ownState } from '../../../../support/own-state.ts'
import { tcp, udp, type Verdict } from '../../../support/traffic.ts'
import { kindsOf } from '../../../support/wiretap.ts'
import { loadPolicies, newPair, PLANES, type Plane, softAndHard, titleOf } from './planes.ts'
import { apply, deleteState, ESP, MACS, newState, type TestState } from './sas.ts'

t.setTimeout(900_000)
ownState(t)
const { soft, hard, wire, connections } = await softAndHard(t)

t.before(() => {
  loadPolicies(connections[0], 'near')
  loadPolicies(connections[1], 'far')
})

/** Under emulation everything at once takes many minutes: each combination has some of the algorithms, in turn. */
const PART = process.env.SOLIPSEC_FULL ? 1 : 10
let combination = 0

for (const plane of PLANES) {
  for (const isExtended of [false, true]) {
    for (const inUdp of plane.protocol === 'esp' ? [false, true] : [false]) {
      const title = `${plane.protocol}, ${titleOf(plane)}${inUdp ? ', in UDP' : ''}${isExtended ? ', ESN' : ''}`
      t.test(title, async (t) => {
        const found: Record<string, string> = {}
        const expected: Record<string, string> = {}
        const all = plane.protocol === 'esp' ? ESP : MACS.map((mac) => [mac])
        combination++
        for (const algorithms of all.filter((_, n) => n % PART === combination % PART)) {
          const name = algorithms.map((one) => `${one.name} ${one.keyBytes * 8}/${one.icvBits}`).join(' ')
          found[name] = exchange(plane, newPair(plane, { algorithms, isExtended, inUdp }))
          expected[name] = `both ways as ${inUdp ? 'udp-esp' : plane.protocol}`
        }
        t.same(found, expected)
      })
    }
  }
}

/** Traffic under a pair of SAs, in words. */
function exchange(plane: Plane, states: readonly TestState[]): string {
  for (const connection of connections) apply(connection, states.map(newState))
  wire.take()
  const here = { station: soft, address: plane.near }
  const there = { station: hard, address: plane.far }
  const verdicts = [once(() => udp(here, there)), once(() => tcp(there, here))]
  const kinds = kindsOf(wire.take())
  for (const connection of connections) apply(connection, states.map(deleteState))
  const failed = verdicts.filter(({ delivered }) => !delivered)
  return failed.length === 0
    ? `both ways as ${kinds}`
    : `${failed.flatMap(({ refusals }) => refusals).join()} as ${kinds}`
}

/** A packet that is lost without anybody refusing it is sent once more: the emulated machine has much to do. */
function once(attempt: () => Verdict): Verdict {
  const verdict = attempt()
  return verdict.delivered || verdict.refusals.length > 0 ? verdict : attempt()
}
