/**
 * SAs for tests: what a test says nothing about is as it mostly is.
 *
 * @module
 */
import type { Address } from '../../../agent/model/address.ts'
import type { SecurityAssociation } from '../../../agent/model/association.ts'
import { Secret } from '../../../agent/model/secret.ts'

export const NO_LIMIT = { allocations: 0n, bytes: 0n, addTime: 0n, useTime: 0n }

/** The two ends, as they stand in the packets. */
export type Ends = readonly [source: Address, destination: Address]

/** ESP for everything between two hosts, without algorithms. */
export function bareAssociation(
  spi: number,
  [source, destination]: Ends,
  more: Partial<SecurityAssociation> = {},
): SecurityAssociation {
  return {
    protocol: 'esp',
    spi,
    source,
    destination,
    upperProtocol: 0,
    sourcePort: 0,
    destinationPort: 0,
    authAlgorithm: 0,
    encrAlgorithm: 0,
    saltBits: 0,
    soft: NO_LIMIT,
    hard: NO_LIMIT,
    idle: { addTime: 0n, useTime: 0n },
    replayWindow: 32,
    replayValue: 0n,
    ...more,
  }
}

/** The same, with AES of 128 bits and HMAC-SHA-256. */
export function aesAssociation(
  spi: number,
  ends: Ends,
  more: Partial<SecurityAssociation> = {},
): SecurityAssociation {
  return bareAssociation(spi, ends, {
    authAlgorithm: 5,
    authKey: new Secret(new Uint8Array(32).fill(1)),
    encrAlgorithm: 12,
    encrKey: new Secret(new Uint8Array(16).fill(2)),
    ...more,
  })
}
