/**
 * Tunnel interfaces of ours as plain objects for a JSON file.
 *
 * @module
 */
import { formatAddress, formatPrefix } from '../model/address.ts'
import type { OwnTunnel } from '../model/tunnel.ts'
import { decodeAddress, decodePrefix } from './stored-addresses.ts'

export interface StoredOwnTunnel extends Omit<OwnTunnel, 'local' | 'remote' | 'addresses'> {
  readonly local: string
  readonly remote: string
  readonly addresses: readonly string[]
}

export function encodeOwnTunnel({ local, remote, addresses, ...rest }: OwnTunnel): StoredOwnTunnel {
  return {
    ...rest,
    local: formatAddress(local),
    remote: formatAddress(remote),
    addresses: addresses.map(formatPrefix),
  }
}

/** @throws Error where it is none */
export function decodeOwnTunnel({ local, remote, addresses, ...rest }: StoredOwnTunnel): OwnTunnel {
  return {
    ...rest,
    local: decodeAddress(local),
    remote: decodeAddress(remote),
    addresses: addresses.map(decodePrefix),
  }
}
