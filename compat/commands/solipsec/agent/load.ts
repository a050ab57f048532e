/**
 * The agent's configuration, put into force as `solipsec apply` does.
 *
 * @module
 */
import { existsSync } from 'node:fs'
import type { Tell } from '../../../../agent/daemon/events.ts'
import type { AgentSettings } from '../../../../agent/daemon/loading.ts'
import type { Diagnostic } from '../../../../agent/model/diagnostic.ts'
import type { HostNetwork } from '../../../../agent/reconcile/host.ts'
import { TunnelRuleError } from '../../../../agent/translate/tunnels.ts'
import { algorithmTable } from '../../support/algorithms.ts'
import { CommandError } from '../../support/exit.ts'
import { explain } from '../../support/explain.ts'
import type { Io } from '../../support/io.ts'
import { memoryIo } from '../../support/memory-io.ts'
import { FileErrors, type LoadableConfiguration, loadConfiguration } from '../change/configuration.ts'
import { planConfiguration, withSession } from '../change/session.ts'
import { BlockedError } from '../change/tunnels.ts'
import type { Request } from './arguments.ts'

const USUAL = '/etc/solipsec.json'
/** Errors of a file that are told in one breath. */
const MOST_ERRORS = 8

/** @returns what loads the configuration, for the first time and again. @see {@link load} */
export function loaderForAgent(request: Request, io: Io, tell: Tell): () => Promise<AgentSettings> {
  let hasFile = request.config !== undefined && request.config !== USUAL
  return async () => {
    // Without a file in the usual place there is nothing to load, and what commands have loaded is kept. One that was there
    // and is gone is a mistake, however: nobody can tell what is wanted now.
    hasFile ||= existsSync(USUAL)
    const { drift = 'enforce' } = request
    return hasFile ? await load(request, io, tell) : { algorithms: await algorithmTable(io), drift }
  }
}

/** @throws CommandError in words for people; nothing was changed */
async function load(request: Request, io: Io, tell: Tell): Promise<AgentSettings> {
  const { config: file = USUAL, dataPath } = request
  // Of a log for programs, each line is an event: what people read in a terminal is told in events alone.
  const { stderr } = request.log === 'json' ? memoryIo() : io
  const loaded = await loadConfiguration({ file, ...(dataPath && { dataPath }) }, { ...io, stderr })
  const { configuration, diagnostics } = loaded
  if (request.log === 'json') {
    for (const one of diagnostics) tell({ level: 'warning', event: 'warning', message: inALine(one) })
  }
  for (const name of loaded.changeable) {
    const message = `${name} may be changed by others than root: it should belong to root, who alone may write it (chmod go-w).`
    tell({ level: 'warning', event: 'warning', message })
  }
  await withSession(loaded, true, io, (session) => {
    const apply = (wanted: LoadableConfiguration) => {
      const change = planConfiguration(session, wanted, { ...request, quiet: true }, io)
      for (const message of change.warnings) tell({ level: 'warning', event: 'warning', message })
      session.apply(change)
    }
    try {
      apply(loaded)
    } catch (error) {
      if (mayComeRight(error) && session.state.rules.length === 0)
        applyMeanwhile(loaded, session.network, apply)
      throw error
    }
  })
  const { algorithms, sockets } = configuration
  return {
    algorithms,
    drift: request.drift ?? configuration.drift ?? 'enforce',
    ...(sockets && { sockets }),
  }
}

/**
 * Nothing is in force, and a tunnel is awaited: better all but its rules than nothing. They are about packets that go through
 * the tunnel, or are its own, so without it there are none.
 */
function applyMeanwhile(
  loaded: LoadableConfiguration,
  { tunnels: present }: HostNetwork,
  apply: (wanted: LoadableConfiguration) => void,
): void {
  const { tunnels: _, rules, ...rest } = loaded.configuration
  const asked = new Set(loaded.configuration.tunnels?.map(({ name }) => name))
  const usable = rules?.filter(
    ({ tunnel }) => !tunnel || (present.has(tunnel.name) && !asked.has(tunnel.name)),
  )
  apply({ ...loaded, configuration: { ...rest, ...(usable && { rules: usable }) } })
}

/** A tunnel may be made by somebody who is not ready yet, and what is in the way of one may go. */
export function mayComeRight(error: unknown): boolean {
  return error instanceof TunnelRuleError || error instanceof BlockedError
}

/** An error in words for people; of one that nobody expected, only what kind it is. */
export function describeError(error: unknown): string {
  if (error instanceof FileErrors) {
    const lines = error.diagnostics.slice(0, MOST_ERRORS).map(inALine)
    return [`${error.message}.`, ...lines].join(' ')
  }
  if (error instanceof CommandError) return error.message
  return explain(error)?.message ?? `internal error: ${error instanceof Error ? error.name : typeof error}`
}

/** `FILE:2:1: What is wrong`, as far as it may be told: there are no keys in it. */
function inALine({ file, span: { line, column }, message }: Diagnostic): string {
  return `${file}:${line}:${column}: ${message}${/[.!?]$/.test(message) ? '' : '.'}`
}
