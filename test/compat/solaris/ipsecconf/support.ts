/**
 * A small algorithm table and a resolver with a fixed world, for the tests of the policy language.
 *
 * @module
 */
import { formatAddress } from '../../../../agent/model/address.ts'
import type { Algorithm, AlgorithmTable, KeySizes } from '../../../../agent/model/algorithm.ts'
import type { Diagnostic } from '../../../../agent/model/diagnostic.ts'
import type { Rule } from '../../../../agent/model/policy.ts'
import type { Resolver } from '../../../../agent/model/resolver.ts'
import {
  type ParsedPolicy,
  type PolicyEnvironment,
  parsePolicy,
} from '../../../../compat/solaris/ipsecconf/index.ts'
import { address } from '../../../support/address.ts'

const list = (...sizes: number[]): KeySizes => ({ kind: 'list', sizes })
const aesKeys: KeySizes = { kind: 'range', default: 128, min: 128, max: 256, step: 64 }

function algorithm(
  protocol: number,
  number: number,
  names: string,
  keySizes: KeySizes,
  flags = 1,
): Algorithm {
  return { protocol, number, names: names.split(','), mechanism: '', keySizes, blockOrMacSizes: [16], flags }
}

export const algorithms: AlgorithmTable = {
  protocols: [
    { number: 2, name: 'PROTO_IPSEC_AH', mode: 'sync' },
    { number: 3, name: 'PROTO_IPSEC_ESP', mode: 'sync' },
  ],
  algorithms: [
    algorithm(2, 2, 'hmac-md5,md5', list(128)),
    algorithm(2, 3, 'hmac-sha1,sha,sha1,sha-1', list(160)),
    algorithm(2, 5, 'hmac-sha256,sha256,sha-256', list(256)),
    algorithm(2, 7, 'hmac-sha512,sha512', list(512)),
    algorithm(3, 2, 'des-cbc,des', list(64)),
    algorithm(3, 3, '3des-cbc,3des', list(192)),
    algorithm(3, 11, 'null', list(0)),
    algorithm(3, 12, 'aes-cbc,aes', aesKeys),
    algorithm(3, 16, 'aes-ccm,aes-ccm16', aesKeys, 15),
    algorithm(3, 20, 'aes-gcm,aes-gcm16', aesKeys, 23),
  ],
}

const HOSTS: Record<string, string[]> = {
  alpha: ['192.0.2.1'],
  beta: ['198.51.100.2'],
  local: ['192.0.2.99'],
  multi: ['192.0.2.10', '2001:db8::10', '192.0.2.11', '192.0.2.10'],
  dual: ['198.51.100.7', '2001:db8:1::7'],
  mapped: ['::ffff:192.0.2.44', '192.0.2.44'],
  six: ['2001:db8::6'],
  '3com': ['192.0.2.33'],
}
const NETWORKS: Record<string, string> = { lab: '10.20.0.0' }
const SERVICES: Record<string, number> = { ssh: 22, domain: 53, http: 80, '3com-tsmux': 106 }
const PROTOCOLS: Record<string, number> = {
  ip: 0,
  icmp: 1,
  tcp: 6,
  udp: 17,
  gre: 47,
  'ipv6-icmp': 58,
  sctp: 132,
}

const own = <V>(table: Record<string, V>, name: string): V | undefined =>
  Object.hasOwn(table, name) ? table[name] : undefined
const nameOf = (table: Record<string, number>, number: number): string | undefined =>
  Object.keys(table).find((name) => table[name] === number)

export const resolver: Resolver = {
  addresses: (name) => (own(HOSTS, name) ?? []).map(address),
  network: (name) => {
    const found = own(NETWORKS, name)
    return found === undefined ? undefined : address(found)
  },
  service: (name) => own(SERVICES, name),
  protocol: (name) => own(PROTOCOLS, name),
  hostName: (wanted) =>
    Object.keys(HOSTS).find(
      (name) => HOSTS[name]?.length === 1 && HOSTS[name]?.[0] === formatAddress(wanted),
    ),
  serviceName: (port) => nameOf(SERVICES, port),
  protocolName: (number) => nameOf(PROTOCOLS, number),
}

export const environment: PolicyEnvironment = { algorithms, resolver }

export function parse(text: string, more: Partial<PolicyEnvironment> = {}): ParsedPolicy {
  return parsePolicy(text, 'policy.conf', { ...environment, ...more })
}

/** The rules of a text that must have no errors. */
export function rulesOf(text: string): Rule[] {
  const { rules, diagnostics } = parse(text)
  const error = diagnostics.find((diagnostic) => diagnostic.severity === 'error')
  if (error) throw new Error(`${text}: ${error.message}`)
  return rules
}

/** The one rule of a text that must have no errors. */
export function ruleOf(text: string): Rule {
  const [rule, second] = rulesOf(text)
  if (!rule || second) throw new Error(`not one rule: ${text}`)
  return rule
}

export function messages(text: string, severity: Diagnostic['severity'] = 'error'): string[] {
  return parse(text)
    .diagnostics.filter((diagnostic) => diagnostic.severity === severity)
    .map((diagnostic) => diagnostic.message)
}
