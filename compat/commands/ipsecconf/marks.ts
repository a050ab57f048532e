/**
 * Which mark bits protection classes use on this host.
 *
 * @module
 */

import type { PolicyState } from '../../../agent/reconcile/policy-state.ts'
import type { Session } from '../../../agent/reconcile/session.ts'
import { freeMarkMask, markLayout } from '../../../agent/translate/marks.ts'
import { CommandError } from '../support/exit.ts'
import type { Io } from '../support/io.ts'
import type { Request } from './arguments.ts'

/**
 * The loaded state with the mark bits that the user asked for, or, for a first load, bits that no policy routing
 * rule looks at.
 */
export function withMarks(
  session: Session,
  { markMask, quiet }: Pick<Request, 'markMask' | 'quiet'>,
  io: Io,
): PolicyState {
  const { state, network } = session
  if (markMask !== undefined) {
    if (markMask !== 0 && !markLayout(markMask)) {
      throw new CommandError(
        `0x${markMask.toString(16)} is no usable mark mask: expected at least five adjacent bits, or 'none'`,
      )
    }
    return { ...state, markMask }
  }
  if (state.rules.length > 0) return state
  const free = freeMarkMask(network.routedMarks)
  if (free === state.markMask) return state
  if (!quiet) {
    io.stderr.write(
      free === undefined
        ? 'WARNING: policy routing rules use every mark bit: rules with several alternatives are narrowed to one.\n'
        : `WARNING: policy routing rules use the usual mark bits; using 0x${free.toString(16)} instead.\n`,
    )
  }
  return { ...state, markMask: free ?? 0 }
}
