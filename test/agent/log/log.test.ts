/** Log lines: what they look like, and that nothing in them can pretend to be another line. */
import fc from 'fast-check'
import t from 'tap'
import { defaultFormat, formatEntry, quoted } from '../../../agent/log/format.ts'
import { createLog, LOG_LEVELS } from '../../../agent/log/log.ts'
import { Secret } from '../../../agent/model/secret.ts'
import { violations } from '../../schemas/support.ts'

const TIME = Date.UTC(2026, 10, 21, 9, 5, 7, 42)

function written(format: 'human' | 'journal' | 'json', level?: (typeof LOG_LEVELS)[number]) {
  const lines: string[] = []
  const log = createLog({
    write: (line) => lines.push(line),
    format,
    now: () => TIME,
    ...(level && { level }),
  })
  return { lines, log }
}

t.test('each format', async (t) => {
  const fields = { policies: 3, mended: true, cause: 'ip xfrm policy flush', rule: undefined }
  const human = written('human')
  human.log.warning('drift', fields)
  t.match(
    human.lines[0],
    /^2026-11-2\d \d\d:\d\d:07\.042 warning drift policies=3 mended=true cause="ip xfrm policy flush"\n$/,
  )
  const journal = written('journal')
  journal.log.warning('drift', fields)
  t.equal(journal.lines[0], '<4>drift policies=3 mended=true cause="ip xfrm policy flush"\n')
  const json = written('json')
  json.log.warning('drift', fields)
  t.same(JSON.parse(json.lines[0] ?? ''), {
    time: '2026-11-21T09:05:07.042Z',
    level: 'warning',
    event: 'drift',
    policies: 3,
    mended: true,
    cause: 'ip xfrm policy flush',
  })
})

t.test('a sentence, and lists', async (t) => {
  const { lines, log } = written('journal')
  log.warning('drift-mended', { message: 'Policies were gone:\n3', rules: ['1', '2'], none: [] })
  t.equal(lines[0], '<4>drift-mended: Policies were gone:\\u000a3 rules=1,2 none=""\n')
  const json = written('json')
  json.log.warning('drift-mended', { message: 'Gone.', rules: ['1', '2'] })
  t.match(JSON.parse(json.lines[0] ?? ''), { message: 'Gone.', rules: ['1', '2'] })
  t.same(violations('solipsec-log.schema.json', json.lines[0] ?? ''), [])
})

t.test('levels', async (t) => {
  const { lines, log } = written('journal', 'debug')
  for (const level of LOG_LEVELS) log[level]('said')
  t.same(lines, ['<3>said\n', '<4>said\n', '<5>said\n', '<6>said\n', '<7>said\n'])
  const few = written('journal')
  for (const level of LOG_LEVELS) few.log[level]('said')
  t.equal(few.lines.length, 4, 'debug is left out unless asked for')
})

t.test('the format where none was asked for', async (t) => {
  t.equal(defaultFormat({ isJournal: true }), 'journal')
  t.equal(defaultFormat({ isJournal: false }), 'human')
})

t.test('a fact cannot take the place of time, level and event', async (t) => {
  const { lines, log } = written('json')
  log.info('real', { event: 'forged', time: 1, level: 'error' })
  t.match(JSON.parse(lines[0] ?? ''), {
    event: 'real',
    level: 'info',
    event_: 'forged',
    time_: 1,
    level_: 'error',
  })
  t.same(violations('solipsec-log.schema.json', lines[0] ?? ''), [])
})

t.test('secrets do not pass the compiler, and not the formatter either', async (t) => {
  const { lines, log } = written('human')
  // @ts-expect-error only plain values are facts
  log.info('key', { key: new Secret(new Uint8Array([0xde, 0xad]), 16) })
  t.match(lines[0], '<redacted>')
  t.notMatch(lines[0], /dead/)
})

const anyField = fc.oneof(fc.string({ unit: 'binary' }), fc.double(), fc.boolean())

t.test('whatever the facts are: one line, and nothing a terminal obeys', async (t) => {
  fc.assert(
    fc.property(
      fc.dictionary(fc.string({ unit: 'binary' }), anyField),
      fc.constantFrom('human', 'journal', 'json'),
      (fields, format) => {
        const line = formatEntry({ time: TIME, level: 'info', event: 'x', fields }, format as 'human')
        if (format === 'json') JSON.parse(line)
        return format === 'json'
          ? !line.includes('\n')
          : !/[\p{Cc}\u2028\u2029\u202e\ud800-\udfff]/u.test(line)
      },
    ),
    { seed: 1 },
  )
  t.pass()
})

t.test('what is quoted is what was meant', async (t) => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => JSON.parse(quoted(text)) === text),
    { seed: 1 },
  )
  t.pass()
})
