/**
 * Tunnel interfaces of a document, as lines and as plain data, and what is said where they cannot be made.
 *
 * @module
 */
import { tryTunnel } from '../../../../agent/doctor/facts/tunnels.ts'
import { formatAddress, formatPrefix } from '../../../../agent/model/address.ts'
import { type OwnTunnel, tunnelModules } from '../../../../agent/model/tunnel.ts'
import { encodeOwnTunnel } from '../../../../agent/reconcile/stored-tunnels.ts'
import type { BlockedTunnel, TunnelDifference, TunnelPlan } from '../../../../agent/reconcile/tunnel-plan.ts'
import type { TunnelBlockedError } from '../../../../agent/reconcile/tunnel-steps.ts'
import type { HostLink } from '../../../../agent/translate/tunnel-interfaces.ts'
import { CommandError } from '../../support/exit.ts'

type Json = Readonly<Record<string, unknown>>

/** Interfaces of others are in the way; they may go. */
export class BlockedError extends CommandError {}

/** `ip.tun0 ipip 192.0.2.1 -> 198.51.100.1 10.0.0.1/30 mtu 1400`. */
export function tunnelText({ name, kind, local, remote, addresses, mtu }: OwnTunnel): string {
  const words = [
    name,
    kind,
    formatAddress(local),
    '->',
    formatAddress(remote),
    ...addresses.map(formatPrefix),
  ]
  if (mtu !== undefined) words.push('mtu', String(mtu))
  return words.join(' ')
}

/** `remote, mtu; in place`. */
export function changeText({ differences, manner }: TunnelPlan['change'][number]): string {
  return `${differences.join(', ')}; ${manner === 'replaced' ? 'made anew' : 'in place'}`
}

/** Tunnels that come, change and go. */
export function tunnelsJson({ add, change, remove, untouched }: TunnelPlan): Json {
  return {
    add: add.map(tunnelJson),
    change: change.map(({ to, differences, manner }) => ({ ...tunnelJson(to), differences, manner })),
    remove: remove.map(tunnelJson),
    untouched,
  }
}

/** As it is recorded, but for its number, which is a matter between the kernel and us. */
function tunnelJson(tunnel: OwnTunnel): Json {
  const { ifindex: _, ...plain } = encodeOwnTunnel(tunnel)
  return plain
}

/** What `apply` would fail at: interfaces that come, of kinds that this kernel does not make. Makes one of each elsewhere. */
export function unmakableRemarks({ add, change }: TunnelPlan): string[] {
  const coming = [...add, ...change.flatMap(({ to, manner }) => (manner === 'replaced' ? to : []))]
  return [...new Set(coming.map(({ kind }) => kind))].flatMap((kind) => {
    const trial = tryTunnel(kind)
    if (trial.outcome !== 'fails') return []
    const names = coming.filter((one) => one.kind === kind).map(({ name }) => name)
    return `this kernel makes no ${kind} interfaces (${trial.why}), so that all this cannot be applied: ${names.join(', ')}. Its module is ${tunnelModules[kind]}.`
  })
}

/** What is in the way, where the file asks for it, and how to get on. */
export function blockedError({ blocked }: TunnelBlockedError, file: string): BlockedError {
  const names = blocked.map(({ found }) => found.name)
  return new BlockedError(
    [
      ...blocked.map((one) => `${file}:${one.wanted.line ?? 1}: ${blockedText(one)}`),
      `help: say in the file what is there, or take it away, and it is made: ${names
        .map((name) => `ip link delete ${name}`)
        .join('; ')}`,
      'Nothing was changed.',
    ].join('\n'),
  )
}

function blockedText({ found, differences }: BlockedTunnel): string {
  const facts = differences.map((difference) => factText(difference, found))
  return `${found.name} is there, solipsec has not made it, and it is another one: ${facts.join(', ')}`
}

function factText(difference: TunnelDifference, { tunnel, addresses, mtu }: HostLink): string {
  switch (difference) {
    case 'kind':
      return tunnel ? `its kind is ${tunnel.kind}` : 'it is no tunnel that a document can describe'
    case 'local':
    case 'remote':
      return `its ${difference} end is ${tunnel ? formatAddress(tunnel[difference]) : 'unknown'}`
    case 'addresses':
      return addresses.length > 0
        ? `its addresses are ${addresses.map(formatPrefix).join(' and ')}`
        : 'it has no address'
    case 'mtu':
      return `its MTU is ${mtu}`
    default:
      return `its ${difference} differs`
  }
}
