import t from 'tap'
import { parseAddress } from '../../agent/model/address.ts'
import { allow, block } from '../../agent/translate/kernel-policy.ts'
import { makeSelector } from '../../agent/translate/selectors.ts'
import { planJson } from '../../compat/commands/support/policy-text.ts'
import { dir } from '../../netlink/xfrm/constants.ts'
import { defaultTemplate } from '../../netlink/xfrm/defaults.ts'
import { schemaNames, violations } from './support.ts'

t.test('every schema compiles', async (t) => {
  t.ok(schemaNames.length >= 5)
  for (const name of schemaNames) t.doesNotThrow(() => violations(name, 'null'), name)
})

t.test('a plan follows its schema', async (t) => {
  const address = parseAddress('192.0.2.1')
  if (!address) throw new Error('bad test address')
  const sel = makeSelector({ ...address, length: 32 }, { ...address, length: 0 }, 6, undefined, {
    value: 22,
    mask: 0xffff,
  })
  const plan = {
    add: [
      allow(dir.OUT, sel, 1, [
        { ...defaultTemplate(), id: { daddr: new Uint8Array(16), spi: 0, proto: 50 } },
      ]),
      block(dir.IN, sel, 2, { v: 1, m: 0xff }),
    ],
    update: [],
    remove: [],
    unchanged: 0,
    conflicts: [],
  }
  const json = planJson({ plan, stateSteps: [], steps: [], beforeTunnels: 0 })
  t.same(violations('ipsecconf-plan.schema.json', json), [])
  t.not(violations('ipsecconf-plan.schema.json', json.replace('"allow"', '"maybe"')).length, 0)
})
