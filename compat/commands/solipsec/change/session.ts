/**
 * A session for a configuration: opened, asked for a plan, closed, and the keys wiped.
 *
 * @module
 */
import { protocolsOf } from '../../../../agent/model/policy.ts'
import type { PlannedChange } from '../../../../agent/reconcile/planner.ts'
import { replaceRules, replaceTunables } from '../../../../agent/reconcile/policy-edit.ts'
import type { PolicyState } from '../../../../agent/reconcile/policy-state.ts'
import { Session } from '../../../../agent/reconcile/session.ts'
import { TunnelBlockedError } from '../../../../agent/reconcile/tunnel-steps.ts'
import { tunableValuesOf } from '../../../configuration/tunable-values.ts'
import { withMarks } from '../../ipsecconf/marks.ts'
import { announceDataPath } from '../../support/data-path-option.ts'
import { CommandError } from '../../support/exit.ts'
import type { Io } from '../../support/io.ts'
import type { Request } from './arguments.ts'
import { type LoadableConfiguration, wipeKeys } from './configuration.ts'
import { blockedError } from './tunnels.ts'

/**
 * Opens the namespace for what a configuration asks for, and lets `use` work with it.
 *
 * @param isChange the data path that is needed is started
 */
export async function withSession<T>(
  { configuration, dataPath, protocols: coming = [] }: LoadableConfiguration,
  isChange: boolean,
  io: Io,
  use: (session: Session) => T,
): Promise<T> {
  const { algorithms, rules = [], associations = [] } = configuration
  const protocols = [...protocolsOf(rules), ...associations.map(({ protocol }) => protocol), ...coming]
  const needs = isChange ? [...new Set(protocols)] : []
  try {
    const session = Session.open(algorithms, { choice: dataPath, needs })
    try {
      announceDataPath(session.dataPath, io)
      if (!rules.length && !configuration.rules) requireKnownRules(session)
      return use(session)
    } finally {
      session.close()
    }
  } finally {
    wipeKeys(associations)
  }
}

/** What it takes to have all that the configuration says. Sections that it leaves out stay as they are. */
export function planConfiguration(
  session: Session,
  { name, configuration }: LoadableConfiguration,
  request: Pick<Request, 'markMask' | 'quiet'>,
  io: Io,
): PlannedChange {
  const { rules, associations, tunnels } = configuration
  const before = rules ? withMarks(session, request, io) : session.state
  const policy = configuredState(before, configuration)
  return withBlocked(name, () =>
    session.planAll({
      ...(policy !== session.state && { policy }),
      ...(associations && { associations }),
      ...(tunnels && { tunnels }),
    }),
  )
}

/** @throws BlockedError that says where the file asks for what is in the way */
export function withBlocked<T>(file: string, plan: () => T): T {
  try {
    return plan()
  } catch (error) {
    throw error instanceof TunnelBlockedError ? blockedError(error, file) : error
  }
}

/** What a configuration says of policy, in place of what is there. The same object where it says nothing. */
export function configuredState(
  state: PolicyState,
  { rules, tunables, latch = state.latch }: LoadableConfiguration['configuration'],
): PolicyState {
  const ruled = rules ? replaceRules(state, rules, { kind: 'all' }) : state
  const tuned = tunables ? replaceTunables(ruled, tunableValuesOf(tunables)) : ruled
  return latch === tuned.latch ? tuned : { ...tuned, latch }
}

/** SAs follow the rules; where these are not known, their classes would be wrong. */
function requireKnownRules(session: Session): void {
  if (!session.isUnrecorded) return
  throw new CommandError(
    'the kernel has policies of solipsec, but the record of the rules that they were made from is lost.\n' +
      'help: load a document that has rules as well, or remove all policies with ipsecconf -F',
  )
}
