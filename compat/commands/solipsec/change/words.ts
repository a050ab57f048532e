/**
 * SAs and rules as lines and as plain data, without keys.
 *
 * @module
 */

import { formatEnd } from '../../../../agent/latch/connections.ts'
import type { ConcernedConnection } from '../../../../agent/latch/pins.ts'
import { formatAddress, formatPrefix } from '../../../../agent/model/address.ts'
import {
  type AlgorithmTable,
  algorithmByNumber,
  PROTOCOL_AH,
  PROTOCOL_ESP,
} from '../../../../agent/model/algorithm.ts'
import type { SecurityAssociation } from '../../../../agent/model/association.ts'
import type { Rule } from '../../../../agent/model/policy.ts'
import type { Secret } from '../../../../agent/model/secret.ts'
import type { TunableChange } from '../../../../agent/model/tunables.ts'
import { ruleLine } from '../../../../agent/reconcile/rule-plan.ts'

type Json = Readonly<Record<string, unknown>>

/** `esp 0x1001 192.0.2.1 -> 192.0.2.2 aes(256) sha256`. */
export function associationLine(sa: SecurityAssociation, algorithms: AlgorithmTable): string {
  const { protocol, spi, source, destination, inner, direction } = sa
  const words = [protocol, `0x${spi.toString(16)}`, formatAddress(source), '->', formatAddress(destination)]
  if (inner) words.push('inside', formatPrefix(inner.source), '->', formatPrefix(inner.destination))
  if (direction) words.push(direction === 'in' ? 'inbound' : 'outbound')
  for (const { name, number, keyBits } of algorithmsOf(sa, algorithms)) {
    words.push(`${name ?? number}${keyBits ? `(${keyBits})` : ''}`)
  }
  return words.join(' ')
}

interface NamedAlgorithm {
  readonly member: 'encryption' | 'authentication'
  readonly number: number
  readonly name?: string
  readonly keyBits?: number
}

function algorithmsOf(sa: SecurityAssociation, table: AlgorithmTable): NamedAlgorithm[] {
  const make = (
    member: NamedAlgorithm['member'],
    protocol: number,
    number: number,
    key: Secret | undefined,
    salt: number,
  ): NamedAlgorithm[] => {
    if (number === 0) return []
    const name = algorithmByNumber(table, protocol, number)?.names[0]
    const keyBits = key && key.bits - salt
    return [{ member, number, ...(name !== undefined && { name }), ...(keyBits && { keyBits }) }]
  }
  return [
    ...make('encryption', PROTOCOL_ESP, sa.encrAlgorithm, sa.encrKey, sa.saltBits),
    ...make('authentication', PROTOCOL_AH, sa.authAlgorithm, sa.authKey, 0),
  ]
}

/** What an SA is known by, and what it does. */
export function associationJson(sa: SecurityAssociation, algorithms: AlgorithmTable): Json {
  const named = algorithmsOf(sa, algorithms).map(({ member, ...rest }) => [member, rest] as const)
  return {
    protocol: sa.protocol,
    spi: sa.spi,
    source: formatAddress(sa.source),
    destination: formatAddress(sa.destination),
    mode: sa.inner ? 'tunnel' : 'transport',
    ...Object.fromEntries(named),
  }
}

/** `icmp_accept_clear_messages 1 => 0`. */
export function tunableText({ tunable, from, to }: TunableChange): string {
  return `${tunable.name} ${from} => ${to}`
}

/** A tunable by its name in ndd(8), and its values. */
export function tunableJson({ tunable: { module, name }, from, to }: TunableChange): Json {
  return { module, name, from, to }
}

/** As a document has it. */
export function latchJson({ from, to }: { readonly from: boolean; readonly to: boolean }): Json {
  const word = (isOn: boolean) => (isOn ? 'on' : 'off')
  return { from: word(from), to: word(to) }
}

/** @param isLatched it keeps the policy that it began under */
export function connectionJson({ connection }: ConcernedConnection, isLatched: boolean): Json {
  const { protocol, local, remote, localPort, remotePort } = connection
  return {
    protocol: protocol === 6 ? 'tcp' : 'udp',
    local: formatEnd(local, localPort),
    remote: formatEnd(remote, remotePort),
    latched: isLatched,
  }
}

/** A rule and where it was written. */
export function ruleJson(rule: Rule): Json {
  return { text: ruleLine(rule), file: rule.file, line: rule.span.line }
}

/** A rule for people: text, and where it was written. */
export function ruleText(rule: Rule): string {
  return `${ruleLine(rule)}  # ${rule.file}:${rule.span.line}`
}
