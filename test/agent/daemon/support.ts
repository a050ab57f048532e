/**
 * SAs as the kernel has them, for tests of the agent.
 *
 * @module
 */

import { parseAddress } from '../../../agent/model/address.ts'
import { Secret } from '../../../agent/model/secret.ts'
import { newState } from '../../../agent/translate/associations.ts'
import { type KernelAssociation, readState } from '../../../agent/translate/read-association.ts'

const LIMITS = { allocations: 0n, bytes: 0n, addTime: 0n, useTime: 0n }

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
  const [source, destination] = [parseAddress('192.0.2.1'), parseAddress('192.0.2.2')]
  if (!source || !destination) throw new Error('these are addresses')
  const { body, attributes } = newState(
    {
      protocol: 'esp',
      spi,
      source,
      destination,
      upperProtocol: 0,
      sourcePort: 0,
      destinationPort: 0,
      authAlgorithm: 5,
      encrAlgorithm: 12,
      authKey: new Secret(new Uint8Array(32).fill(7), 256),
      encrKey: new Secret(new Uint8Array(16).fill(key), 128),
      saltBits: 0,
      soft: LIMITS,
      hard: LIMITS,
      idle: { addTime: 0n, useTime: 0n },
      replayWindow: 64,
      replayValue: 0n,
    },
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
