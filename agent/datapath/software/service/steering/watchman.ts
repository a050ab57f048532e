/**
 * Others may take away or change what steers packets: a firewall that is loaded anew flushes all tables, or the rules of
 * all, a network manager removes the routing rules that it does not know. The kernel announces it; whoever is told puts
 * things right.
 *
 * @module
 */
import { NFNLGRP_NFTABLES, nftTableOf } from '../../../../../netlink/netfilter/events.ts'
import { routeGroup, routingTable } from '../../../../../netlink/route/constants.ts'
import { route } from '../../../../../netlink/route/messages.ts'
import { Subscription } from '../../../../../netlink/socket/events.ts'
import type { ReceivedMessage } from '../../../../../netlink/socket/message.ts'
import { NETLINK_NETFILTER, NETLINK_ROUTE } from '../../../../../netlink/socket/protocols.ts'
import { ROUTING_TABLE } from './routes.ts'
import { STEERING_TABLE } from './table.ts'

const { LINK, IPV4_ROUTE, IPV4_RULE, IPV6_ROUTE, IPV6_RULE } = routeGroup
const ROUTE_GROUPS = [LINK, IPV4_ROUTE, IPV4_RULE, IPV6_ROUTE, IPV6_RULE]

/** What was taken away, or may have been, or is not as it was. */
export interface Losses {
  /** @param sender who told the kernel to; `undefined` where nobody knows */
  table(sender?: number): void
  routes(): void
  /** Interfaces have come, gone or changed. */
  links(): void
  /** Addresses of this host have come or gone. */
  addresses(): void
}

/** Watches until it is closed. */
export class Watchman {
  readonly #subscriptions: readonly Subscription[]

  /** Opens in the calling thread's network namespace. */
  constructor(losses: Losses) {
    this.#subscriptions = [
      Subscription.open(
        NETLINK_NETFILTER,
        { groups: [NFNLGRP_NFTABLES] },
        {
          event: (event) => {
            if (nftTableOf(event) === STEERING_TABLE) losses.table(event.portId)
          },
          overrun: () => losses.table(),
        },
      ),
      Subscription.open(
        NETLINK_ROUTE,
        { groups: ROUTE_GROUPS },
        {
          event: (event) => {
            if (isLink(event)) return losses.links()
            const table = tableOf(event)
            if (table === ROUTING_TABLE && isRemoval(event)) losses.routes()
            else if (table === routingTable.LOCAL) losses.addresses()
          },
          overrun: () => {
            losses.links()
            losses.routes()
            losses.addresses()
          },
        },
      ),
    ]
  }

  close(): void {
    for (const subscription of this.#subscriptions) subscription.close()
  }
}

/** The routing table that a route or a rule is about; 0 where it is something else. */
function tableOf({ type, payload }: ReceivedMessage): number {
  const { attributes } = route.decode(type, payload) as { attributes: { readonly table?: number } }
  return attributes.table ?? 0
}

function isLink({ type }: ReceivedMessage): boolean {
  return type === route.type('NEWLINK') || type === route.type('DELLINK')
}

function isRemoval({ type }: ReceivedMessage): boolean {
  return type === route.type('DELRULE') || type === route.type('DELROUTE')
}
