/**
 * Rules that have no SA to be carried out with, and SAs that serve no rule.
 *
 * @module
 */
import type { AlgorithmTable } from '../../model/algorithm.ts'
import { UntrustedFolderError } from '../../reconcile/store.ts'
import { collectStatus } from '../../status/collect.ts'
import type { AssociationReport, RuleReport } from '../../status/report.ts'
import { type Known, look } from '../known.ts'

export interface SupplyFacts {
  readonly rules: number
  readonly lacking: readonly RuleReport[]
  readonly unclaimed: readonly AssociationReport[]
}

export function readSupply(algorithms: AlgorithmTable): Known<SupplyFacts> {
  try {
    return look(() => {
      const { rules, associations } = collectStatus(algorithms)
      return {
        rules: rules.length,
        lacking: rules.filter(({ lacks }) => lacks),
        unclaimed: associations.filter(({ servesNoRule }) => servesNoRule),
      }
    })
  } catch (error) {
    // The record of the rules is for those alone who keep it.
    if (error instanceof UntrustedFolderError) return { unknown: 'not permitted' }
    throw error
  }
}
