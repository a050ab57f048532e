/**
 * A small world for documents: names, files and credentials that tests choose.
 *
 * @module
 */
import { parseAddress } from '../../../agent/model/address.ts'
import type { SecurityAssociation } from '../../../agent/model/association.ts'
import { defaultAlgorithmTable } from '../../../agent/model/default-algorithms.ts'
import type { Rule } from '../../../agent/model/policy.ts'
import type { Resolver } from '../../../agent/model/resolver.ts'
import { Secret } from '../../../agent/model/secret.ts'
import type { FileText } from '../../../compat/configuration/environment.ts'
import {
  type ConfigurationEnvironment,
  type ReadConfiguration,
  readConfiguration,
} from '../../../compat/configuration/index.ts'

const SERVICES: Readonly<Record<string, number>> = { ssh: 22, domain: 53, telnet: 23, http: 80, https: 443 }
const PROTOCOLS: Readonly<Record<string, number>> = { icmp: 1, tcp: 6, udp: 17, 'ipv6-icmp': 58, sctp: 132 }
const HOST = parseAddress('192.0.2.77')

/** Every name that begins with a letter is the host 192.0.2.77. */
export const resolver: Resolver = {
  addresses: (name) => (HOST && /^[a-z]/.test(name) && !name.startsWith('nowhere') ? [HOST] : []),
  network: () => undefined,
  service: (name) => (Object.hasOwn(SERVICES, name) ? SERVICES[name] : undefined),
  protocol: (name) => (Object.hasOwn(PROTOCOLS, name) ? PROTOCOLS[name] : undefined),
  hostName: () => undefined,
  serviceName: () => undefined,
  protocolName: () => undefined,
}

export interface World {
  readonly files?: Readonly<Record<string, FileText>>
  readonly credentials?: Readonly<Record<string, FileText>>
  readonly isExposed?: boolean
}

export function environmentWith({
  files = {},
  credentials = {},
  isExposed = false,
}: World = {}): ConfigurationEnvironment {
  const missing = { problem: 'It is not there' }
  return {
    algorithms: defaultAlgorithmTable,
    resolver,
    files: {
      isExposed,
      read: (path) => (Object.hasOwn(files, path) ? (files[path] ?? missing) : missing),
      credential: (name) => (Object.hasOwn(credentials, name) ? (credentials[name] ?? missing) : missing),
    },
  }
}

export const environment = environmentWith()

export function read(document: unknown, world?: World): ReadConfiguration {
  const text = typeof document === 'string' ? document : JSON.stringify(document, undefined, 2)
  return readConfiguration(text, 'solipsec.json', environmentWith(world))
}

/** `error /policies/0/local: message`, one for each diagnostic. */
export function said({ diagnostics }: ReadConfiguration): string[] {
  return diagnostics.map(({ severity, pointer, message }) => `${severity} ${pointer ?? ''}: ${message}`)
}

/** What rules mean, without where they were written. */
export function meaning(rules: readonly Rule[] | undefined): unknown[] {
  return (rules ?? []).map(({ text: _, file: __, span: ___, ...rule }) => rule)
}

/** SAs as plain values that can be compared, keys included. */
export function contents(associations: readonly SecurityAssociation[] | undefined): unknown[] {
  return (associations ?? []).map((association) =>
    Object.fromEntries(
      Object.entries(association).map(([name, value]) => [
        name,
        value instanceof Secret ? `${Buffer.from(value.reveal()).toString('hex')}/${value.bits}` : value,
      ]),
    ),
  )
}

/** Digits that stand nowhere else. */
export const KEY_128 = '9f3c71d8e25ba4069f4c72d9e35cb517'
export const KEY_256 = 'b7e1d95c3a80f624b8e2da5d4b91f735c9f3eb6e5ca2f846daf4fc7f6db3f957'
