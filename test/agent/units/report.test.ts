import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { keepUnits, keptUnits } from '../../../agent/units/report.ts'

t.test('what is kept goes with the agent', async (t) => {
  const folder = t.testdir()
  const units = [{ unit: 'a.service', sockets: 3, unprotected: 1 }]
  t.equal(keptUnits(folder), undefined)
  keepUnits(folder, units)
  t.same(keptUnits(folder), units)
  keepUnits(folder, undefined)
  t.equal(keptUnits(folder), undefined)
  // No process has this number: it is beyond what Linux allows.
  writeFileSync(join(folder, 'units.json'), JSON.stringify({ pid: 2 ** 30, value: units }))
  t.equal(keptUnits(folder), undefined, 'the agent was killed')
})
