import fc from 'fast-check'
import type { MessageName, XfrmMessage } from '../../../netlink/xfrm/messages.ts'
import { xfrm } from '../../../netlink/xfrm/messages.ts'
import { ofAttributes, ofStruct } from '../codec/arbitrary.ts'

/** The names of all messages. */
export const messageNames = Object.keys(xfrm.definitions) as MessageName[]

/** Any message of a name. */
export function ofMessage(name: MessageName): fc.Arbitrary<XfrmMessage> {
  const [, body, attributes] = xfrm.definitions[name]
  return fc
    .tuple(ofStruct(body), ofAttributes(attributes as never))
    .map(([body, attributes]) => ({ name, body, attributes }) as unknown as XfrmMessage)
}
