/**
 * `solipsec plan`: shows what it takes to have what a configuration says. Changes nothing.
 *
 * @module
 */
import type { Io } from '../support/io.ts'
import { interpret, planOptions, type Request } from './change/arguments.ts'
import { planJson } from './change/json.ts'
import { withProspect } from './change/prospect.ts'
import { socketsText } from './change/services.ts'
import { planText } from './change/text.ts'
import { subcommand } from './subcommand.ts'

export const run = subcommand({ name: 'solipsec plan', options: planOptions, interpret, carryOut: showPlan })

/** Also what `solipsec apply --dry-run` does. */
export async function showPlan(request: Request, io: Io): Promise<void> {
  await withProspect(request, false, io, ({ loaded, outcome, warnings }) => {
    const { algorithms, sockets } = loaded.configuration
    if (request.json) {
      io.stdout.write(planJson(loaded.name, outcome, loaded.configuration, { warnings, isApplied: false }))
      return
    }
    for (const warning of warnings) io.stderr.write(`WARNING: ${warning}\n`)
    io.stdout.write(socketsText(sockets) + planText(outcome, algorithms, request.verbose))
  })
}
