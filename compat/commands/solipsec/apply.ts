/**
 * `solipsec apply`: makes a host what a configuration says, as a whole or not at all.
 *
 * @module
 */
import { ApplyError } from '../../../agent/reconcile/engine.ts'
import { TunnelError } from '../../../agent/reconcile/tunnel-steps.ts'
import { refusalText } from '../ipseckey/refusals.ts'
import { CommandError } from '../support/exit.ts'
import { tunnelErrorText } from '../support/explain.ts'
import type { Io } from '../support/io.ts'
import { keepLatches } from '../support/latches.ts'
import { applyOptions, interpret, type Request } from './change/arguments.ts'
import { planJson } from './change/json.ts'
import { withProspect } from './change/prospect.ts'
import { socketsText } from './change/services.ts'
import { countsText, kernelLine, planText } from './change/text.ts'
import { showPlan } from './plan.ts'
import { subcommand } from './subcommand.ts'

export const run = subcommand({ name: 'solipsec apply', options: applyOptions, interpret, carryOut })

async function carryOut(request: Request, io: Io): Promise<void> {
  if (request.dryRun) return showPlan(request, io)
  await withProspect(request, true, io, ({ loaded, change, outcome, warnings }, session) => {
    const { algorithms, sockets } = loaded.configuration
    if (!request.json) for (const warning of warnings) io.stderr.write(`WARNING: ${warning}\n`)
    // Looking at the signal puts off what it does, which else could be an end half-way.
    if (io.interrupted.aborted) throw new CommandError('Interrupted. Nothing was changed.')
    try {
      session.apply(change)
      keepLatches(session.state)
    } catch (error) {
      if (error instanceof TunnelError)
        throw new CommandError(`${tunnelErrorText(error)}\nNothing was changed.`)
      if (!(error instanceof ApplyError)) throw error
      throw new CommandError(`${refusalText(error.cause, session.dataPath.kind)}\nNothing was changed.`)
    }
    if (request.json) {
      io.stdout.write(planJson(loaded.name, outcome, loaded.configuration, { warnings, isApplied: true }))
    } else if (request.verbose)
      io.stdout.write(`${socketsText(sockets)}${planText(outcome, algorithms, true)}Done.\n`)
    else if (!request.quiet) {
      const lines = [...kernelLine(outcome), `Plan: ${countsText(outcome.counts)}.`, 'Done.']
      io.stdout.write(`${socketsText(sockets)}${lines.join('\n')}\n`)
    }
  })
}
