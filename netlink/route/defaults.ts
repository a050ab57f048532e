/**
 * Bodies to start from, in which nothing is said.
 *
 * @module
 */
import { routeProtocol, routeType, routingTable, ruleAction, scope } from './constants.ts'
import type { RouteMessage } from './messages.ts'

/** The body of a message about interfaces. */
export function defaultLink(): RouteMessage<'GETLINK'>['body'] {
  return { ifi_family: 0, ifi_type: 0, ifi_index: 0, ifi_flags: 0, ifi_change: 0 }
}

/** The body of a message about routes. */
export function defaultRoute(family: number): RouteMessage<'GETROUTE'>['body'] {
  return {
    rtm_family: family,
    rtm_dst_len: 0,
    rtm_src_len: 0,
    rtm_tos: 0,
    rtm_table: routingTable.UNSPEC,
    rtm_protocol: routeProtocol.UNSPEC,
    rtm_scope: scope.UNIVERSE,
    rtm_type: routeType.UNSPEC,
    rtm_flags: 0,
  }
}

/** The body of a message about policy routing rules. */
export function defaultRule(family: number): RouteMessage<'GETRULE'>['body'] {
  return {
    family,
    dst_len: 0,
    src_len: 0,
    tos: 0,
    table: routingTable.UNSPEC,
    res1: 0,
    res2: 0,
    action: ruleAction.UNSPEC,
    flags: 0,
  }
}
