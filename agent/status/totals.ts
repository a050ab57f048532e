/**
 * What SAs have done together. SAs that are gone take their counts with them.
 *
 * @module
 */
import type { SaProtocol } from '../model/association.ts'
import type { AssociationReport } from './report.ts'

export interface Totals {
  readonly associations: number
  readonly bytes: number
  readonly packets: number
  readonly integrity: number
  readonly replay: number
  readonly replayWindow: number
}

const NOTHING: Totals = { associations: 0, bytes: 0, packets: 0, integrity: 0, replay: 0, replayWindow: 0 }

/** Sums of those that are wanted. */
export function totalsOf(
  associations: readonly AssociationReport[],
  wanted: { readonly protocol?: SaProtocol; readonly direction?: 'in' | 'out' } = {},
): Totals {
  const { protocol, direction } = wanted
  return associations
    .filter((sa) => (!protocol || sa.protocol === protocol) && (!direction || sa.direction === direction))
    .reduce(plus, NOTHING)
}

function plus(sum: Totals, { bytes, packets, errors }: AssociationReport): Totals {
  return {
    associations: sum.associations + 1,
    bytes: sum.bytes + bytes,
    packets: sum.packets + packets,
    integrity: sum.integrity + errors.integrity,
    replay: sum.replay + errors.replay,
    replayWindow: sum.replayWindow + errors.replayWindow,
  }
}

/** Packets that an SA has refused. */
export function refusedBy({ errors }: Pick<AssociationReport, 'errors'>): number {
  return errors.integrity + errors.replay + errors.replayWindow
}
