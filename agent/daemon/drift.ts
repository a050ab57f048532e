/**
 * What others have changed of what is ours. Pure.
 *
 * @module
 */
import type { SaIdentifier } from '../model/association.ts'
import type { PolicyPlan } from '../reconcile/plan.ts'
import type { TunnelPlan } from '../reconcile/tunnel-plan.ts'
import type { LedgerDifference } from './ledger.ts'

/** What to do where somebody else has changed or removed what is ours. */
export type DriftChoice = 'enforce' | 'report'

export interface Drift {
  readonly policies: { readonly missing: number; readonly changed: number; readonly unknown: number }
  readonly associations: {
    readonly missing: readonly SaIdentifier[]
    readonly changed: readonly SaIdentifier[]
    readonly unknown: readonly SaIdentifier[]
  }
  readonly netfilter: boolean
  /** Names of tunnel interfaces of ours. `blocked`: somebody else's has the name, which is not ours to change. */
  readonly tunnels: {
    readonly missing: readonly string[]
    readonly changed: readonly string[]
    readonly blocked: readonly string[]
  }
}

/** What was found, and which of it is somebody else's doing. */
export interface Differences {
  /** `undefined`: what is to be done about policies follows SAs, addresses or tunnels, and is nobody's doing. */
  readonly policies: PolicyPlan | undefined
  readonly associations: LedgerDifference
  readonly netfilter: boolean
  readonly tunnels: TunnelPlan
}

export function driftOf({ policies, associations, netfilter, tunnels }: Differences): Drift {
  const { add, change, blocked } = tunnels
  return {
    policies: {
      missing: policies?.add.length ?? 0,
      changed: policies?.update.length ?? 0,
      unknown: policies?.remove.length ?? 0,
    },
    associations: {
      missing: associations.missing.map(({ identifier }) => identifier),
      changed: associations.changed.map(({ present }) => present.association),
      unknown: associations.unknown.map(({ association }) => association),
    },
    netfilter,
    tunnels: {
      missing: add.map(({ name }) => name),
      changed: change.map(({ to }) => to.name),
      blocked: blocked.map(({ found }) => found.name),
    },
  }
}

/** True where somebody has changed or removed what is ours. SAs that others have made for our rules are theirs. */
export function isDrift(drift: Drift): boolean {
  return hasPolicies(drift) || hasAssociations(drift) || drift.netfilter || hasTunnels(drift)
}

export function hasPolicies({ policies: { missing, changed, unknown } }: Drift): boolean {
  return missing + changed + unknown > 0
}

export function hasAssociations({ associations: { missing, changed } }: Drift): boolean {
  return missing.length + changed.length > 0
}

export function hasTunnels({ tunnels: { missing, changed, blocked } }: Drift): boolean {
  return missing.length + changed.length + blocked.length > 0
}
