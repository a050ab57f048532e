/**
 * What the data path asks the kernel about the host and its links.
 *
 * @module
 */
import type { Flow } from '../../../packet/flow.ts'
import type { PathMtu } from './path-mtu.ts'
import type { Tunnels } from './tunnels.ts'

export interface Network {
  readonly pathMtu: PathMtu
  readonly tunnels: Tunnels
  /** Whether a packet of this flow is for this host, and not to be passed on. */
  readonly isDeliveredHere: (flow: Flow) => boolean
}
