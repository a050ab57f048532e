/**
 * `solipsec diff`: what a configuration says otherwise than what is loaded.
 *
 * @module
 */
import { isEmptyPlan } from '../../../agent/reconcile/plan.ts'
import { planRules } from '../../../agent/reconcile/rule-plan.ts'
import type { Session } from '../../../agent/reconcile/session.ts'
import { CommandError } from '../support/exit.ts'
import type { Io } from '../support/io.ts'
import { diffOptions, interpret, type Request } from './change/arguments.ts'
import { type LoadableConfiguration, loadConfiguration } from './change/configuration.ts'
import { tunablesOutcome } from './change/outcome.ts'
import { configuredState, withBlocked, withSession } from './change/session.ts'
import { type Differences, diffJson, diffText, isSame } from './diff/text.ts'
import { subcommand } from './subcommand.ts'

/** As diff(1): 1 is no error, so errors are 2. */
export const run = subcommand({
  name: 'solipsec diff',
  options: diffOptions,
  interpret,
  carryOut,
  failure: 2,
})

async function carryOut(request: Request, io: Io): Promise<number> {
  const loaded = await loadConfiguration(request, io)
  const { algorithms } = loaded.configuration
  const found = await withSession(loaded, false, io, (session) => compare(session, loaded))
  if (request.json) io.stdout.write(diffJson(loaded.name, found, algorithms))
  else if (!request.quiet) io.stdout.write(diffText(loaded.name, found, algorithms))
  return isSame(found) ? 0 : 1
}

/** The loaded rules and the kernel's SAs on one side, the configuration on the other. */
function compare(session: Session, { name, configuration }: LoadableConfiguration): Differences {
  const { rules, associations, tunables, tunnels } = configuration
  if (session.isUnrecorded) {
    throw new CommandError('the record of the loaded rules is lost; `ip xfrm policy` shows what is in force')
  }
  const { state } = session
  const next = configuredState(state, configuration)
  const drift = rules && session.plan(state).reconciliation
  const plan = associations && session.planAll({ associations }).associations?.plan
  const interfaces = tunnels && withBlocked(name, () => session.planTunnels(tunnels))
  return {
    ...(rules && { rules: planRules(state, next) }),
    ...(plan && { associations: { ...plan, move: [] } }),
    ...(tunables && { tunables: tunablesOutcome(state, next, tunables) }),
    ...(interfaces && { tunnels: interfaces }),
    ...(next.latch !== state.latch && { latch: { from: state.latch, to: next.latch } }),
    ...(drift && !isEmptyPlan(drift.plan) && { drift }),
  }
}
