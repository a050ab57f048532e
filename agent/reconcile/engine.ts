/**
 * Reads what the kernel has, and carries steps out on it, in batches.
 *
 * @module
 */
import type { NetlinkError } from '../../netlink/socket/error.ts'
import type { XfrmConnection } from '../../netlink/xfrm/connection.ts'
import { dir } from '../../netlink/xfrm/constants.ts'
import type { XfrmMessage } from '../../netlink/xfrm/messages.ts'
import { type KernelAssociation, readState } from '../translate/read-association.ts'
import type { Tables } from './joint-plan.ts'
import { isOurPolicyIndex, isOurState } from './ownership.ts'
import type { InstalledPolicy } from './plan.ts'
import { messageOf, type Step } from './steps.ts'

/** A step that the kernel refused. */
export class ApplyError extends Error {
  readonly step: Step
  override readonly cause: NetlinkError

  constructor(step: Step, cause: NetlinkError) {
    super(cause.message)
    this.name = 'ApplyError'
    this.step = step
    this.cause = cause
  }
}

/** The policies that the kernel has in its main table, those of single sockets left out. */
export function installedPolicies(connection: XfrmConnection): InstalledPolicy[] {
  return mainPolicies(connection.policies())
}

/** Those of {@link installedPolicies} that are ours. */
export function ownPolicies(connection: XfrmConnection): InstalledPolicy[] {
  return installedPolicies(connection).filter(({ info }) => isOurPolicyIndex(info.index))
}

/** The same of a dump. */
export function mainPolicies(dump: readonly XfrmMessage<'NEWPOLICY'>[]): InstalledPolicy[] {
  const policies: InstalledPolicy[] = []
  for (const { body, attributes } of dump) {
    if (body.dir > dir.FWD || (attributes.policy_type?.type ?? 0) !== 0) continue
    const { tmpl = [], mark, if_id: ifId = 0 } = attributes
    policies.push({ info: body, tmpl, ifId, ...(mark && { mark }) })
  }
  return policies
}

/** The AH and ESP SAs that the kernel has. */
export function installedAssociations(connection: XfrmConnection): KernelAssociation[] {
  return ipsecAssociations(connection.states())
}

/** Those of {@link installedAssociations} that are ours. */
export function ownAssociations(connection: XfrmConnection): KernelAssociation[] {
  return installedAssociations(connection).filter(({ reqid }) => isOurState(reqid))
}

/** The same of a dump. */
export function ipsecAssociations(dump: readonly XfrmMessage<'NEWSA'>[]): KernelAssociation[] {
  const associations: KernelAssociation[] = []
  for (const message of dump) {
    const association = readState(message)
    if (association) associations.push(association)
  }
  return associations
}

/** Everything of {@link installedPolicies} and {@link installedAssociations}. */
export function readTables(connection: XfrmConnection): Tables {
  return { associations: installedAssociations(connection), policies: installedPolicies(connection) }
}

/**
 * Carries steps out, in order, up to the first that the kernel refuses. Those before it stay: a caller that wants all
 * or nothing plans anew, from a dump, the way back to what was.
 *
 * @throws ApplyError, NetlinkError
 */
export function applySteps(connection: XfrmConnection, steps: readonly Step[]): void {
  const [failure] = connection.batchOf(steps, messageOf, { stopOnError: true }).failures
  if (!failure) {
    // Whoever carries the packets is done with all of it when it answers this.
    if (steps.length > 0) connection.spdInfo()
    return
  }
  const step = steps[failure.index]
  throw step ? new ApplyError(step, failure.error) : failure.error
}
