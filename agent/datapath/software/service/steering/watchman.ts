/**
 * Others may take away or change what steers packets: a firewall that is loaded anew flushes all tables, or the rules of
 * all, a network manager removes the routing rules that it does not know. The kernel announces it; whoever is told puts
 * things right.
 *
 * @module
 */
import { littleEndian, memoryOf } from '../../../../../netlink/codec/memory.ts'
import { routeGroup, routingTable } from '../../../../../netlink/route/constants.ts'
import { route } from '../../../../../netlink/route/messages.ts'
import { Subscription } from '../../../../../netlink/socket/events.ts'
import type { ReceivedMessage } from '../../../../../netlink/socket/message.ts'
import { NETLINK_NETFILTER, NETLINK_ROUTE } from '../../../../../netlink/socket/protocols.ts'
import { ROUTING_TABLE } from './routes.ts'
import { STEERING_TABLE } from './table.ts'

// linux/netfilter/nfnetlink.h, nf_tables.h: subsystem in the upper byte of the type
const NFNLGRP_NFTABLES = 7
const NFNL_SUBSYS_NFTABLES = 10
const NFGENMSG_SIZE = 4
/** In messages about tables, chains, rules, sets, their elements and objects alike. */
const NFTA_TABLE_NAME = 1
const { IPV4_ROUTE, IPV4_RULE, IPV6_ROUTE, IPV6_RULE } = routeGroup
const ROUTE_GROUPS = [IPV4_ROUTE, IPV4_RULE, IPV6_ROUTE, IPV6_RULE]

/** What was taken away, or may have been, or is not as it was. */
export interface Losses {
  /** @param sender who told the kernel to; `undefined` where nobody knows */
  table(sender?: number): void
  routes(): void
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
            if (isAboutOurTable(event)) losses.table(event.portId)
          },
          overrun: () => losses.table(),
        },
      ),
      Subscription.open(
        NETLINK_ROUTE,
        { groups: ROUTE_GROUPS },
        {
          event: (event) => {
            const table = tableOf(event)
            if (table === ROUTING_TABLE && isRemoval(event)) losses.routes()
            else if (table === routingTable.LOCAL) losses.addresses()
          },
          overrun: () => {
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

function isAboutOurTable({ type, payload }: ReceivedMessage): boolean {
  if (type >> 8 !== NFNL_SUBSYS_NFTABLES) return false
  const { view } = memoryOf(payload)
  for (let at = NFGENMSG_SIZE; at + 4 <= payload.length; ) {
    const length = view.getUint16(at, littleEndian)
    if (length < 4 || at + length > payload.length) return false
    if ((view.getUint16(at + 2, littleEndian) & 0x3fff) === NFTA_TABLE_NAME) {
      return new TextDecoder().decode(payload.subarray(at + 4, at + length - 1)) === STEERING_TABLE
    }
    at += (length + 3) & ~3
  }
  return false
}

/** The routing table that a route or a rule is about; 0 where it is something else. */
function tableOf({ type, payload }: ReceivedMessage): number {
  const { attributes } = route.decode(type, payload) as { attributes: { readonly table?: number } }
  return attributes.table ?? 0
}

function isRemoval({ type }: ReceivedMessage): boolean {
  return type === route.type('DELRULE') || type === route.type('DELROUTE')
}
