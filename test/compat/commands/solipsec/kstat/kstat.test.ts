/** The command line of `solipsec kstat`, what it takes, and how it is printed. */
import fc from 'fast-check'
import t from 'tap'
import type { Kstat } from '../../../../../agent/status/kstat.ts'
import { interpret, optionTable } from '../../../../../compat/commands/solipsec/kstat/arguments.ts'
import { formatSelected } from '../../../../../compat/commands/solipsec/kstat/format.ts'
import { PatternError, readPattern, select } from '../../../../../compat/commands/solipsec/kstat/selection.ts'
import { getopt } from '../../../../../compat/commands/support/getopt.ts'

const KSTATS: Kstat[] = [
  { module: 'ip', instance: 0, name: 'ipdrop', class: 'net', statistics: new Map([['esp_bad_auth', 1]]) },
  {
    module: 'ipsecesp',
    instance: 0,
    name: 'esp_stat',
    class: 'net',
    statistics: new Map([
      ['bad_auth', 1],
      ['num_aalgs', 5],
    ]),
  },
]

function read(...argv: string[]) {
  const { options, operands, error } = getopt(argv, optionTable)
  if (error) throw new Error(error)
  return interpret(options, operands)
}

function print(...argv: string[]): string {
  const read_ = read(...argv)
  if ('usage' in read_) throw new Error(read_.usage)
  const { selection, form } = read_.request
  const selected = select(KSTATS, selection, () => [['snaptime', 12.5]])
  return formatSelected(selected, form, 12.5)
}

t.test('what is taken', async (t) => {
  const both =
    'ip:0:ipdrop:esp_bad_auth\nip:0:ipdrop:snaptime\nipsecesp:0:esp_stat:bad_auth\nipsecesp:0:esp_stat:num_aalgs\nipsecesp:0:esp_stat:snaptime\n'
  t.equal(print('-l'), both)
  t.equal(print('-p', 'ipsecesp:0:esp_stat:num_aalgs'), 'ipsecesp:0:esp_stat:num_aalgs\t5\n')
  t.equal(
    print('-C', '-m', 'ipsecesp', '-s', '*_a*'),
    'ipsecesp:0:esp_stat:bad_auth:1\nipsecesp:0:esp_stat:num_aalgs:5\n',
  )
  t.equal(print('-l', ':::num*'), 'ipsecesp:0:esp_stat:num_aalgs\n')
  t.equal(print('-l', 'ip'), 'ip:0:ipdrop:esp_bad_auth\nip:0:ipdrop:snaptime\n')
  t.equal(print('-l', '-s', '/^(bad|esp)_/'), 'ip:0:ipdrop:esp_bad_auth\nipsecesp:0:esp_stat:bad_auth\n')
  t.equal(print('-p', '-i', '1'), '')
  t.equal(print('-p', '-c', 'misc'), '')
  t.equal(print('-l', 'ip:::esp*', 'ip:::esp*'), 'ip:0:ipdrop:esp_bad_auth\n'.repeat(2), 'as on Solaris')
  t.equal(print('-p', ':::snaptime').split('\n')[0], 'ip:0:ipdrop:snaptime\t12.500000000')
})

t.test('as kstat(8) prints it', async (t) => {
  t.equal(
    print('-n', 'esp_stat'),
    'module: ipsecesp                        instance: 0     \n' +
      'name:   esp_stat                        class:    net\n' +
      '\tbad_auth                        1\n' +
      '\tnum_aalgs                       5\n' +
      '\tsnaptime                        12.500000000\n\n',
  )
  t.same(JSON.parse(print('-j', 'ip:0:ipdrop:esp_bad_auth')), [
    {
      module: 'ip',
      instance: 0,
      name: 'ipdrop',
      class: 'net',
      type: 1,
      snaptime: 12.5,
      data: { esp_bad_auth: 1 },
    },
  ])
})

t.test('arguments', async (t) => {
  t.match(read('-p'), { request: { form: 'parseable', interval: 0, count: 1, isQuiet: false } })
  t.match(read('-T', 'u', '5'), {
    request: { stamp: 'seconds', interval: 5, count: Number.POSITIVE_INFINITY },
  })
  t.match(read('-q', 'ip', '2', '3'), { request: { isQuiet: true, interval: 2, count: 3 } })
  t.match(read('-q', '-p'), { usage: /mutually exclusive/ })
  t.match(read('-m', 'ip', 'ip:0'), { usage: /mutually exclusive/ })
  t.match(read('a:b:c:d:e'), { usage: /more parts/ })
  t.match(read('-T', 'x'), { usage: /neither/ })
  t.match(read('0'), { usage: /interval must be/ })
  t.match(read('1', '0'), { usage: /count must be/ })
  t.match(read('1', '1', '1'), { usage: /what is/ })
  t.match(read('-s', '/(/'), { usage: /not a pattern/ })
})

t.test('patterns', async (t) => {
  const takes = (pattern: string, text: string) => readPattern(pattern)(text)
  t.ok(takes('a*c', 'abbc') && takes('a?c', 'abc') && takes('[a-c]x', 'bx') && takes('[!a]x', 'bx'))
  t.notOk(
    takes('a*c', 'abd') ||
      takes('[!a]x', 'ax') ||
      takes('a', 'ab') ||
      takes('a.c', 'abc') ||
      takes('\\*', 'a'),
  )
  t.ok(takes('\\*', '*') && takes('a.c', 'a.c') && takes('[', '['))
  t.throws(() => readPattern('/[/'), /not a pattern/)
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const pattern = text.replace(/[\\*?[\]]/g, '\\$&')
      if (/^\/.*\/$/s.test(pattern)) return true
      return takes(pattern, text)
    }),
    { seed: 1 },
  )
})

t.test('no pattern makes anything else than a match, a mismatch or a refusal', async (t) => {
  fc.assert(
    fc.property(fc.string({ maxLength: 12 }), fc.string({ maxLength: 12 }), (pattern, text) => {
      try {
        readPattern(pattern)(text)
      } catch (error) {
        return error instanceof PatternError
      }
      return true
    }),
    { seed: 1, numRuns: 2000 },
  )
  t.pass()
})
