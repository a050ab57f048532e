/**
 * Kernel policies as lines of a batch file of `ip`.
 *
 * @module
 */
import { freeSerials, policyIndex } from '../../../agent/reconcile/ownership.ts'
import { type KernelPolicy, withoutShadowed } from '../../../agent/translate/kernel-policy.ts'
import { action, family as af, dir, mode } from '../../../netlink/xfrm/constants.ts'
import type { UserTmpl } from '../../../netlink/xfrm/structs.ts'
import { address, hex, protocolWord } from '../kernel/words.ts'
import { exactSelectors, type InterfaceNames, markWords, selectorWords } from './words.ts'

const DIRECTIONS: Readonly<Record<number, string>> = { [dir.IN]: 'in', [dir.OUT]: 'out', [dir.FWD]: 'fwd' }

/**
 * One line for each policy. Index numbers are those that ipsecconf would give, so that it knows the policies as its own.
 *
 * @param policies all of them sayable, see {@link exactSelectors}
 */
export function policyLines(policies: readonly KernelPolicy[], names: InterfaceNames): string[] {
  const serials = freeSerials([])
  // Selectors that were different by their masks may be the same one by one.
  return withoutShadowed(policies.flatMap(exactPolicies)).map((policy) =>
    policyWords(policy, policyIndex(serials.next().value, policy.dir), names).join(' '),
  )
}

function exactPolicies(policy: KernelPolicy): KernelPolicy[] {
  const selectors = exactSelectors(policy.sel)
  if (typeof selectors === 'string') throw new RangeError(selectors)
  return selectors.map((sel) => ({ ...policy, sel }))
}

function policyWords(policy: KernelPolicy, index: number, names: InterfaceNames): string[] {
  return [
    ...['xfrm', 'policy', 'add'],
    ...selectorWords(policy.sel, names),
    ...['dir', DIRECTIONS[policy.dir] ?? ''],
    ...(policy.mark ? markWords('mark', policy.mark) : []),
    ...['index', hex(index)],
    ...['action', policy.action === action.BLOCK ? 'block' : 'allow'],
    ...['priority', hex(policy.priority)],
    ...policy.tmpl.flatMap(templateWords),
  ]
}

function templateWords({ saddr, id, family, reqid, mode: kind, optional }: UserTmpl): string[] {
  const isTunnel = kind === mode.TUNNEL
  const nobody = family === af.INET6 ? '::' : '0.0.0.0'
  return [
    'tmpl',
    ...['src', isTunnel ? address(saddr, family) : nobody],
    ...['dst', isTunnel ? address(id.daddr, family) : nobody],
    ...['proto', protocolWord(id.proto)],
    ...['reqid', hex(reqid)],
    ...['mode', isTunnel ? 'tunnel' : 'transport'],
    ...(optional === 0 ? [] : ['level', 'use']),
  ]
}
