import fc from 'fast-check'
import t from 'tap'
import { serviceNamed } from '../../../../compat/commands/services/catalogue.ts'
import {
  isValueOf,
  type Property,
  type PropertySet,
  shellQuoted,
  TYPES,
} from '../../../../compat/commands/services/property.ts'
import {
  composed,
  decodeSnapshots,
  encodeSnapshots,
  environmentText,
  problemOf,
} from '../../../../compat/commands/services/snapshot.ts'

const policy = serviceNamed('policy')

const property = fc.record({
  type: fc.constant('astring' as const),
  values: fc.array(fc.string().filter((s) => !s.includes('\0'))),
})
const set: fc.Arbitrary<PropertySet> = fc.record({
  groups: fc.constant({ site: 'application' }),
  properties: fc.dictionary(
    fc
      .stringMatching(/^[a-z][a-z0-9_.-]{0,8}$/)
      .filter((name) => !(name in {}))
      .map((name) => `site/${name}`),
    property as fc.Arbitrary<Property>,
  ),
})

t.test('what is written can be read', async (t) => {
  fc.assert(
    fc.property(set, set, (editing, running) => {
      const read = decodeSnapshots(policy, encodeSnapshots({ editing, running }))
      return JSON.stringify(read) === JSON.stringify({ editing, running })
    }),
  )
  t.pass()
})

t.test('what svccfg did not write is refused as a whole', async (t) => {
  const groups = {}
  const empty = { groups, properties: {} }
  const good = { editing: empty, running: empty }
  t.ok(decodeSnapshots(policy, JSON.stringify(good)))
  const properties = (value: unknown) => ({ ...good, running: { groups, properties: value } })
  for (const bad of [
    '',
    '[]',
    'null',
    '{}',
    { ...good, editing: [] },
    properties({ 'config/config_file': { type: 'astring', values: ['relative'] } }),
    properties({ 'config/config_file': { type: 'astring', values: [] } }),
    properties({ 'config/config_file': { type: 'count', values: ['1'] } }),
    properties({ 'config/config_file': { type: 'astring', values: ['/a\nEVIL=1'] } }),
    properties({ config_file: { type: 'astring', values: ['/a'] } }),
    properties({ 'a/b': { type: 'nothing', values: [] } }),
    properties({ 'a/b': { type: 'count', values: [1] } }),
  ]) {
    t.equal(
      decodeSnapshots(policy, typeof bad === 'string' ? bad : JSON.stringify(bad)),
      undefined,
      JSON.stringify(bad),
    )
  }
  fc.assert(
    fc.property(fc.jsonValue(), (value) => decodeSnapshots(policy, JSON.stringify(value)) === undefined),
  )
})

t.test("a service's own properties are there unless they are set", async (t) => {
  t.same(composed(policy, { groups: {}, properties: {} }).properties['config/config_file'], {
    type: 'astring',
    values: ['/etc/inet/ipsecinit.conf'],
  })
})

/** What systemd makes of a line with double quotes (systemd.exec(5)). */
function unquoted(line: string): string {
  return (/^\w+="(.*)"$/s.exec(line)?.[1] ?? '').replace(/\\(["\\$`])/g, '$1')
}

t.test('whatever a path has in it, the unit gets that, on one line', async (t) => {
  fc.assert(
    fc.property(
      fc.string().map((text) => `/${text}`),
      (path) => {
        const value: Property = { type: 'astring', values: [path] }
        if (problemOf(policy, 'config/config_file', value) !== undefined) return true
        const text = environmentText(policy, { groups: {}, properties: { 'config/config_file': value } })
        const lines = text.split('\n').filter((line) => line.startsWith('CONFIG_FILE='))
        return lines.length === 1 && text.split('\n').length === 4 && unquoted(lines[0] ?? '') === path
      },
    ),
  )
  t.match(problemOf(policy, 'config/config_file', { type: 'astring', values: ['/a\nB=c'] }), /control/)
  t.match(
    problemOf(policy, 'config/data_path', { type: 'astring', values: ['fast'] }),
    /auto, kernel, software/,
  )
})

t.test('values of each type', async (t) => {
  const good: Record<string, string[]> = {
    astring: ['', 'x y'],
    boolean: ['true', 'false'],
    count: ['0', '18446744073709551615'],
    fmri: ['svc:/network/ssh:default'],
    host: ['a.example', '192.0.2.1', '2001:db8::1'],
    hostname: ['a', 'a-b.example'],
    integer: ['-9223372036854775808', '7'],
    net_address: ['192.0.2.0/24', '2001:db8::/32'],
    net_address_v4: ['192.0.2.1'],
    net_address_v6: ['::1/128'],
    opaque: ['', '00ff'],
    time: ['1.5'],
    uri: ['https://x/'],
    ustring: ['é'],
  }
  const bad: Record<string, string[]> = {
    boolean: ['yes', ''],
    count: ['-1', '18446744073709551616', ''],
    fmri: ['ssh'],
    host: ['a b'],
    hostname: ['-a', ''],
    integer: ['9223372036854775808', '1.5'],
    net_address: ['192.0.2.0/33', '192.0.2', '1.2.3.4/8/8'],
    net_address_v4: ['::1'],
    net_address_v6: ['1.2.3.4'],
    opaque: ['0', 'xy'],
    time: ['-1'],
    uri: ['x'],
    astring: ['a\0b'],
  }
  for (const type of TYPES) {
    for (const text of good[type] ?? []) t.ok(isValueOf(type, text), `${type} ${text}`)
    for (const text of bad[type] ?? []) t.notOk(isValueOf(type, text), `${type} ${JSON.stringify(text)}`)
  }
})

t.test('what is printed is one word to a shell', async (t) => {
  t.equal(shellQuoted("/a b;c'$(x)"), "/a\\ b\\;c\\'\\$\\(x\\)")
  t.equal(shellQuoted(''), '""')
})
