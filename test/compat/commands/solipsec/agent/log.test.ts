import t from 'tap'
import { eventWriter } from '../../../../../compat/commands/solipsec/agent/log.ts'
import { memoryIo } from '../../../../../compat/commands/support/memory-io.ts'

const DRIFT = {
  level: 'warning',
  event: 'drift-mended',
  message: 'It was put right.',
  details: { missingPolicies: 34, changedPolicies: 0, associations: '', netfilter: false },
} as const

function written(form: 'text' | 'json', io = memoryIo()): string {
  eventWriter(form, io)(DRIFT)
  return io.err()
}

t.test('people read what there is', async (t) => {
  t.match(written('text'), / drift-mended: It was put right\. missingPolicies=34\n$/)
})

t.test('programs get all members', async (t) => {
  t.match(JSON.parse(written('json')), { ...DRIFT.details, message: DRIFT.message })
})
