/**
 * Solaris tunnel rules (`tunnel NAME negotiate …`) on Linux tunnel interfaces.
 *
 * The interface NAME gives the outer addresses, as `ip.tun0` does on Solaris. In tunnel mode, what is routed into
 * the interface is caught by an outbound policy bound to it (selector ifindex) and leaves as tunnel-mode ESP
 * between the outer addresses; the bytes on the wire are those that Solaris sends.
 *
 * @module
 */
import { dir } from '../../netlink/xfrm/constants.ts'
import { anyPrefix, type Family, hostPrefix } from '../model/address.ts'
import type { AddressPair, Rule } from '../model/policy.ts'
import { allow, block, type KernelPolicy } from './kernel-policy.ts'
import { BAND } from './priorities.ts'
import type { TunnelEndpoints } from './requirements.ts'
import { makeSelector } from './selectors.ts'

/** A tunnel interface of this host. */
export interface Tunnel {
  readonly name: string
  readonly ifindex: number
  readonly endpoints: TunnelEndpoints
  /** IP protocols of the packets that the interface itself sends: 4, 41 (RFC 2003, 2473, 4213) or 47 (GRE). */
  readonly protocols: readonly number[]
}

const FAMILIES: readonly Family[] = ['inet', 'inet6']

/**
 * The address pair and selectors of a `negotiate transport` rule: the tunnel's outer packets.
 *
 * @returns one rule for each protocol that the interface sends
 */
export function transportRules(rule: Rule, tunnel: Tunnel): { rule: Rule; pair: AddressPair }[] {
  const { tunnel: _reference, ...plain } = rule
  const pair = { local: hostPrefix(tunnel.endpoints.local), remote: hostPrefix(tunnel.endpoints.remote) }
  return tunnel.protocols.map((protocol) => ({
    rule: { ...plain, selector: { ...rule.selector, pairs: [pair], protocol } },
    pair,
  }))
}

/**
 * Around a tunnel that has tunnel-mode rules: what is forwarded into it is left to the outbound policies, what
 * no rule covers is dropped in both directions, and so are packets that come through it unprotected.
 */
export function tunnelFence(tunnel: Tunnel): KernelPolicy[] {
  const fence: KernelPolicy[] = []
  for (const family of FAMILIES) {
    const any = anyPrefix(family)
    const sel = makeSelector(any, any, 0, undefined, undefined, tunnel.ifindex)
    fence.push(block(dir.OUT, sel, BAND.tunnelFence), block(dir.IN, sel, BAND.tunnelFence))
    fence.push(allow(dir.FWD, sel, BAND.system))
  }
  return [...fence, ...outerFence(tunnel)]
}

/** Refuses the interface's own, unprotected encapsulation from the other end. */
function outerFence({ endpoints, protocols }: Tunnel): KernelPolicy[] {
  const source = hostPrefix(endpoints.remote)
  const destination = hostPrefix(endpoints.local)
  return protocols.map((protocol) => block(dir.IN, makeSelector(source, destination, protocol), BAND.guard))
}
