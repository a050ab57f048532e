/**
 * The calls that the agent's control socket takes.
 *
 * @module
 */
import type { Agent } from '../../../../agent/daemon/agent.ts'
import { ControlError, code } from '../../../../agent/daemon/control/protocol.ts'
import type { Methods } from '../../../../agent/daemon/control/server.ts'
import { collectStatus } from '../../../../agent/status/collect.ts'
import { DEFAULT_SERIES_LIMIT, metricsText } from '../../../../agent/status/metrics.ts'
import { SHOW_METHOD } from '../../support/delegate.ts'
import { packageVersion } from '../../support/start.ts'
import { show } from './show.ts'

/** By name. */
export function controlMethods(agent: Agent): Methods {
  const version = packageVersion()
  return {
    'agent.status': { access: 'read', run: () => ({ version, ...agent.status }) },
    'agent.subscribe': {
      access: 'read',
      run: (_, client) => {
        client.subscribe()
        return null
      },
    },
    // One after the other with all else that needs the lock.
    [SHOW_METHOD]: { access: 'read', run: (params) => agent.exclusively(() => show(params)) },
    'status.report': { access: 'read', run: () => collectStatus(agent.algorithms) },
    'status.metrics': {
      access: 'read',
      run: () => {
        const options = { version: packageVersion(), seriesLimit: DEFAULT_SERIES_LIMIT }
        return metricsText(collectStatus(agent.algorithms), options)
      },
    },
    'agent.reload': {
      access: 'change',
      run: async () => {
        await agent.reload()
        const { problem } = agent.status
        if (problem !== undefined) throw new ControlError(code.FAILED, problem)
        return agent.status
      },
    },
    'agent.resolve': {
      access: 'change',
      run: async () => {
        await agent.resolve()
        return agent.status
      },
    },
    'agent.settle': {
      access: 'change',
      run: async () => {
        const problem = await agent.settle()
        if (problem !== undefined) throw new ControlError(code.FAILED, problem)
        return agent.status
      },
    },
  }
}
