/**
 * Names of hosts and services for a listing: each is looked up once, and no more where the name service is slow.
 *
 * @module
 */

import { type Address, formatAddress } from '../../../../agent/model/address.ts'
import type { Resolver } from '../../../../agent/model/resolver.ts'
import { IPPROTO_TCP, IPPROTO_UDP } from '../../../../agent/packet/protocols.ts'
import type { PrintOptions } from '../../../solaris/snoop/print/index.ts'

/** Names that are remembered. */
const MOST = 4096
/** A look-up that takes longer is the last one: packets would be lost meanwhile. */
const PATIENCE_MS = 1000
const PROTOCOLS = { tcp: IPPROTO_TCP, udp: IPPROTO_UDP } as const

type Names = Required<Pick<PrintOptions, 'hostName' | 'serviceName'>>

/**
 * @param slow called once, when names are given up
 * @param clock milliseconds
 */
export function rememberedNames(
  resolver: Pick<Resolver, 'hostName' | 'serviceName'>,
  slow: () => void,
  clock: () => number = () => performance.now(),
): Names {
  const known = new Map<string, string | undefined>()
  let isSlow = false
  const remember = (key: string, find: () => string | undefined): string | undefined => {
    if (known.has(key)) return known.get(key)
    if (isSlow) return undefined
    const begin = clock()
    const name = find()
    if (clock() - begin > PATIENCE_MS) {
      isSlow = true
      slow()
    }
    if (known.size >= MOST) known.clear()
    known.set(key, name)
    return name
  }
  return {
    hostName: (address: Address) => remember(formatAddress(address), () => resolver.hostName(address)),
    serviceName: (port, transport) =>
      remember(`${transport} ${port}`, () => resolver.serviceName(port, PROTOCOLS[transport])),
  }
}
