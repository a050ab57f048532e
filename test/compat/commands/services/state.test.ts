import t from 'tap'
import { serviceNamed } from '../../../../compat/commands/services/catalogue.ts'
import type { Mark } from '../../../../compat/commands/services/mark.ts'
import { stateOf } from '../../../../compat/commands/services/state.ts'
import { jobOf, parseUnits, SystemdError, type Unit } from '../../../../compat/commands/services/systemd.ts'

const unit = (changes: Partial<Unit> = {}): Unit => ({
  load: 'loaded',
  active: 'active',
  file: 'enabled',
  result: 'success',
  exitStatus: 0,
  changedAt: 1000,
  controlGroup: '',
  hasJob: false,
  text: '',
  ...changes,
})
const mark: Mark = { state: 'maintenance', cause: 'refresh', status: 95, at: 2000, lines: ['x'] }

t.test('states of systemd and of SMF', async (t) => {
  const cases: [Partial<Unit>, object][] = [
    [{}, { state: 'online', isEnabled: true, isTemporary: false, since: 1000 }],
    [{ file: 'disabled' }, { state: 'online', isEnabled: true, isTemporary: true }],
    [{ active: 'inactive' }, { state: 'disabled', isEnabled: false, isTemporary: true }],
    [
      { active: 'inactive', file: 'disabled' },
      { state: 'disabled', isEnabled: false, isTemporary: false },
    ],
    [
      { active: 'inactive', hasJob: true },
      { state: 'offline', next: 'online', isEnabled: true },
    ],
    [{ active: 'activating' }, { state: 'offline', next: 'online', isEnabled: true }],
    [{ active: 'deactivating' }, { state: 'online', next: 'offline' }],
    [
      { active: 'deactivating', file: 'disabled' },
      { state: 'online', next: 'disabled', isEnabled: false },
    ],
    [{ active: 'reloading' }, { state: 'online', next: 'online' }],
    [
      { active: 'failed', result: 'exit-code' },
      { state: 'maintenance', isEnabled: true, auxiliary: 'method_failed' },
    ],
    [{ active: 'failed', result: 'timeout' }, { auxiliary: 'fault_threshold_reached' }],
    [
      { load: 'not-found', active: 'inactive', file: '' },
      { state: 'uninitialized', isEnabled: false },
    ],
    [{ load: 'masked', active: 'inactive', file: 'masked' }, { state: 'disabled' }],
  ]
  for (const [changes, expected] of cases)
    t.match(stateOf(unit(changes), undefined, false), expected, changes)
  t.match(stateOf(unit({ active: 'inactive' }), undefined, true), { state: 'offline', isEnabled: true })
})

t.test('a mark of ours goes before what systemd says', async (t) => {
  t.match(stateOf(unit(), mark, false), {
    state: 'maintenance',
    isEnabled: true,
    since: 2000,
    auxiliary: 'method_failed',
  })
  const byHand: Mark = { ...mark, cause: 'administrator' }
  t.match(stateOf(unit(), byHand, false), { auxiliary: 'administrative_request' })
  t.match(stateOf(unit(), { ...byHand, cause: 'service' }, false), { auxiliary: 'service_request' })
  const degraded: Mark = { ...byHand, state: 'degraded' }
  t.match(stateOf(unit(), degraded, false), { state: 'degraded' })
  t.match(stateOf(unit({ active: 'inactive' }), degraded, false), { state: 'disabled' })
  t.match(stateOf(unit({ load: 'not-found' }), mark, false), { state: 'uninitialized' })
})

t.test('what systemctl show prints', async (t) => {
  const text = `Id=a.service
LoadState=loaded
ActiveState=active
StateChangeTimestamp=@1795262400
Job=12
StatusText=x=y

Id=b.service
ActiveState=inactive
StateChangeTimestamp=@0
`
  const units = parseUnits(text)
  t.match(units.get('a.service'), { active: 'active', changedAt: 1795262400000, hasJob: true, text: 'x=y' })
  t.same(units.get('b.service')?.changedAt, undefined)
  t.same(units.get('b.service')?.hasJob, false)
})

t.test('the job of a unit', async (t) => {
  const policy = serviceNamed('policy')
  const list = '77 other.service start waiting\n 78 solipsec-policy.service restart running\n'
  t.equal(
    jobOf(() => ({ status: 0, stdout: list, stderr: '' }), policy),
    'restart',
  )
  t.equal(
    jobOf(() => ({ status: 0, stdout: '', stderr: '' }), policy),
    undefined,
  )
  t.throws(
    () => jobOf(() => ({ status: 1, stdout: '', stderr: 'no bus' }), policy),
    new SystemdError('systemctl: no bus'),
  )
})
