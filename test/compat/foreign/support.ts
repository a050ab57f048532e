/**
 * Rules and SAs of small texts, and a host that they are converted for.
 *
 * @module
 */
import { defaultAlgorithmTable } from '../../../agent/model/default-algorithms.ts'
import { hasErrors } from '../../../agent/model/diagnostic.ts'
import type { Rule } from '../../../agent/model/policy.ts'
import type { Tunnel } from '../../../agent/translate/tunnels.ts'
import type { ForeignHost, ForeignInput } from '../../../compat/foreign/input.ts'
import { readForeignInput } from '../../../compat/foreign/read.ts'
import type { Unsaid } from '../../../compat/foreign/unsaid.ts'
import { address } from '../../support/address.ts'
import { environment } from '../configuration/support.ts'

/** @throws Error where a text has errors */
export function inputOf(policy: string, keys = ''): ForeignInput {
  const { files } = environment
  const sources = [
    { name: 'policy', kind: 'ipsecinit.conf' as const, text: policy, files },
    { name: 'keys', kind: 'ipseckeys' as const, text: keys, files },
  ]
  const read = readForeignInput(sources, environment)
  if ('problem' in read || hasErrors(read.diagnostics)) throw new Error(JSON.stringify(read, undefined, 1))
  return read.input
}

const tunnel: Tunnel = {
  name: 'tun0',
  ifindex: 7,
  endpoints: { local: address('192.0.2.1'), remote: address('198.51.100.1') },
  protocols: [4],
}

/** The host 192.0.2.1, with a tunnel `tun0` where it is asked for. */
export function hostWith(tunnels: readonly string[] = []): ForeignHost {
  return {
    localAddresses: [address('127.0.0.1'), address('192.0.2.1'), address('2001:db8::1')],
    tunnels: new Map(tunnels.map((name, index) => [name, { ...tunnel, name, ifindex: 7 + index }])),
    markMask: 0xff00_0000,
    forwards: false,
  }
}

/** Rules one under the other, so that the line tells which is meant. */
export function numbered(rules: readonly Rule[]): ForeignInput {
  const placed = rules.map((rule, index) => ({ ...rule, span: { ...rule.span, line: index + 1 } }))
  return { algorithms: defaultAlgorithmTable, rules: placed, associations: [] }
}

export function linesOf(unsaid: readonly Unsaid[]): number[] {
  return [...new Set(unsaid.map(({ line }) => line))].sort((a, b) => a - b)
}
