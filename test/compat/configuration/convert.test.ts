/**
 * Conversion loses nothing: every configuration of the tests and the documentation, and generated ones, there and back.
 */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { hasErrors } from '../../../agent/model/diagnostic.ts'
import { toJson, toSolaris } from '../../../compat/configuration/convert.ts'
import { readConfiguration } from '../../../compat/configuration/index.ts'
import { formatJson } from '../../../compat/configuration/json/format.ts'
import { recognise } from '../../../compat/configuration/kind.ts'
import { schemaErrors } from '../../../compat/configuration/validate.ts'
import { fileOf, parseAlgorithmFile, printAlgorithmFile } from '../../../compat/solaris/ipsecalgs/file.ts'
import { formatRule, parsePolicy } from '../../../compat/solaris/ipsecconf/index.ts'
import { parseKeyFile } from '../../../compat/solaris/ipseckey/parser.ts'
import { formatSave } from '../../../compat/solaris/ipseckey/print/save.ts'
import { schema } from '../../../schemas/generated/configuration-schema.ts'
import { times } from '../../support/fuzz.ts'
import { DOCUMENTS } from '../hostile/samples.ts'
import { algorithmTable } from '../solaris/ipsecalgs/arbitrary.ts'
import { rule } from '../solaris/ipsecconf/arbitraries.ts'
import { associations } from '../solaris/ipseckey/arbitrary.ts'
import { candidates } from './collected.ts'
import { roundTrip, roundTripDocument } from './round-trip.ts'
import { environment, KEY_128, KEY_256 } from './support.ts'

/** Files and credentials of every name are there, all with the same key. */
const file = { name: 'key', text: `${KEY_256}${KEY_128.slice(0, 8)}`, isExposed: false }
const REFERENCE = /"key":\s*\{[^{}]*\}/g
const keyed = { ...environment, files: { isExposed: false, read: () => file, credential: () => file } }

t.test('every configuration of the tests and the documentation', async (t) => {
  const counts = { 'ipsecinit.conf': 0, ipseckeys: 0, ipsecalgs: 0, json: 0 }
  for (const text of [...candidates(), ...DOCUMENTS, ...schemaExamples()]) {
    const kind = recognise(text, '')
    if (kind === 'ipsecinit.conf' && isGoodPolicy(text)) roundTrip(kind, text)
    else if (kind === 'ipseckeys' && isDeclarative(text)) roundTrip(kind, text)
    else if (kind === 'ipsecalgs' && parseAlgorithmFile(text, 'x').file) roundTrip(kind, text)
    else if (kind === 'json' && isGoodDocument(text)) {
      counts.json += roundTripDocument(text.replace(REFERENCE, `"key": "${file.text}"`))
      continue
    } else {
      if (kind === 'ipseckeys' && isGood(text)) refuse(t, text)
      continue
    }
    counts[kind]++
  }
  t.ok(counts['ipsecinit.conf'] > 220, `${counts['ipsecinit.conf']} policies`)
  t.ok(counts.ipseckeys > 80, `${counts.ipseckeys} key files`)
  t.ok(counts.ipsecalgs > 12, `${counts.ipsecalgs} tables`)
  t.ok(counts.json > 8, `${counts.json} sections of documents`)
})

/** A document of each example in the schema. */
function schemaExamples(): string[] {
  const { $defs } = schema as {
    readonly $defs: Readonly<Record<string, { readonly examples?: readonly unknown[] }>>
  }
  return (
    [
      ['policies', 'policy'],
      ['associations', 'association'],
    ] as const
  ).flatMap(([section, name]) =>
    ($defs[name]?.examples ?? []).map((example) => JSON.stringify({ [section]: [example] })),
  )
}

function isGoodDocument(text: string): boolean {
  try {
    JSON.parse(text)
  } catch {
    return false
  }
  return !hasErrors(readConfiguration(text, 'x', keyed).diagnostics)
}

function isGoodPolicy(text: string): boolean {
  const { rules, diagnostics } = parsePolicy(text, 'x', environment)
  return rules.length > 0 && !hasErrors(diagnostics)
}

/** A key file that does more than add: nothing of it is left out without a word. */
function refuse(t: { ok(value: boolean, message: string): unknown }, text: string): void {
  t.ok(toJson([{ kind: 'ipseckeys', text, file: 'x' }]).diagnostics.length > 0, text)
}

function isGood(text: string): boolean {
  const { commands, diagnostics } = parseKeyFile(text, 'x', environment)
  return commands.some(({ kind }) => kind !== 'quit') && !hasErrors(diagnostics)
}

function isDeclarative(text: string): boolean {
  const { commands, diagnostics } = parseKeyFile(text, 'x', environment)
  const adds = commands.filter(({ kind }) => kind === 'add').length
  return adds > 0 && adds === commands.length && !hasErrors(diagnostics)
}

/** Lines that somebody may have put into a comment. */
const comment = fc.array(
  fc.oneof(
    fc.string({ maxLength: 20 }),
    fc.constantFrom(
      '{lport 22} bypass {}',
      'ends in a backslash\\',
      '## twice',
      '',
      '  indented',
      '}',
      '"',
      KEY_256,
    ),
  ),
  { minLength: 1, maxLength: 3 },
)
const hashes = comment.map((lines) => lines.map((line) => `# ${line}\n`).join(''))
const gap = fc.constantFrom('', '\n', '\n\n')

t.test('generated rules, with comments', async () => {
  const commented = fc
    .tuple(fc.option(hashes), gap, rule, fc.boolean())
    .map(([before, blank, one, isBehind]) => {
      const text = formatRule(one, environment)
      return `${before ?? ''}${blank}${text}${isBehind ? ' # behind' : ''}\n`
    })
  const file = fc.array(commented, { minLength: 1, maxLength: 4 })
  const property = fc.property(file, fc.option(hashes), (rules, last) => {
    roundTrip('ipsecinit.conf', `${rules.join('')}${last ?? ''}`)
  })
  fc.assert(property, times(200))
})

t.test('generated SAs, with comments', async () => {
  const property = fc.property(associations, hashes, (list, head) => {
    const all = list.map((one) => ({ ...one, state: 'mature' as const, current: one.soft }))
    const text = [...formatSave(all, environment)].join('')
    roundTrip('ipseckeys', `${head.replaceAll('\\', '/')}\n${text}`)
  })
  fc.assert(property, times(150))
})

t.test('generated tables of algorithms', async () => {
  const property = fc.property(algorithmTable, comment, (table, lines) => {
    roundTrip('ipsecalgs', printAlgorithmFile(fileOf(table, lines)))
  })
  fc.assert(property, times(150))
})

t.test('documents with any comments', async () => {
  const drop = { localPort: 22, direction: 'in', action: 'drop' }
  const property = fc.property(fc.array(fc.tuple(comment, fc.boolean()), { maxLength: 4 }), (list) => {
    const policies = list.map(([lines, isRule]) => ({ comment: lines, ...(isRule && drop) }))
    const solaris = toSolaris(formatJson({ policies }), 'x', 'ipsecinit.conf', false)
    assert.ok(solaris.text !== undefined)
    const rules = parsePolicy(solaris.text, 'x', environment).rules
    // Equal rules count once; none comes from a comment.
    assert.equal(rules.length, list.some(([, isRule]) => isRule) ? 1 : 0)
    const back = JSON.parse(toJson([{ kind: 'ipsecinit.conf', text: solaris.text, file: 'x' }]).text ?? '')
    const texts = (items: { comment?: string | string[] }[]) =>
      items.map((item) => [item.comment ?? []].flat().map((line) => line.trimEnd()))
    assert.deepEqual(texts(back.policies), texts(policies))
  })
  fc.assert(property, times(150))
})

t.test('SAs with any comments', async () => {
  const sa = { protocol: 'ah', destination: 'x', authentication: { algorithm: 'md5', key: KEY_128 } }
  const property = fc.property(fc.array(fc.tuple(comment, fc.boolean()), { maxLength: 4 }), (list) => {
    const associations = list.map(([lines, isSa], index) => ({
      comment: lines,
      ...(isSa && { ...sa, spi: 300 + index }),
    }))
    const { text = '' } = toSolaris(formatJson({ associations }), 'x', 'ipseckeys', false)
    const { commands, diagnostics } = parseKeyFile(text, 'x', environment)
    assert.deepEqual(diagnostics, [])
    assert.equal(commands.length, list.filter(([, isSa]) => isSa).length)
    const back = JSON.parse(toJson([{ kind: 'ipseckeys', text, file: 'x' }]).text ?? '')
    assert.equal(back.associations.length, list.length)
  })
  fc.assert(property, times(150))
})

/** Any word that the schema lets through: what a file of Solaris makes of it must be that word again. */
const word = fc.oneof(
  fc.string({ unit: 'binary', minLength: 1, maxLength: 6 }),
  fc.constantFrom('laddr', 'or', 'ipsec', 'a\\', '\\', 'x\\y', 'add', '0x10', '010', '10', 'esp', '#a', "'"),
)
const fits = (pattern: RegExp) => word.filter((text) => pattern.test(text))
const policyWord = fits(/^[^\s{}#]+$/u)
const keyWord = fits(/^[^\s"]+$/u)

t.test('rules with any words', async () => {
  const rules = fc.record(
    {
      local: policyWord,
      remote: policyWord,
      sourceMask: policyWord,
      icmpType: policyWord,
      tunnel: fc.record({ name: policyWord, mode: fc.constantFrom('tunnel', 'transport') }),
      protect: fc.array(
        fc.oneof(fc.constantFrom('bypass', 'drop'), fc.record({ ah: policyWord, encryption: policyWord })),
        { minLength: 2, maxLength: 3 },
      ),
    },
    { requiredKeys: ['protect'] },
  )
  const property = fc.property(fc.array(rules, { minLength: 1, maxLength: 3 }), (policies) => {
    const solaris = toSolaris(formatJson({ policies }), 'x', 'ipsecinit.conf', false)
    assert.ok(solaris.text !== undefined, JSON.stringify(solaris.diagnostics))
    const { text, diagnostics } = toJson([{ kind: 'ipsecinit.conf', text: solaris.text, file: 'x' }])
    // Masks do not go with local and remote: then the rule is refused as a whole.
    if (hasErrors(diagnostics)) return
    assert.deepEqual(canonical(JSON.parse(text ?? '').policies), canonical(policies))
  })
  fc.assert(property, times(300))
})

t.test('SAs with any words', async () => {
  const sa = fc.record(
    {
      protocol: fc.constantFrom('ah', 'esp'),
      spi: fc.constantFrom(300, '0x1001'),
      source: keyWord,
      destination6: keyWord,
      encryption: fc.record({ algorithm: keyWord, key: keyWord, saltBits: fc.constantFrom(32, '0x20') }),
      inner: fc.record({ protocol: fc.constantFrom(6, 'tcp'), destination: keyWord }),
      direction: fc.constantFrom('in', 'out'),
      sourceIdentity: fc.record({
        type: keyWord.filter((text) => !/^[0-9]/.test(text)),
        value: fc.oneof(keyWord, fc.constantFrom('a b', ' ', 'a\\ b\\')),
      }),
    },
    { requiredKeys: ['protocol', 'spi'] },
  )
  const property = fc.property(fc.array(sa, { minLength: 1, maxLength: 3 }), (associations) => {
    const solaris = toSolaris(formatJson({ associations }), 'x', 'ipseckeys', false)
    // Some words cannot be written in a key file, or mean a number in JSON.
    if (solaris.text === undefined) return
    const { text, diagnostics } = toJson([{ kind: 'ipseckeys', text: solaris.text, file: 'x' }])
    assert.ok(text !== undefined, JSON.stringify(diagnostics))
    assert.deepEqual(canonical(JSON.parse(text).associations), canonical(associations))
  })
  fc.assert(property, times(300))
})

/** A word of decimal digits and a number say the same. */
function canonical(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value), (_, item: unknown) =>
    typeof item === 'string' && /^(0|[1-9][0-9]{0,14})$/.test(item) ? Number(item) : item,
  )
}

t.test('comments stay with what they are about', async (t) => {
  const text = `# the file

# first
#   indented
{lport 22 dir both} bypass {} # behind

# alone

{lport 23 # in the middle
 dir in} drop {}
# the end
`
  const json = JSON.parse(toJson([{ kind: 'ipsecinit.conf', text, file: 'x' }]).text ?? '')
  t.same(json.policies, [
    { comment: 'the file' },
    { comment: ['first', '  indented', 'behind'], localPort: 22, direction: 'both', action: 'bypass' },
    { comment: 'alone' },
    { comment: 'in the middle', localPort: 23, direction: 'in', action: 'drop' },
    { comment: 'the end' },
  ])
})

t.test('comments of key files and tables', async (t) => {
  const add = `add ah spi 300 dst 192.0.2.1 auth_alg sha256 authkey ${KEY_256}`
  const keys = `# one\n\n# two\n${add}\n# three \\\n# joined\n`
  const { associations: list } = JSON.parse(toJson([{ kind: 'ipseckeys', text: keys, file: 'x' }]).text ?? '')
  t.match(list, [{ comment: 'one' }, { comment: 'two', spi: 300 }, { comment: ['three \\', 'joined'] }])
  const table = '# head\n\n# ah\nPROTO|2|AH|sync\n# md5\nALG|2|2|md5|X|128|12\n# tail\n'
  const { algorithms } = JSON.parse(toJson([{ kind: 'ipsecalgs', text: table, file: 'x' }]).text ?? '')
  t.same(algorithms.comment, ['head', 'tail'])
  t.match(algorithms.protocols, [{ comment: 'ah', algorithms: [{ comment: 'md5' }] }])
})

t.test('everything that is converted follows the schema', async (t) => {
  for (const text of candidates()) {
    const kind = recognise(text, '')
    if (!kind || kind === 'json') continue
    const converted = toJson([{ kind, text, file: 'x' }])
    if (converted.text !== undefined) t.same(schemaErrors(JSON.parse(converted.text)), [], text)
  }
})

t.test('files are joined', async (t) => {
  const files = [
    { kind: 'ipsecinit.conf' as const, file: 'a', text: '{lport 22 dir both} bypass {}' },
    { kind: 'ipsecinit.conf' as const, file: 'b', text: '{lport 23 dir in} drop {}' },
    {
      kind: 'ipseckeys' as const,
      file: 'c',
      text: `flush\nadd ah spi 300 dst x auth_alg a authkey ${KEY_128}`,
    },
  ]
  const { text = '', diagnostics } = toJson(files, 'the schema')
  t.match(JSON.parse(text), {
    $schema: 'the schema',
    policies: [{ localPort: 22 }, { localPort: 23 }],
    associations: [{ destination: 'x' }],
  })
  t.match(diagnostics, [{ severity: 'warning', message: /^flush is left out/ }])
})

const UNFIT: readonly (readonly ['ipsecinit.conf' | 'ipseckeys' | 'ipsecalgs', string, RegExp])[] = [
  ['ipsecinit.conf', '{lport 22} bypas {}', /Invalid action/],
  ['ipsecinit.conf', '{lport 22 lport 23} bypass {}', /Duplicate Source Port/],
  ['ipsecinit.conf', '{lport 70000 dir in} drop {}', /`localPort` is out of range/],
  ['ipsecinit.conf', '{tunnel a negotiate both} ipsec {encr_algs aes}', /`mode` is none/],
  ['ipsecinit.conf', '{saddr a} ipsec {auth_algs any}', /Requires Direction/],
  ['ipseckeys', 'delete ah spi 300 dst x', /cannot be part of a configuration/],
  ['ipseckeys', `add ah spi 300 dst x authkey ${KEY_128}`, /`authentication` has no `algorithm`/],
  ['ipseckeys', 'add ah spi 300 spi 301 dst x', /single spi/],
  ['ipseckeys', 'add ah spi 0 dst x', /`spi` is out of range/],
  ['ipseckeys', 'add ah spi 300 dst x inbound outbound', /inbound or outbound/],
  ['ipseckeys', 'add esp spi 300 dst x nat_loc y', /encap udp/],
  ['ipseckeys', 'add ah spi 300 dst', /Unexpected end/],
  ['ipseckeys', 'add ah spi 300 dst "x', /Unterminated/],
  ['ipseckeys', 'add all spi 300 dst x', /specific SA type/],
  ['ipsecalgs', 'ALG|2|2|md5|X|128|12\n', /no PROTO line/],
]
for (const [kind, text, message] of UNFIT) {
  t.test(`refused: ${text}`, async (t) => {
    const { text: json, diagnostics } = toJson([{ kind, text, file: 'x' }])
    t.equal(json, undefined)
    t.match(
      diagnostics.find(({ severity }) => severity === 'error'),
      { message, file: 'x', span: { line: 1 } },
    )
  })
}

const UNSAYABLE: readonly (readonly [
  object,
  'ipsecinit.conf' | 'ipseckeys' | 'ipsecalgs',
  RegExp,
  pointer: string,
])[] = [
  [{ policies: [], tunnels: [] }, 'ipsecinit.conf', /no place for|has a place for `tunnels`/, '/tunnels'],
  [{ policies: [], dataPath: 'auto' }, 'ipsecinit.conf', /`dataPath`/, '/dataPath'],
  [{ associations: [] }, 'ipsecinit.conf', /no `policies`/, ''],
  [{ policies: { file: 'x' } }, 'ipsecinit.conf', /a file of Solaris already/, '/policies/file'],
  [{ policies: [{ local: 3, action: 'drop' }] }, 'ipsecinit.conf', /is a number/, '/policies/0/local'],
  [
    { associations: [withKey({ file: 'x' })] },
    'ipseckeys',
    /holds the keys themselves/,
    '/associations/0/authentication/key',
  ],
  [
    { associations: [{ ...withKey(KEY_256), sourceIdentity: { type: 'fqdn', value: 'a "b"' } }] },
    'ipseckeys',
    /no way to write a quote/,
    '/associations/0/sourceIdentity/value',
  ],
]
for (const [document, kind, message, pointer] of UNSAYABLE) {
  t.test(`unsayable: ${JSON.stringify(document).slice(0, 50)}`, async (t) => {
    const { text, diagnostics } = toSolaris(formatJson(document), 'x', kind, false)
    t.equal(text, undefined)
    t.match(diagnostics, [{ message, pointer }])
  })
}

function withKey(key: unknown): object {
  return { protocol: 'ah', spi: 300, destination: 'x', authentication: { algorithm: 'sha256', key } }
}

t.test('--partial leaves out what Solaris cannot say', async (t) => {
  const document = formatJson({
    comment: 'head',
    policies: [{ localPort: 22, direction: 'in', action: 'drop' }],
    tunnels: [],
  })
  t.equal(toSolaris(document, 'x', 'ipsecinit.conf', true).text, '# head\n\n{lport 22 dir in} drop {}\n')
})

t.test('kinds are told from contents, else from the name', async (t) => {
  for (const [text, name, kind] of [
    ['{"policies": []}', 'x', 'json'],
    [' {\n}\n', 'x', 'json'],
    ['{} bypass {}', 'x', 'ipsecinit.conf'],
    ['# c\n\n{lport 22} bypass {}', 'x', 'ipsecinit.conf'],
    ['{ policies: 1 }', 'a.json', 'json'],
    ['# c\nadd esp spi 1', 'x', 'ipseckeys'],
    ['# c\nPROTO|2|AH|sync', 'x', 'ipsecalgs'],
    ['# c\n', '/etc/inet/ipseckeys', 'ipseckeys'],
    ['', 'a/b.json', 'json'],
    ['frobnicate', 'x', undefined],
    ['', 'x', undefined],
  ] as const) {
    t.equal(recognise(text, name), kind, text)
  }
})
