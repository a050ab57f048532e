import { closeSync, fstatSync, openSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { conclude, type Outcome } from '../../../../compat/commands/support/exit.ts'
import { detectService } from '../../../../compat/commands/support/service.ts'
import { captureIo } from './capture-io.ts'
import { temporaryFolder } from './temporary.ts'

t.test('SMF is known by its variable', async (t) => {
  t.same(detectService({ SMF_FMRI: 'svc:/network/ipsec/policy:default' }), {
    name: 'svc:/network/ipsec/policy:default',
  })
  t.equal(detectService({ SMF_FMRI: '' }), undefined)
})

t.test('systemd is known by the journal on standard error, not by the variable alone', async (t) => {
  const fd = openSync(join(temporaryFolder(t), 'journal'), 'w')
  const { dev, ino } = fstatSync(fd)
  t.ok(detectService({ JOURNAL_STREAM: `${dev}:${ino}` }, fd)?.name)
  t.equal(detectService({ JOURNAL_STREAM: `${dev}:${ino + 1}` }, fd), undefined)
  t.equal(detectService({ JOURNAL_STREAM: `${dev + 1}:${ino}` }, fd), undefined)
  t.equal(detectService({ JOURNAL_STREAM: 'x' }, fd), undefined)
  t.equal(detectService({}, fd), undefined)
  closeSync(fd)
  t.equal(detectService({ JOURNAL_STREAM: `${dev}:${ino}` }, 1_000_000), undefined, 'a closed descriptor')
})

t.test('exit codes and last words', async (t) => {
  const rows: [Outcome, number, string, number, string][] = [
    ['ok', 0, '', 0, ''],
    ['fatal', 1, 'Fatal error - exiting.\n', 95, 'Service S fatal error.\n'],
    ['configuration', 1, 'Fatal error - exiting.\n', 95, 'Bad configuration of service S.\n'],
    ['maintenance', 1, '', 95, 'Service S needs maintenance.\n'],
    ['permission', 1, '', 100, 'Permission error with S.\n'],
    ['restart', 1, '', 1, ''],
  ]
  for (const [outcome, code, words, serviceCode, serviceWords] of rows) {
    const shell = captureIo()
    t.equal(conclude(outcome, shell), code, outcome)
    t.equal(shell.err(), words, outcome)
    const service = captureIo({ service: { name: 'S' } })
    t.equal(conclude(outcome, service), serviceCode, outcome)
    t.equal(service.err(), serviceWords, outcome)
  }
})
