/**
 * The report of a round that found everything as it is to be.
 *
 * @module
 */
import type { RoundReport } from '../../../agent/daemon/round.ts'

export const QUIET: RoundReport = {
  isNews: false,
  drift: {
    policies: { missing: 0, changed: 0, unknown: 0 },
    associations: { missing: [], changed: [], unknown: [] },
    netfilter: false,
    tunnels: { missing: [], changed: [], blocked: [] },
  },
  isApplied: false,
  isMended: false,
  followed: 0,
  ended: [],
  warnings: [],
  obstacles: [],
}
