/**
 * `solipsec plan`: shows what it takes to have what a configuration says. Changes nothing.
 *
 * @module
 */
import { shortagesAfter } from '../../../agent/supply/after-change.ts'
import type { Io } from '../support/io.ts'
import { interpret, planOptions, type Request } from './change/arguments.ts'
import { loadConfiguration } from './change/configuration.ts'
import { planJson } from './change/json.ts'
import { idleRemarks, outcomeOf } from './change/outcome.ts'
import { socketsText, socketsWarnings } from './change/services.ts'
import { planConfiguration, withSession } from './change/session.ts'
import { planText } from './change/text.ts'
import { unmakableRemarks } from './change/tunnels.ts'
import { subcommand } from './subcommand.ts'

export const run = subcommand({ name: 'solipsec plan', options: planOptions, interpret, carryOut: showPlan })

/** Also what `solipsec apply --dry-run` does. */
export async function showPlan(request: Request, io: Io): Promise<void> {
  const loaded = await loadConfiguration(request, io)
  const { algorithms, sockets } = loaded.configuration
  const unserved = await socketsWarnings(sockets)
  await withSession(loaded, false, io, (session) => {
    const change = planConfiguration(session, loaded, request, io)
    const outcome = outcomeOf(session.state, change, loaded.configuration)
    const warnings = [
      ...change.warnings,
      ...idleRemarks(outcome),
      ...(change.tunnels ? unmakableRemarks(change.tunnels) : []),
      ...shortagesAfter(session, change),
      ...unserved,
    ]
    if (request.json) {
      io.stdout.write(planJson(loaded.name, outcome, loaded.configuration, { warnings, isApplied: false }))
      return
    }
    for (const warning of warnings) io.stderr.write(`WARNING: ${warning}\n`)
    io.stdout.write(socketsText(sockets) + planText(outcome, algorithms, request.verbose))
  })
}
