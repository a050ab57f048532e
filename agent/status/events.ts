/**
 * What happens to policies, SAs and the data path, as plain values. More kinds will come: whoever reads events passes
 * over those that it does not know.
 *
 * @module
 */
import type { AgentEvent } from '../daemon/events.ts'
import type { SaProtocol, SaState } from '../model/association.ts'
import type { PlainPolicy } from '../reconcile/plain-policy.ts'
import type { DataPathReport } from './report.ts'

/** An SA as an event names it. An expiry is told without algorithms. Counters are those of the moment. */
export interface EventAssociation {
  readonly protocol: SaProtocol
  readonly spi: number
  readonly source: string
  readonly destination: string
  readonly direction?: 'in' | 'out'
  readonly state?: SaState
  readonly mode?: 'transport' | 'tunnel'
  readonly encryption?: string
  readonly authentication?: string
  readonly selector?: string
  readonly bytes?: number
  readonly pairSpi?: number
}

/** What a packet needs an SA for. */
export interface EventAcquire {
  readonly protocol: SaProtocol
  readonly source: string
  readonly destination: string
  readonly mode: 'transport' | 'tunnel'
  readonly upperProtocol: number
  readonly sourcePort: number
  readonly destinationPort: number
}

interface Caused {
  /** Netlink port of who did it, mostly the number of its process; 0: the kernel, or it did not say. */
  readonly by: number
}

/** Found out by comparison after announcements were lost, or after another data path took over. */
interface Found {
  readonly isResynchronised: true
}

export interface AboutAssociation {
  readonly owner: 'solipsec' | 'other'
  readonly association: EventAssociation
}

export interface AboutPolicy {
  readonly owner: 'solipsec' | 'other'
  readonly policy: PlainPolicy
}

type AssociationChange = 'sa-added' | 'sa-changed' | 'sa-removed'
type PolicyChange = 'policy-added' | 'policy-changed' | 'policy-removed'

export type Occurrence =
  | ({ readonly event: AssociationChange } & AboutAssociation & (Caused | Found))
  | ({ readonly event: PolicyChange } & AboutPolicy & (Caused | Found))
  /** Not hard: it lives on, and a successor is due. */
  | ({ readonly event: 'sa-expired'; readonly hard: boolean } & AboutAssociation & Caused)
  | ({ readonly event: 'policy-expired'; readonly hard: boolean } & AboutPolicy & Caused)
  | ({ readonly event: 'sas-flushed'; readonly protocol: SaProtocol | 'all' } & Caused)
  | ({ readonly event: 'policies-flushed' } & Caused)
  | ({ readonly event: 'acquire'; readonly sequence: number; readonly acquire: EventAcquire } & Caused)
  | { readonly event: 'overrun' }
  | { readonly event: 'resynchronised'; readonly policies: number; readonly associations: number }
  | { readonly event: 'data-path'; readonly dataPath: DataPathReport }
  /** The agent tells of something: what, as its log names it, and in words. */
  | ({ readonly event: 'agent'; readonly name: string } & Pick<AgentEvent, 'level' | 'message' | 'details'>)

/** An occurrence and when it became known: seconds since 1970, with milliseconds. */
export type StatusEvent = Occurrence & { readonly time: number }
