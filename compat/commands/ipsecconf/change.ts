/**
 * The last step of every changing command: shows the plan, or carries it out.
 *
 * @module
 */

import { isEmptyPlan } from '../../../agent/reconcile/plan.ts'
import type { PlannedChange } from '../../../agent/reconcile/planner.ts'
import type { PolicyState } from '../../../agent/reconcile/policy-state.ts'
import type { Session } from '../../../agent/reconcile/session.ts'
import { connectionLines } from '../support/connections.ts'
import type { Io } from '../support/io.ts'
import { keepLatches } from '../support/latches.ts'
import type { Request } from './arguments.ts'

const ADVICE =
  'Policy set from a command line does not outlive a reboot.\n' +
  'To keep it, put it into the file that the service svc:/network/ipsec/policy loads: see svcadm(8).\n'

const LATCHED =
  'WARNING : New policy applies to connections that begin from now on. Established connections\n' +
  'keep the policy that they began under until they end: in clear where that was so.\n'

const LATCHING =
  'WARNING : New policy applies to established connections at once, in part or as a whole;\n' +
  'connections whose peer has no such policy yet will stall. Changes of policy on a running\n' +
  'host can leave traffic without the protection that was meant for it until both ends agree.\n'

/** With `--dry-run` prints the plan; else applies it, after the warnings that Solaris gives. */
export async function applyOrShow(
  session: Session,
  next: PolicyState,
  request: Request,
  io: Io,
): Promise<void> {
  const { latch = next.latch } = request
  const change = session.plan(latch === next.latch ? next : { ...next, latch })
  for (const warning of change.warnings) io.stderr.write(`WARNING: ${warning}\n`)
  if (request.dryRun) {
    const { planJson, planText } = await import('../support/policy-text.ts')
    io.stdout.write(request.json ? planJson(change.reconciliation) : planText(change.reconciliation))
    return
  }
  const chatty = !request.quiet && !io.service
  if (chatty && request.task.kind !== 'flush' && !isEmptyPlan(change.reconciliation.plan)) {
    io.stdout.write(latchingText(change))
  }
  session.apply(change)
  keepLatches(session.state)
  if (chatty) io.stdout.write(ADVICE)
}

/** The warning, and the connections that it is about. */
function latchingText({ next, connections = [] }: PlannedChange): string {
  const warning = next.latch ? LATCHED : LATCHING
  if (connections.length === 0) return warning
  return `${warning}These connections are concerned:\n${connectionLines(connections).join('\n')}\n`
}
