/**
 * `solipsec agent`: loads a configuration, and looks after policy and SAs until it is told to end.
 *
 * @module
 */
import { Agent, type AgentOptions, AgentRunningError } from '../../../agent/daemon/agent.ts'
import { ControlServer } from '../../../agent/daemon/control/server.ts'
import type { Tell } from '../../../agent/daemon/events.ts'
import { monotonicMicroseconds, notifyServiceManager } from '../../../agent/daemon/service-manager.ts'
import { counted } from '../../../agent/model/counted.ts'
import { isOn } from '../../../agent/model/tunables.ts'
import { controlPath, linkUsualSockets, socketsPath } from '../../../agent/runtime/agent-sockets.ts'
import { startSocketService } from '../../../agent/sockets/service.ts'
import { forbidDumps } from '../../../netlink/libc/dump.ts'
import * as resolver from '../../../netlink/libc/names.ts'
import { socketPolicyReader } from '../../configuration/socket-policy.ts'
import { addressesOf, namesOf, withAddresses } from '../../solaris/ipsecconf/names.ts'
import { aborted } from '../support/aborted.ts'
import { algorithmTable } from '../support/algorithms.ts'
import { CommandError } from '../support/exit.ts'
import type { Io } from '../support/io.ts'
import { interpret, optionTable, type Request } from './agent/arguments.ts'
import { describeError } from './agent/describe.ts'
import { awaited, Loader } from './agent/load.ts'
import { eventWriter } from './agent/log.ts'
import { controlMethods } from './agent/methods.ts'
import { FileErrors } from './change/configuration.ts'
import { subcommand } from './subcommand.ts'

export const run = subcommand({ name: 'solipsec agent', options: optionTable, interpret, carryOut })

async function carryOut(request: Request, io: Io): Promise<void> {
  // There are keys in its memory: no core dumps, and no debugger, which this signal would open to every local user.
  forbidDumps()
  process.on('SIGUSR1', () => {})
  const { interrupted } = io
  // From the first moment on: it would end a process that does not wait for it.
  const hangUp = hangUps()
  const write = eventWriter(request.log, io)
  const listeners: Tell[] = []
  const tell: Tell = (event) => {
    write(event)
    for (const listener of listeners) listener(event)
  }
  const loader = new Loader(request, io, tell)
  const unread = { algorithms: await algorithmTable(io), drift: request.drift ?? 'enforce' }
  const agent = await startAgent(request, loader, {
    load: () => loader.load(),
    initial: () => loader.settings ?? unread,
    awaited,
    ask: (...what) => loader.ask(...what),
    tell,
    describe: describeError,
    named: ({ algorithms }) => ({
      namesOf,
      addressesOf,
      withAddresses: (rule, addresses) => withAddresses(rule, { algorithms, resolver }, addresses),
    }),
  })
  const server = new ControlServer(controlPath(), controlMethods(agent))
  listeners.push((event) => server.notify('agent.event', { time: Date.now(), ...event }))
  // It may load by itself what it has awaited.
  listeners.push(({ event, message }) => {
    const isState = event === 'reloaded' || event === 'maintenance'
    if (isState) notifyServiceManager([`STATUS=${message}`], io.env)
  })
  const sockets = serveSockets(agent, tell)
  const unlink = request.netns === undefined ? linkUsualSockets() : () => {}
  const { rules, associations, problem } = agent.status
  const message = `Looking after ${counted(rules, 'rule')} and ${counted(associations, 'SA')}.`
  tell({ level: 'info', event: 'started', message, details: { rules, associations } })
  notifyServiceManager(['READY=1', `STATUS=${problem ?? message}`], io.env)
  hangUp.heed(() => void reloadFor(agent, io))
  try {
    await aborted(interrupted)
    notifyServiceManager(['STOPPING=1'], io.env)
    tell({ level: 'info', event: 'stopped', message: 'The agent ends. What is loaded stays in force.' })
  } finally {
    hangUp.heed(() => {})
    unlink()
    sockets.close()
    server.close()
    loader.close()
    await agent.close()
  }
}

/** SIGHUP: what comes before anybody heeds it counts as one. */
function hangUps(): { heed(what: () => void): void } {
  let hasCome = false
  let heeded = () => {
    hasCome = true
  }
  process.on('SIGHUP', () => heeded())
  return {
    heed: (what) => {
      heeded = what
      if (hasCome) what()
      hasCome = false
    },
  }
}

async function startAgent({ log }: Request, loader: Loader, options: AgentOptions): Promise<Agent> {
  try {
    return await Agent.start(options)
  } catch (error) {
    loader.close()
    if (error instanceof AgentRunningError) throw new CommandError(error.message)
    // In text, they were told one by one.
    throw error instanceof FileErrors && log === 'json' ? new CommandError(describeError(error)) : error
  }
}

async function reloadFor(agent: Agent, { env }: Io): Promise<void> {
  notifyServiceManager(['RELOADING=1', `MONOTONIC_USEC=${monotonicMicroseconds()}`], env)
  await agent.reload()
  const { rules, problem } = agent.status
  notifyServiceManager(['READY=1', `STATUS=${problem ?? `Looking after ${counted(rules, 'rule')}.`}`], env)
}

/** Programs ask for the protection of single sockets. */
function serveSockets(agent: Agent, tell: Tell): { close(): void } {
  const service = startSocketService({
    path: socketsPath(),
    between: (use) => agent.withSession(use),
    algorithms: () => agent.algorithms,
    readPolicy: (...words) => socketPolicyReader({ algorithms: agent.algorithms, resolver })(...words),
    policyOf: (unit) => agent.socketPolicyOf(unit),
    journal: agent.journal,
    tunables: () => ({ overrideSocketPolicy: isOn(agent.tunables, 'ipsec_override_persocket_policy') }),
    report: (error) => tell({ level: 'error', event: 'failed', message: describeError(error) }),
  })
  return service
}
