/**
 * How packets are to be shown.
 *
 * @module
 */
import type { Address } from '../../../../agent/model/address.ts'

/** A transport protocol with ports, by the name that services(5) uses. */
export type Transport = 'tcp' | 'udp'

export interface PrintOptions {
  /** The column with the running number. */
  readonly numbers?: boolean
  /** The column with the time: since {@link first}, of day, or since {@link previous} (`-t r`, `-t a`, `-t d`). */
  readonly time?: 'relative' | 'absolute' | 'delta'
  /** When the first packet was captured, in nanoseconds since 1970; without it, this packet is the first. */
  readonly first?: bigint
  /** When the packet shown before was captured, in nanoseconds since 1970; without it, there was none. */
  readonly previous?: bigint
  /** Times of day in UTC instead of the time zone of the process. */
  readonly utc?: boolean
  /** The column with the packet's length (`-S`). */
  readonly sizes?: boolean
  /** A line for each layer instead of one for the packet (`-V`). */
  readonly layers?: boolean
  /** The name of a host; where there is none, or without this function, the address is shown. */
  readonly hostName?: (address: Address) => string | undefined
  /** The name of a port beside its number; without this function, names from a small table. */
  readonly serviceName?: (port: number, transport: Transport) => string | undefined
}
