import t from 'tap'
import { TUNABLES } from '../../../agent/model/tunables.ts'
import { resolved, type SchemaNode } from '../../../compat/configuration/schema-at.ts'
import { tunableEntries, tunableValuesOf } from '../../../compat/configuration/tunable-values.ts'
import { schema } from '../../../schemas/generated/configuration-schema.ts'

t.test('the schema has every tunable, with the range of the table, and no other', async (t) => {
  const root = (schema as SchemaNode).properties?.tunables
  const sections = root && resolved(root).properties
  const found = new Map<string, SchemaNode>()
  for (const [section, node] of Object.entries(sections ?? {})) {
    for (const [member, of] of Object.entries(resolved(node).properties ?? {})) {
      if (member !== 'comment') found.set(`${section}.${member}`, of)
    }
  }
  for (const { path, form, min, max, initial } of TUNABLES) {
    const node = found.get(path.join('.'))
    found.delete(path.join('.'))
    const plain = node && (resolved(node) as SchemaNode & Record<string, unknown>)
    if (form === 'switch') t.equal(plain?.type, 'boolean', path.join('.'))
    else if (form === 'number')
      t.match(plain, { type: 'integer', minimum: min, maximum: max }, path.join('.'))
    else t.same(plain?.enum, Object.keys(form), path.join('.'))
    const word =
      typeof form === 'object' ? Object.keys(form).find((one) => form[one] === initial) : String(initial)
    const said = form === 'switch' ? String(initial === 1) : word
    t.match(node?.description, new RegExp(`Default: ${said}\\b`), path.join('.'))
  }
  t.same([...found.keys()], ['ah.paddingCheck', 'ah.natKeepaliveInterval'], 'these AH has not')
})

t.test('switches, words and numbers', async (t) => {
  const section = {
    ip: { acceptClearIcmp: false, acceptClearPim: true, policyLogInterval: 500 },
    esp: { paddingCheck: 'contents' as const },
    tunnel: { dontFragment: 'clear' as const },
  }
  t.same(tunableEntries(section), [
    ['icmp_accept_clear_messages', 0],
    ['pim_accept_clear_messages', 1],
    ['ipsec_policy_log_interval', 500],
    ['ipsecesp_padding_check', 2],
    ['ipsectun_dfbit', 0],
  ])
  t.same(tunableValuesOf(section), {
    icmp_accept_clear_messages: 0,
    ipsec_policy_log_interval: 500,
    ipsecesp_padding_check: 2,
    ipsectun_dfbit: 0,
  })
})
