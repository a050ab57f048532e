import t from 'tap'
import { type Ending, summarise } from './tap-summary.ts'

const well: Ending = { code: 0 }

/** TAP of one subtest with the lines given. */
const subtest = (name: string, ok: boolean, ...lines: string[]): string =>
  [
    `# Subtest: ${name}`,
    ...lines.map((line) => `    ${line}`),
    `${ok ? 'ok' : 'not ok'} 1 - ${name}`,
    '1..1',
    '',
  ].join('\n')

t.test('counts leaf points, not the points that close subtests', async (t) => {
  const tap = subtest(
    'outer',
    true,
    '# Subtest: inner',
    '    ok 1 - a',
    '    ok 2 - b',
    '    1..2',
    'ok 1 - inner',
    'ok 2 - c',
    '1..2',
  )
  t.match(summarise(tap, well), { passed: 3, failed: 0, skipped: 0 })
})

t.test('a failed leaf counts once, with its path and diagnostics', async (t) => {
  const tap = subtest('outer', false, 'ok 1 - a', 'not ok 2 - b', '  ---', '  found: 1', '  ...', '1..2')
  t.match(summarise(tap, { code: 1 }), {
    passed: 1,
    failed: 1,
    failures: [{ name: 'outer > b', diag: { found: 1 } }],
  })
})

t.test('a subtest that fails without a failed leaf counts as a failure', async (t) => {
  t.match(summarise(subtest('plan', false, 'ok 1 - a', '1..2'), { code: 1 }), { passed: 1, failed: 1 })
})

t.test('a test that ends well without a point of its own is a point', async (t) => {
  t.match(summarise(subtest('property', true, '1..0'), well), { passed: 1, failed: 0 })
  t.match(summarise(subtest('property', false, '1..0'), { code: 1 }), { passed: 0, failed: 1 })
})

t.test('skipped points are skipped, TODO is a failure', async (t) => {
  t.match(
    summarise('ok 1 - a # SKIP no\nnot ok 2 - b # TODO later\nok 3 - c # TODO done\nok 4\n1..4\n', well),
    {
      passed: 1,
      failed: 2,
      skipped: 1,
    },
  )
  t.match(summarise('1..0 # SKIP not here\n', well), { passed: 0, failed: 0, skipped: 1 })
})

t.test('a file that ended badly has failed, whatever it said before', async (t) => {
  const good = 'ok 1 - a\n1..1\n'
  t.match(summarise(good, { code: 1 }), { passed: 1, failed: 1, failures: [{ name: /exit code 1/ }] })
  t.match(summarise(good, { code: null, signal: 'SIGSEGV' }), { failed: 1, failures: [{ name: /SIGSEGV/ }] })
  t.match(summarise('ok 1 - a\n', { code: null, signal: 'SIGKILL', reason: 'stopped after 9 s' }), {
    failures: [{ name: /stopped after 9 s/ }],
  })
  t.match(summarise('ok 1 - a\nok 2 - b\n', well), { passed: 2, failed: 1 }, 'no plan: broken off')
  t.match(summarise('ok 1 - a\nBail out! no\n', well), { failed: 1 })
})

t.test('a file without TAP has failed', async (t) => {
  for (const tap of ['', 'hello\n', '1..0\n'])
    t.match(summarise(tap, well), { passed: 0, failed: 1 }, JSON.stringify(tap))
})
