import t from 'tap'
import { saKey } from '../../../agent/reconcile/association-notes.ts'
import { associationChanges, type Step } from '../../../agent/reconcile/steps.ts'
import { kernelAssociation } from '../daemon/support.ts'

const stepsOf = (spi: number) => {
  const { association, state } = kernelAssociation(spi)
  const { body, attributes } = state
  const { id, family } = body
  return {
    key: saKey(association),
    make: { kind: 'message', message: { name: 'NEWSA', body, attributes } } satisfies Step,
    update: { kind: 'message', message: { name: 'UPDSA', body, attributes } } satisfies Step,
    remove: {
      kind: 'message',
      message: { name: 'DELSA', body: { ...id, family }, attributes: {} },
    } satisfies Step,
  }
}

t.test('what becomes of SAs', async (t) => {
  const [a, b, c, d] = [stepsOf(1), stepsOf(2), stepsOf(3), stepsOf(4)]
  const steps = [a.make, b.remove, c.remove, c.make, d.update]
  t.same(
    [...associationChanges(steps)],
    [
      [a.key, 'made'],
      [b.key, 'removed'],
      [c.key, 'made'],
      [d.key, 'made'],
    ],
  )
})
