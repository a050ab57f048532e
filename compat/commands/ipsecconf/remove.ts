/**
 * `ipsecconf -f`, `-F` and `-d`: takes rules out.
 *
 * @module
 */
import { findByIndex, flushRules, removeRule } from '../../../agent/reconcile/policy-edit.ts'
import type { PolicyState } from '../../../agent/reconcile/policy-state.ts'
import { Session } from '../../../agent/reconcile/session.ts'
import { displayTable } from '../support/algorithms.ts'
import { announceDataPath } from '../support/data-path-option.ts'
import { CommandError } from '../support/exit.ts'
import type { Io } from '../support/io.ts'
import type { Request, Task } from './arguments.ts'
import { applyOrShow } from './change.ts'
import { requireRecord } from './record.ts'

type Removal = Extract<Task, { kind: 'flush' | 'delete' | 'list' }>

export async function flushOrDelete(task: Removal, request: Request, io: Io): Promise<void> {
  const session = Session.open(displayTable(), { choice: request.dataPath, needs: [] })
  try {
    announceDataPath(session.dataPath, io)
    if (task.kind === 'delete' || task.tunnel !== undefined) requireRecord(session)
    await applyOrShow(session, without(session.state, task), request, io)
  } finally {
    session.close()
  }
}

function without(state: PolicyState, task: Removal): PolicyState {
  if (task.kind !== 'delete') {
    const { tunnel: name } = task
    if (name !== undefined && !state.rules.some(({ rule }) => rule.tunnel?.name === name)) {
      throw new CommandError(`Cannot find tunnel interface ${name}: no rule is about it`)
    }
    if (task.all) return flushRules(state, { kind: 'all' })
    return flushRules(
      state,
      task.tunnel === undefined ? { kind: 'host' } : { kind: 'tunnel', name: task.tunnel },
    )
  }
  const { index, tunnel } = task
  const loaded = findByIndex(state, index, tunnel)
  if (!loaded) {
    const where = tunnel === undefined ? '' : ` of tunnel ${tunnel}`
    throw new CommandError(`no rule${where} has index ${index}; ipsecconf -L lists them`)
  }
  return removeRule(state, loaded)
}
