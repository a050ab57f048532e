import fc from 'fast-check'
import t from 'tap'
import { memoryOf } from '../../../netlink/codec/memory.ts'
import { defaultPolicy, defaultTemplate } from '../../../netlink/xfrm/defaults.ts'
import { xfrm } from '../../../netlink/xfrm/messages.ts'
import { type PolicyMessage, writePolicy } from '../../../netlink/xfrm/policy-writer.ts'
import { mark, user_tmpl, userpolicy_info } from '../../../netlink/xfrm/structs.ts'
import { ofStruct } from '../codec/arbitrary.ts'
import { ofMessage } from './arbitrary.ts'

const header = { flags: 0x405, seq: 77 }

/** What a writer leaves in memory that was not empty, or the error that it threw. */
function written(write: typeof writePolicy, message: PolicyMessage): string {
  const memory = memoryOf(new Uint8Array(4096).fill(0xee))
  try {
    const end = write(memory, 8, message, header)
    return `${end} ${Buffer.from(memory.bytes).toString('hex')}`
  } catch (error) {
    return `${error}`
  }
}

function agree(message: PolicyMessage): boolean {
  return written(writePolicy, message) === written(xfrm.write, message)
}

/** Policies as they are sent by the ten thousand: body, templates, mark, interface id, in any order. */
const usual = fc
  .tuple(
    fc.constantFrom('NEWPOLICY', 'UPDPOLICY'),
    ofStruct(userpolicy_info),
    fc.array(ofStruct(user_tmpl), { maxLength: 6 }),
    ofStruct(mark),
    fc.nat(0xffff_ffff),
    fc.shuffledSubarray(['tmpl', 'mark', 'if_id']),
  )
  .map(([name, body, tmpl, mark, if_id, keys]) => {
    const all: Record<string, unknown> = { tmpl, mark, if_id }
    const attributes = Object.fromEntries(keys.map((key) => [key, all[key]]))
    return { name, body, attributes } as unknown as PolicyMessage
  })

t.test('the twin writes what the table writes', async (t) => {
  fc.assert(
    fc.property(usual, (message) => agree(message) && !written(writePolicy, message).includes('Error')),
  )
  t.pass('for policies of the usual kind')
  fc.assert(fc.property(ofMessage('NEWPOLICY'), (message) => agree(message as PolicyMessage)))
  t.pass('for policies with any attribute')
})

t.test('the twin refuses what the table refuses, by the same name', async (t) => {
  const policy = (body: object, attributes: object) =>
    ({ name: 'NEWPOLICY', body: { ...defaultPolicy(), ...body }, attributes }) as unknown as PolicyMessage
  const bad: readonly (readonly [PolicyMessage, string])[] = [
    [policy({ priority: -1 }, {}), 'xfrm_userpolicy_info.priority'],
    [policy({ dir: 256 }, {}), 'xfrm_userpolicy_info.dir'],
    [policy({ sel: { ...defaultPolicy().sel, sport: 65536 } }, {}), 'xfrm_userpolicy_info.sel.sport'],
    [
      policy({ sel: { ...defaultPolicy().sel, daddr: new Uint8Array(4) } }, {}),
      'xfrm_userpolicy_info.sel.daddr',
    ],
    [policy({ lft: { ...defaultPolicy().lft, hard_byte_limit: 1n << 64n } }, {}), 'lft.hard_byte_limit'],
    [policy({}, { mark: { v: 1, m: 2 ** 32 } }), 'XFRMA_MARK.m'],
    [policy({}, { if_id: 0.5 }), 'XFRMA_IF_ID'],
    [policy({}, { tmpl: [defaultTemplate(), { ...defaultTemplate(), aalgos: -1 }] }), 'XFRMA_TMPL[1].aalgos'],
    [policy({}, { tmpl: new Array(1024).fill(defaultTemplate()) }), 'do not fit in the buffer'],
  ]
  for (const [message, says] of bad) {
    t.match(written(writePolicy, message), says)
    t.equal(written(writePolicy, message), written(xfrm.write, message))
  }
})

t.test('what is there but undefined is not written', async (t) => {
  const message = { name: 'NEWPOLICY', body: defaultPolicy(), attributes: { mark: undefined } } as never
  t.ok(agree(message))
  t.match(written(writePolicy, message), /^192 /)
})
