/**
 * What policies of sockets are made from: the SAs that there are, and what sockets use already.
 *
 * @module
 */
import type { XfrmConnection } from '../../netlink/xfrm/connection.ts'
import { dir } from '../../netlink/xfrm/constants.ts'
import type { AlgorithmTable } from '../model/algorithm.ts'
import { isOurReqid } from '../translate/classes.ts'
import type { SaContent } from '../translate/requirements.ts'
import { ownAssociations } from './engine.ts'

/** The kernel is asked at each call. */
export interface SocketView {
  readonly algorithms: AlgorithmTable
  /** What the SAs of ours in the kernel are. */
  contents(): readonly SaContent[]
  /** The reqids of ours that policies of sockets name, whoever holds the sockets. */
  reqidsInUse(): ReadonlySet<number>
}

export function socketView(connection: XfrmConnection, algorithms: AlgorithmTable): SocketView {
  return {
    algorithms,
    contents: () => ownAssociations(connection).map(({ content }) => content),
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
