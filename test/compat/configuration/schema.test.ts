/**
 * The schema itself: it explains everything, its examples are right, and the sample follows it.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { resolved, type SchemaNode } from '../../../compat/configuration/schema-at.ts'
import { schemaErrors } from '../../../compat/configuration/validate.ts'
import { memberOf, PATTERN_MEMBERS, PROPERTY_MEMBERS } from '../../../compat/configuration/vocabulary.ts'
import { PATTERN_KEYWORDS, PROPERTY_KEYWORDS } from '../../../compat/solaris/ipsecconf/vocabulary.ts'
import { EXTENSIONS } from '../../../compat/solaris/ipseckey/extension-names.ts'
import { schema } from '../../../schemas/generated/configuration-schema.ts'
import { root } from '../../support/tiers.ts'
import { KEY_128, KEY_256, read, said } from './support.ts'

const ROOT = schema as SchemaNode & { readonly $defs: Readonly<Record<string, SchemaNode>> }

/** Every schema of a member, by where it stands. */
function* members(node: SchemaNode, path: string): Generator<readonly [string, SchemaNode]> {
  for (const [name, member] of Object.entries(node.properties ?? {})) {
    yield [`${path}.${name}`, member]
    yield* members(member, `${path}.${name}`)
  }
}

t.test('every member is explained', async (t) => {
  const all = [
    ...members(ROOT, ''),
    ...Object.entries(ROOT.$defs).flatMap(([name, node]) => [...members(node, name)]),
  ]
  t.ok(all.length > 100)
  for (const [path, node] of all) t.match(resolved(node).description, /\.$/, path)
})

t.test('examples follow the schema', async (t) => {
  const sections: Readonly<Record<string, string>> = {
    policy: 'policies',
    association: 'associations',
    tunnel: 'tunnels',
    socketPolicy: 'sockets',
  }
  for (const [name, section] of Object.entries(sections)) {
    const { examples = [], properties = {} } = ROOT.$defs[name] ?? {}
    t.ok(examples.length > 0)
    for (const example of examples) t.same(schemaErrors({ [section]: [example] }), [], name)
    for (const [member, node] of Object.entries(properties)) {
      for (const example of resolved(node).examples ?? []) {
        const errors = schemaErrors({ [section]: [{ [member]: example }] })
        t.same(
          errors.filter(({ instancePath }) => instancePath !== `/${section}/0`),
          [],
          `${name}.${member}`,
        )
      }
    }
  }
})

t.test('the sample document is right', async (t) => {
  const text = readFileSync(join(root, 'docs', 'solipsec.json'), 'utf8')
  const key = { name: 'key', text: `${KEY_256}${KEY_128.slice(0, 8)}`, isExposed: true }
  const credentials = { 'branch-out': key, 'branch-in': key }
  const { configuration, diagnostics } = read(text, { credentials })
  t.same(
    said({ diagnostics }).filter((one) => !one.includes('Counter mode')),
    [],
  )
  t.match(configuration, { rules: { length: 4 }, associations: { length: 2 }, tunnels: { length: 1 } })
})

t.test('every word of Solaris has its member', async (t) => {
  for (const [words, list] of [
    [PATTERN_KEYWORDS, PATTERN_MEMBERS],
    [PROPERTY_KEYWORDS, PROPERTY_MEMBERS],
  ] as const) {
    for (const [word, { field, style }] of words) {
      if (list === PROPERTY_MEMBERS && field === 'direction') continue
      t.ok(
        list.some((member) => member.field === field && member.style === style),
        word,
      )
    }
  }
  for (const word of EXTENSIONS.keys()) {
    if (!['inbound', 'outbound', 'encap'].includes(word)) t.ok(memberOf(word), word)
  }
})
