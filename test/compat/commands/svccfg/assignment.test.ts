import fc from 'fast-check'
import t from 'tap'
import { configurationQuoted } from '../../../../compat/commands/services/property.ts'
import { readAddition, readAssignment } from '../../../../compat/commands/svccfg/assignment.ts'
import { tokens } from '../../../../compat/commands/svccfg/words.ts'

function read(line: string, reader = readAssignment) {
  const found = tokens(line)
  return 'error' in found ? found : reader(found)
}

t.test('forms of an assignment', async (t) => {
  const path = 'config/config_file'
  const cases: [string, object][] = [
    [`${path} = /etc/a`, { path, values: ['/etc/a'] }],
    [`${path}=/etc/a`, { path, values: ['/etc/a'] }],
    [`${path} = astring: /etc/a`, { path, type: 'astring', values: ['/etc/a'] }],
    [`${path} = astring:/etc/a`, { path, type: 'astring', values: ['/etc/a'] }],
    [`${path} = astring: "/etc/a b"`, { path, type: 'astring', values: ['/etc/a b'] }],
    [`${path} = "a\\"b\\\\c"`, { path, values: ['a"b\\c'] }],
    [`${path} = astring: ("a" b "c d")`, { path, type: 'astring', values: ['a', 'b', 'c d'] }],
    [`${path} = astring: ()`, { path, type: 'astring', values: [] }],
    [`${path} = /etc/a=b(c)`, { path, values: ['/etc/a=b(c)'] }],
    [`${path} = svc:/network/x`, { path, values: ['svc:/network/x'] }],
    [`${path} = fmri: svc:/network/x`, { path, type: 'fmri', values: ['svc:/network/x'] }],
    [`${path} = a # comment`, { path, values: ['a'] }],
    [`${path} = ""`, { path, values: [''] }],
  ]
  for (const [line, expected] of cases) t.same(read(line), expected, line)
  t.same(read('a/b count: 3', readAddition), { path: 'a/b', type: 'count', values: ['3'] })
})

t.test('what is no assignment', async (t) => {
  for (const line of [
    '',
    'a',
    'a/b',
    'a/b =',
    'a/b = x y',
    'a/b = (x',
    'a/b = x)y z',
    'a = x',
    'a/b/c = x',
    'a/b = "x',
    '= x',
    'a/b = wrong: x',
    '__proto__/x = y',
  ]) {
    t.ok('error' in read(line), line)
  }
})

t.test('what is printed can be read', async (t) => {
  t.pass('or fast-check throws')
  fc.assert(
    fc.property(fc.array(fc.string(), { minLength: 1 }), (values) => {
      const found = read(`a/b = astring: (${values.map(configurationQuoted).join(' ')})`)
      return 'values' in found && JSON.stringify(found.values) === JSON.stringify(values)
    }),
  )
})

t.test('no line breaks it', async (t) => {
  t.pass('or fast-check throws')
  fc.assert(
    fc.property(fc.string(), (line) => read(line) !== undefined && read(line, readAddition) !== undefined),
  )
})
