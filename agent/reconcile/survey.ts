/**
 * What a set of rules meets on this host, and what has to be arranged around it.
 *
 * @module
 */
import { type Address, isLoopback } from '../model/address.ts'
import { familiesOf } from '../model/entries.ts'
import type { Rule } from '../model/policy.ts'
import { isOn, type TunableValues } from '../model/tunables.ts'
import type { ClearMessages } from '../translate/frame.ts'
import { markLayout } from '../translate/marks.ts'
import type { HostFacts } from '../translate/policy-set.ts'
import type { Tunnel } from '../translate/tunnels.ts'
import { type HostNetwork, isForwarding } from './host.ts'
import { hasNft } from './netfilter.ts'
import type { PolicyState } from './policy-state.ts'
import { settingsFor } from './system-settings.ts'

export interface Survey {
  readonly facts: Omit<HostFacts, 'algorithms'>
  /** The state, with what it needs besides policies. */
  readonly state: PolicyState
  /** What does not hold as the rules say, as sentences. Never less protection than they ask for. */
  readonly warnings: readonly string[]
}

/** Looks at the host on behalf of a state that is to be put into force. */
export function survey(next: PolicyState, { localAddresses, tunnels }: HostNetwork): Survey {
  const rules = next.rules.map(({ rule }) => rule)
  const marks = markLayout(next.markMask)
  const forwarding = rules.length > 0 && isForwarding()
  const ownAddresses = rules.some(concernsInet6) && localAddresses.some(needsGuard)
  const guardsOwnAddresses = ownAddresses && hasNft()
  const used = usedTunnels(rules, next.tunnels, tunnels)
  const warnings = rules
    .filter(isKeyManagementOnly)
    .map(
      ({ file, span }) =>
        `${file}:${span.line}: UDP 500 and 4500 of this host always pass in clear; this rule changes nothing.`,
    )
  if (forwarding && !marks) {
    warnings.push('without mark bits, packets that this host only forwards are held to its own rules, too.')
  }
  if (ownAddresses && !guardsOwnAddresses) {
    warnings.push(
      "without nft, this host's IPv6 traffic to its own addresses is held to the rules; install nftables to exempt it.",
    )
  }
  return {
    facts: {
      marks,
      forwarding,
      localAddresses,
      tunnels: used,
      guardsOwnAddresses,
      ...(next.socketKinds && { socketKinds: next.socketKinds }),
      clearMessages: clearMessagesFor(next.tunables),
    },
    state: {
      ...next,
      tunnels: used,
      settings: settingsFor(next.tunables, next.settings),
      netfilter: {
        forwardedMark: forwarding && marks ? marks.forwarded : 0,
        classMarks: marks && decapsulates(rules, tunnels) ? marks.classes : 0,
        guardsOwnAddresses,
      },
    },
    warnings,
  }
}

function isKeyManagementOnly({ selector, actions }: Rule): boolean {
  const { protocol = 17, localPort = 0 } = selector
  return protocol === 17 && [500, 4500].includes(localPort) && actions.some(({ kind }) => kind !== 'bypass')
}

/**
 * Packets may come out of a tunnel whose own packets are protected: by a rule about it, which needs netfilter then, or
 * by one about its two ends.
 */
function decapsulates(rules: readonly Rule[], tunnels: ReadonlyMap<string, Tunnel>): boolean {
  if (rules.some(({ tunnel }) => tunnel?.mode === 'transport')) return true
  return rules.length > 0 && tunnels.size > 0 && hasNft()
}

function concernsInet6({ selector }: Rule): boolean {
  return selector.pairs.some((pair) => familiesOf(pair).includes('inet6'))
}

/** The kernel itself drops what comes from outside under `::1`, but not under the other addresses of the host. */
function needsGuard(address: Address): boolean {
  return address.family === 'inet6' && !isLoopback(address)
}

/**
 * The tunnels that rules are about. One whose interface is gone is remembered: nothing passes through it, and what
 * fences off its packets stays.
 */
function usedTunnels(
  rules: readonly Rule[],
  remembered: ReadonlyMap<string, Tunnel>,
  present: ReadonlyMap<string, Tunnel>,
): ReadonlyMap<string, Tunnel> {
  const used = new Map<string, Tunnel>()
  for (const { tunnel } of rules) {
    const found = tunnel && (present.get(tunnel.name) ?? remembered.get(tunnel.name))
    if (found) used.set(found.name, found)
  }
  return used
}

/** What tunables let in although a rule asks for protection. */
export function clearMessagesFor(tunables: TunableValues): ClearMessages {
  return {
    icmp: isOn(tunables, 'icmp_accept_clear_messages'),
    igmp: isOn(tunables, 'igmp_accept_clear_messages'),
    pim: isOn(tunables, 'pim_accept_clear_messages'),
  }
}
