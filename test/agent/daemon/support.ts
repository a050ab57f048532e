/**
 * SAs as the kernel has them, for tests of the agent.
 *
 * @module
 */

import { Secret } from '../../../agent/model/secret.ts'
import { newState } from '../../../agent/translate/associations.ts'
import { type KernelAssociation, readState } from '../../../agent/translate/read-association.ts'
import { address } from '../../support/address.ts'
import { aesAssociation } from '../model/associations.ts'

const ENDS = [address('192.0.2.1'), address('192.0.2.2')] as const

export interface Seen {
  readonly packets?: number
  /** Last sequence number sent. */
  readonly sent?: number
  readonly key?: number
  readonly reqid?: number
}

/** ESP with AES and HMAC-SHA-256, from 192.0.2.1 to 192.0.2.2. */
export function kernelAssociation(
  spi: number,
  { sent = 0, packets = sent, key = 1, reqid = 0x7000_0001 }: Seen = {},
): KernelAssociation {
  const { body, attributes } = newState(
    aesAssociation(spi, ENDS, {
      authKey: new Secret(new Uint8Array(32).fill(7)),
      encrKey: new Secret(new Uint8Array(16).fill(key)),
      replayWindow: 64,
    }),
    { protectionClass: undefined, marks: undefined, outboundOnly: false },
  )
  const { replay_esn_val: window } = attributes
  if (!window) throw new Error('it has a window')
  const found = readState({
    body: { ...body, reqid, curlft: { ...body.curlft, packets: BigInt(packets) } },
    attributes: { ...attributes, replay_esn_val: { ...window, oseq: sent } },
  })
  if (!found) throw new Error('this is an SA')
  return found
}
