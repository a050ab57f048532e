/**
 * The agent's configuration, put into force as `solipsec apply` does.
 *
 * @module
 */
import { existsSync } from 'node:fs'
import type { AgentSettings } from '../../../../agent/daemon/agent.ts'
import type { Tell } from '../../../../agent/daemon/events.ts'
import { TunnelRuleError } from '../../../../agent/translate/tunnels.ts'
import { algorithmTable } from '../../support/algorithms.ts'
import { CommandError } from '../../support/exit.ts'
import { explain } from '../../support/explain.ts'
import type { Io } from '../../support/io.ts'
import { loadConfiguration } from '../change/configuration.ts'
import { planConfiguration, withSession } from '../change/session.ts'
import { BlockedError } from '../change/tunnels.ts'
import type { Request } from './arguments.ts'

const USUAL = '/etc/solipsec.json'

/**
 * @throws CommandError in words for people; nothing was changed. Without a file in the usual place there is nothing to
 *   load, and what commands have loaded is kept.
 */
export async function loadForAgent(request: Request, io: Io, tell: Tell): Promise<AgentSettings> {
  const { config: file = USUAL, dataPath, drift = 'enforce' } = request
  if (file === USUAL && !existsSync(USUAL)) return { algorithms: await algorithmTable(io), drift }
  const loaded = await loadConfiguration({ file, ...(dataPath && { dataPath }) }, io)
  const { configuration } = loaded
  await withSession(loaded, true, io, (session) => {
    const change = planConfiguration(session, loaded, { ...request, quiet: true }, io)
    for (const message of change.warnings) tell({ level: 'warning', event: 'warning', message })
    session.apply(change)
  })
  const { algorithms, sockets } = configuration
  return {
    algorithms,
    drift: request.drift ?? configuration.drift ?? 'enforce',
    ...(sockets && { sockets }),
  }
}

/** A tunnel may be made by somebody who is not ready yet, and what is in the way of one may go. */
export function mayComeRight(error: unknown): boolean {
  return error instanceof TunnelRuleError || error instanceof BlockedError
}

/** An error in words for people; of one that nobody expected, only what kind it is. */
export function describeError(error: unknown): string {
  if (error instanceof CommandError) return error.message
  return explain(error)?.message ?? `internal error: ${error instanceof Error ? error.name : typeof error}`
}
