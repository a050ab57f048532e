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
  /** The kernel takes packets out of such a tunnel without asking policy whether they may come in. */
  readonly skipsPolicy?: boolean
}

/** A tunnel rule that cannot be carried out on this host as it is meant. */
export class TunnelRuleError extends Error {
  readonly rule: Rule
  /** The way out, as a sentence. */
  readonly hint: string

  constructor(rule: Rule, message: string, hint: string) {
    super(message)
    this.name = 'TunnelRuleError'
    this.rule = rule
    this.hint = hint
  }
}

/**
 * The tunnel that a rule is about; `undefined` for rules of the host.
 *
 * @throws TunnelRuleError where there is no such interface, or the rule asks for what a tunnel cannot do
 */
export function tunnelOf(rule: Rule, tunnels: ReadonlyMap<string, Tunnel>): Tunnel | undefined {
  const { tunnel: reference, actions } = rule
  if (!reference) return undefined
  const tunnel = tunnels.get(reference.name)
  if (!tunnel) {
    throw new TunnelRuleError(
      rule,
      `Cannot find tunnel interface ${reference.name}.`,
      `put it into the section tunnels of a document, or make it: ip link add ${reference.name} type ipip local ADDRESS remote ADDRESS`,
    )
  }
  if (tunnel.skipsPolicy) {
    throw new TunnelRuleError(
      rule,
      `${reference.name} is a sit interface: Linux lets clear packets into it whatever policy says.`,
      `make it of type gre: with 'negotiate tunnel', what is on the wire is the same`,
    )
  }
  // The interface's own, unprotected packets are fenced off as a whole.
  if (reference.mode === 'tunnel' && actions.some(({ kind }) => kind === 'bypass')) {
    throw new TunnelRuleError(
      rule,
      `Linux cannot let part of a tunnel's traffic pass in clear and be sure of the rest.`,
      'send what needs no protection through another interface',
    )
  }
  return tunnel
}

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
 * Around a tunnel that has tunnel-mode rules. What they protect never passes through the interface: it is caught
 * on the way into it. So whatever the interface itself sends or receives, its own encapsulation between the outer
 * addresses, is covered by no rule, and dropped. What is forwarded into the interface is left to the outbound
 * policies.
 */
export function tunnelFence({ endpoints, protocols, ifindex }: Tunnel): KernelPolicy[] {
  const local = hostPrefix(endpoints.local)
  const remote = hostPrefix(endpoints.remote)
  const outer = protocols.flatMap((protocol) => [
    block(dir.OUT, makeSelector(local, remote, protocol), BAND.guard),
    block(dir.IN, makeSelector(remote, local, protocol), BAND.guard),
  ])
  const forwarded = FAMILIES.map((family) => {
    const any = anyPrefix(family)
    return allow(dir.FWD, makeSelector(any, any, 0, undefined, undefined, ifindex), BAND.system)
  })
  return [...outer, ...forwarded]
}

const FAMILIES: readonly Family[] = ['inet', 'inet6']
