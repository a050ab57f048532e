import t from 'tap'
import type { RoundReport } from '../../../agent/daemon/round.ts'
import { Teller } from '../../../agent/daemon/teller.ts'
import { QUIET } from './quiet-round.ts'

const DRIFT: RoundReport = {
  ...QUIET,
  drift: { ...QUIET.drift, policies: { missing: 1, changed: 0, unknown: 0 } },
}
const MENDED: RoundReport = { ...DRIFT, isApplied: true, isMended: true }

function listening(): { teller: Teller; take(report: RoundReport): string[] } {
  const told: string[] = []
  const teller = new Teller(({ event }) => told.push(event))
  return {
    teller,
    take: (report) => {
      teller.take(report)
      return told.splice(0)
    },
  }
}

t.test('drift that stands is told and counted once; drift that comes again is another one', async (t) => {
  const { teller, take } = listening()
  t.same(take(QUIET), [])
  t.same(take(DRIFT), ['drift'])
  t.same(take(DRIFT), [])
  t.equal(teller.drifts, 1)
  t.same(take(QUIET), [])
  t.same(take(DRIFT), ['drift'])
  t.equal(teller.drifts, 2)
})

t.test('what was mended is told each time', async (t) => {
  const { teller, take } = listening()
  t.same(take(MENDED), ['drift-mended'])
  t.same(take(MENDED), ['drift-mended'])
  t.equal(teller.drifts, 2)
})
