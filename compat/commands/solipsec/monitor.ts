/**
 * `solipsec monitor`: what happens to policies, SAs and the data path, and what the agent tells, as it happens, until
 * interrupted.
 *
 * @module
 */
import { controlPath } from '../../../agent/runtime/agent-sockets.ts'
import type { StatusEvent } from '../../../agent/status/events.ts'
import { Monitor } from '../../../agent/status/monitor.ts'
import { displayTable } from '../support/algorithms.ts'
import type { Io } from '../support/io.ts'
import { AgentEvents } from './monitor/agent-events.ts'
import { interpret, optionTable, type Request } from './monitor/arguments.ts'
import { eventText } from './monitor/event-text.ts'
import { subcommand } from './subcommand.ts'

export const run = subcommand({ name: 'solipsec monitor', options: optionTable, interpret, carryOut })

async function carryOut({ json, isPassive }: Request, io: Io): Promise<void> {
  const { stdout, interrupted } = io
  await new Promise<void>((resolve) => {
    const event = (one: StatusEvent) => {
      stdout.write(`${json ? JSON.stringify(one) : eventText(one)}\n`)
      stdout.flush()
      if (stdout.isClosed) end()
    }
    const monitor = new Monitor({ algorithms: displayTable(), withAcquires: !isPassive, event })
    const agent = new AgentEvents(controlPath(), event)
    const end = () => {
      agent.close()
      monitor.close()
      resolve()
    }
    // The first line says that events are listened to from here on.
    event({ time: Date.now() / 1000, event: 'data-path', dataPath: monitor.dataPath })
    if (interrupted.aborted) end()
    else interrupted.addEventListener('abort', end, { once: true })
  })
}
