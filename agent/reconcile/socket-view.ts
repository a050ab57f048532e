/**
 * What policies of sockets are made from: the SAs that there are, their classes, and what sockets use already.
 *
 * @module
 */
import type { XfrmConnection } from '../../netlink/xfrm/connection.ts'
import { dir } from '../../netlink/xfrm/constants.ts'
import { type ClassTable, isOurReqid } from '../translate/classes.ts'
import { classesOf, type HostFacts } from '../translate/policy-set.ts'
import type { SaContent } from '../translate/requirements.ts'
import { installedAssociations } from './engine.ts'
import { isOurState } from './ownership.ts'
import type { PolicyState } from './policy-state.ts'

export interface SocketView {
  /** What the SAs of ours in the kernel are. */
  readonly contents: readonly SaContent[]
  /** The protection classes that rules and sockets divide SAs into. */
  readonly classes: ClassTable
  readonly facts: HostFacts
  /** The reqids of ours that policies of sockets name, whoever holds the sockets. Asks the kernel at each call. */
  reqidsInUse(): ReadonlySet<number>
}

export function socketView(connection: XfrmConnection, state: PolicyState, facts: HostFacts): SocketView {
  const rules = state.rules.map(({ rule }) => rule)
  const ours = installedAssociations(connection).filter(({ reqid }) => isOurState(reqid))
  return {
    contents: ours.map(({ content }) => content),
    classes: classesOf(rules, facts),
    facts,
    reqidsInUse: () => reqidsInUse(connection),
  }
}

function reqidsInUse(connection: XfrmConnection): Set<number> {
  const reqids = new Set<number>()
  for (const { body, attributes } of connection.policies()) {
    if (body.dir <= dir.FWD) continue
    for (const { reqid } of attributes.tmpl ?? []) if (isOurReqid(reqid)) reqids.add(reqid)
  }
  return reqids
}
