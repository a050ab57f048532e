import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import t from 'tap'
import { defaultPolicy, defaultTemplate } from '../../../netlink/xfrm/defaults.ts'
import {
  decodeMessage,
  encodeMessage,
  messageType,
  type XfrmMessage,
} from '../../../netlink/xfrm/messages.ts'
import { PolicyReader } from '../../../netlink/xfrm/policy-reader.ts'
import { mark, user_tmpl, userpolicy_info, userpolicy_type } from '../../../netlink/xfrm/structs.ts'
import { ofStruct } from '../codec/arbitrary.ts'
import { ofMessage } from './arbitrary.ts'

const NEWPOLICY = messageType('NEWPOLICY')

/** What a reader makes of a payload, or the error that it threw. */
function outcome(read: typeof decodeMessage, payload: Uint8Array): unknown {
  try {
    return read(NEWPOLICY, payload)
  } catch (error) {
    return `${error}`
  }
}

/** Somewhere inside a larger buffer, as in a datagram. */
function embedded(payload: Uint8Array): Uint8Array {
  const datagram = new Uint8Array(payload.length + 32).fill(0xee)
  datagram.set(payload, 16)
  return datagram.subarray(16, 16 + payload.length)
}

/** Policies as a dump has them, in any order of attributes; now and then with the default lifetime. */
const usual = fc
  .tuple(
    ofStruct(userpolicy_info),
    fc.boolean(),
    fc.array(ofStruct(user_tmpl), { maxLength: 6 }),
    ofStruct(userpolicy_type),
    ofStruct(mark),
    fc.nat(0xffff_ffff),
    fc.shuffledSubarray(['tmpl', 'policy_type', 'mark', 'if_id']),
  )
  .map(([body, forever, tmpl, policy_type, mark, if_id, keys]) => {
    const all: Record<string, unknown> = { tmpl, policy_type, mark, if_id }
    const attributes = Object.fromEntries(keys.map((key) => [key, all[key]]))
    const lft = forever ? { lft: defaultPolicy().lft } : {}
    return encodeMessage({
      name: 'NEWPOLICY',
      body: { ...(body as object), ...lft },
      attributes,
    } as unknown as XfrmMessage)
  })

t.test('the twin reads what the table reads', async (t) => {
  const reader = new PolicyReader()
  const read: typeof decodeMessage = (type, payload) => reader.read(type, payload)
  const agree = (payload: Uint8Array) =>
    isDeepStrictEqual(outcome(read, embedded(payload)), outcome(decodeMessage, payload))
  fc.assert(fc.property(usual, agree))
  t.pass('for policies of the usual kind')
  fc.assert(fc.property(ofMessage('NEWPOLICY'), (message) => agree(encodeMessage(message as XfrmMessage))))
  t.pass('for policies with any attribute')
  // Cut short anywhere, and with a byte changed: the same result or the same error.
  fc.assert(
    fc.property(usual, fc.nat(), fc.nat(255), (payload, place, byte) => {
      const changed = payload.slice()
      changed[168 + (place % Math.max(1, payload.length - 168))] = byte
      return (
        agree(payload.subarray(0, place % (payload.length + 1))) && agree(changed.subarray(0, payload.length))
      )
    }),
  )
  t.pass('for policies that are cut short or changed')
})

t.test('neighbours share equal templates, and nothing that differs', async (t) => {
  const reader = new PolicyReader()
  const read = (reqid: number) => {
    const message = { name: 'NEWPOLICY', body: defaultPolicy() } as const
    const payload = encodeMessage({ ...message, attributes: { tmpl: [{ ...defaultTemplate(), reqid }] } })
    const { attributes } = reader.read(NEWPOLICY, payload) as XfrmMessage<'NEWPOLICY'>
    payload.fill(0xee)
    return attributes.tmpl
  }
  const [first, second, third] = [read(1), read(1), read(2)]
  t.equal(first, second)
  t.equal(first?.[0]?.reqid, 1)
  t.equal(third?.[0]?.reqid, 2)
})

t.test('other messages go to the table', async (t) => {
  const payload = encodeMessage({ name: 'FLUSHPOLICY', body: {}, attributes: {} })
  t.equal(new PolicyReader().read(messageType('FLUSHPOLICY'), payload).name, 'FLUSHPOLICY')
})
