/**
 * Names to numbers and back. The languages take a `Resolver` so that they stay pure; the real one asks the
 * system's name service switch (`netlink/libc/names.ts`).
 *
 * @module
 */
import type { Address } from './address.ts'

export interface Resolver {
  /** Every address of a host name, both families, in the system's order; empty where there is none. */
  addresses(name: string): readonly Address[]
  /** An IPv4 network by name (`getnetbyname(3)`), host part zero; `undefined` where there is none. */
  network(name: string): Address | undefined
  /** Port of a service, any transport protocol (`getservbyname(3)`). */
  service(name: string): number | undefined
  /** Number of an IP protocol (`getprotobyname(3)`). */
  protocol(name: string): number | undefined
  /** Reverse look-ups for listings; `undefined` where there is no name. */
  hostName(address: Address): string | undefined
  serviceName(port: number, protocol?: number): string | undefined
  protocolName(number: number): string | undefined
}
