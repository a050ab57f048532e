import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import type { OptionTable, ParsedOption } from '../../../../compat/commands/support/getopt.ts'
import { getopt } from '../../../../compat/commands/support/getopt.ts'

const table: OptionTable = {
  short: 'nlfLFa:qd:r:i:c:',
  long: { json: 'flag', netns: 'value' },
}

t.test('clusters, attached and separate arguments', async (t) => {
  t.same(getopt(['-nl', '-i', 'tun0'], table), {
    options: [{ name: 'n' }, { name: 'l' }, { name: 'i', value: 'tun0' }],
    operands: [],
  })
  t.same(getopt(['-Fafile'], table).options, [{ name: 'F' }, { name: 'a', value: 'file' }])
  t.same(getopt(['-Fa', 'file'], table).options, [{ name: 'F' }, { name: 'a', value: 'file' }])
  t.same(getopt(['-a', '-l'], table).options, [{ name: 'a', value: '-l' }], 'the next word, whatever it is')
  t.same(getopt(['-a', '-'], table).options, [{ name: 'a', value: '-' }])
})

t.test('operands end the options', async (t) => {
  t.same(getopt(['-n', 'x', '-l'], table), { options: [{ name: 'n' }], operands: ['x', '-l'] })
  t.same(getopt(['-n', '--', '-l'], table), { options: [{ name: 'n' }], operands: ['-l'] })
  t.same(getopt(['-', '-l'], table), { options: [], operands: ['-', '-l'] })
})

t.test('long options', async (t) => {
  t.same(getopt(['--json', '--netns', 'red', '--netns=blue', 'x'], table), {
    options: [{ name: 'json' }, { name: 'netns', value: 'red' }, { name: 'netns', value: 'blue' }],
    operands: ['x'],
  })
})

t.test('errors are in the words of getopt', async (t) => {
  t.equal(getopt(['-x'], table).error, 'illegal option -- x')
  t.equal(getopt(['-l:'], table).error, 'illegal option -- :')
  t.equal(getopt(['-nd'], table).error, 'option requires an argument -- d')
  t.equal(getopt(['--what=1'], table).error, `unrecognized option '--what'`)
  t.equal(getopt(['--toString'], table).error, `unrecognized option '--toString'`)
  t.equal(getopt(['--json=1'], table).error, `option '--json' doesn't allow an argument`)
  t.equal(getopt(['--netns'], table).error, `option '--netns' requires an argument`)
})

t.test('every way to write options gives the same options', async () => {
  const option = fc.oneof(
    fc.constantFrom('n', 'l', 'f', 'q').map((name): ParsedOption => ({ name })),
    fc
      .tuple(fc.constantFrom('a', 'd', 'i'), fc.string({ minLength: 1 }))
      .map(([name, value]): ParsedOption => ({ name, value })),
    fc.constant<ParsedOption>({ name: 'json' }),
    fc.string().map((value): ParsedOption => ({ name: 'netns', value })),
  )
  const written = fc.array(fc.tuple(option, fc.boolean()))
  fc.assert(
    fc.property(written, fc.array(fc.string()), (entries, operands) => {
      const argv = entries.flatMap(([entry, attached]) => words(entry, attached))
      const parsed = getopt([...argv, '--', ...operands], table)
      assert.deepEqual(
        parsed.options,
        entries.map(([entry]) => entry),
      )
      assert.deepEqual(parsed.operands, operands)
    }),
  )
})

function words({ name, value }: ParsedOption, attached: boolean): string[] {
  const dashes = name.length > 1 ? '--' : '-'
  if (value === undefined) return [dashes + name]
  if (!attached) return [dashes + name, value]
  return [`${dashes}${name}${name.length > 1 ? '=' : ''}${value}`]
}
