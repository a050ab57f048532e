/**
 * Tunnel interfaces that a document asks for. They are not made here; but they have to be there, as it says.
 *
 * @module
 */
import { formatAddress, formatPrefix, sameAddress } from '../../../../agent/model/address.ts'
import type { TunnelInterface } from '../../../../agent/model/tunnel.ts'
import { readTunnelInterfaces } from '../../../../agent/reconcile/host.ts'
import { CommandError } from '../../support/exit.ts'

/** Interfaces are not there, or are others. */
export class MissingTunnelError extends CommandError {}

/** @throws MissingTunnelError with the commands that make what is missing */
export function requireTunnels(wanted: readonly TunnelInterface[], file: string): void {
  if (wanted.length === 0) return
  const lines = tunnelCommands(wanted, readTunnelInterfaces())
  if (lines.length === 0) return
  throw new MissingTunnelError(
    [
      `${file}: the section \`tunnels\` asks for interfaces that are not there, or not as it says, and this version`,
      'does not make them. Nothing was changed.',
      'help: these commands make them:',
      ...lines.map((line) => `  ip ${line}`),
    ].join('\n'),
  )
}

/** Lines for ip(8) that make of the interfaces that are there those that are wanted. Pure. */
export function tunnelCommands(
  wanted: readonly TunnelInterface[],
  present: readonly TunnelInterface[],
): string[] {
  return wanted.flatMap((tunnel) => {
    const { name, kind, local, remote, mtu } = tunnel
    const found = present.find((one) => one.name === name)
    const isRight =
      found?.kind === kind && sameAddress(found.local, local) && sameAddress(found.remote, remote)
    const ends = `local ${formatAddress(local)} remote ${formatAddress(remote)}`
    const link = isRight
      ? []
      : [...(found ? [`link delete ${name}`] : []), `link add ${name} type ${kind} ${ends}${any(kind)}`]
    const old = isRight ? found : undefined
    const addresses = tunnel.addresses
      .map(formatPrefix)
      .filter((text) => !old?.addresses.some((one) => formatPrefix(one) === text))
    const size = mtu !== undefined && old?.mtu !== mtu ? ` mtu ${mtu}` : ''
    return [
      ...link,
      ...addresses.map((address) => `address add ${address} dev ${name}`),
      ...(old && size === '' ? [] : [`link set ${name} up${size}`]),
    ]
  })
}

/** IPv4 as well as IPv6 inside. */
function any(kind: TunnelInterface['kind']): string {
  return kind === 'ip6tnl' ? ' mode any' : ''
}
