/**
 * SAs with ESP in UDP, as the kernel dumps them.
 *
 * @module
 */
import { parseAddress } from '../../../agent/model/address.ts'
import { Secret } from '../../../agent/model/secret.ts'
import { newState } from '../../../agent/translate/associations.ts'

function address(text: string) {
  const found = parseAddress(text)
  if (!found) throw new Error(text)
  return found
}

export const HERE = address('192.0.2.1')
export const THERE = address('198.51.100.2')
const NONE = { allocations: 0n, bytes: 0n, addTime: 0n, useTime: 0n }

/** From {@link HERE} to {@link THERE}. @param usedAt seconds since 1970; 0: never */
export function state(
  usedAt: bigint,
  more: { readonly inbound?: true; readonly reqid?: number; readonly plain?: true } = {},
) {
  const [source, destination] = more.inbound ? [THERE, HERE] : [HERE, THERE]
  const made = newState(
    {
      protocol: 'esp',
      spi: 0x1000,
      source,
      destination,
      authAlgorithm: 5,
      authKey: new Secret(new Uint8Array(32)),
      encrAlgorithm: 11,
      saltBits: 0,
      upperProtocol: 0,
      sourcePort: 0,
      destinationPort: 0,
      soft: NONE,
      hard: NONE,
      idle: { addTime: 0n, useTime: 0n },
      replayWindow: 0,
      replayValue: 0n,
      ...(!more.plain && { encapsulation: { localPort: 4500, remotePort: 1024 } }),
    },
    { protectionClass: undefined, marks: undefined, outboundOnly: !more.inbound },
  )
  const curlft = { ...made.body.curlft, packets: usedAt === 0n ? 0n : 1n, use_time: 1n }
  return {
    body: { ...made.body, curlft, ...(more.reqid !== undefined && { reqid: more.reqid }) },
    attributes: { ...made.attributes, lastused: usedAt },
  }
}
