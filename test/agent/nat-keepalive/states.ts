/**
 * SAs with ESP in UDP, as the kernel dumps them.
 *
 * @module
 */
import { Secret } from '../../../agent/model/secret.ts'
import { newState } from '../../../agent/translate/associations.ts'
import { address } from '../../support/address.ts'
import { bareAssociation } from '../model/associations.ts'

export const HERE = address('192.0.2.1')
export const THERE = address('198.51.100.2')

/** From {@link HERE} to {@link THERE}. @param usedAt seconds since 1970; 0: never */
export function state(
  usedAt: bigint,
  more: { readonly inbound?: true; readonly reqid?: number; readonly plain?: true } = {},
) {
  const made = newState(
    bareAssociation(0x1000, more.inbound ? [THERE, HERE] : [HERE, THERE], {
      authAlgorithm: 5,
      authKey: new Secret(new Uint8Array(32)),
      encrAlgorithm: 11,
      replayWindow: 0,
      ...(!more.plain && { encapsulation: { localPort: 4500, remotePort: 1024 } }),
    }),
    { protectionClass: undefined, marks: undefined, outboundOnly: !more.inbound },
  )
  const curlft = { ...made.body.curlft, packets: usedAt === 0n ? 0n : 1n, use_time: 1n }
  return {
    body: { ...made.body, curlft, ...(more.reqid !== undefined && { reqid: more.reqid }) },
    attributes: { ...made.attributes, lastused: usedAt },
  }
}
