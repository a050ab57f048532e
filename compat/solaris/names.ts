/**
 * Names of services and protocols as a file from Solaris means them. The system's own databases answer; where
 * they give another number than the ones that come with Solaris, the name is refused, as a rule would be about
 * other packets without a word; where they know nothing, Solaris's number holds.
 *
 * Sources: services(5) and protocols(5) as delivered with Solaris, against those of Linux distributions.
 *
 * @module
 */
import type { Resolver } from '../../agent/model/resolver.ts'

/** What a name stands for: one number, or a different one on each system. */
export type NamedNumber =
  | { readonly number: number }
  | { readonly onSolaris: number; readonly onThisSystem: number }

/** Services that Linux distributions lack, or have with another port. */
const SOLARIS_SERVICES: ReadonlyMap<string, number> = new Map([
  ['kdc', 88],
  ['rpcbind', 111],
  ['usenet', 119],
  ['snmpd', 161],
  ['slp', 427],
  ['ike', 500],
  ['ripng', 521],
  ['dhcpv6c', 546],
  ['dhcpv6s', 547],
  ['sun-dr', 665],
  ['iscsi', 860],
  ['nfsd', 2049],
  ['lockd', 4045],
  ['dtspc', 6112],
  ['servicetag', 6481],
  ['solaris-audit', 16162],
])

/** Protocols that Linux distributions lack, or have with another number. */
const SOLARIS_PROTOCOLS: ReadonlyMap<string, number> = new Map([
  ['ipip', 4],
  ['IP-IP', 4],
  ['idpr', 35],
  ['sdrp', 42],
  ['ESP', 50],
  ['AH', 51],
  ['mobile', 55],
])

/** The port of a service; `undefined` where neither system has it. */
export function serviceNamed(name: string, resolver: Resolver): NamedNumber | undefined {
  return compare(resolver.service(name), SOLARIS_SERVICES.get(name))
}

/** The number of an IP protocol; `undefined` where neither system has it. */
export function protocolNamed(name: string, resolver: Resolver): NamedNumber | undefined {
  return compare(resolver.protocol(name), SOLARIS_PROTOCOLS.get(name))
}

function compare(onThisSystem: number | undefined, onSolaris: number | undefined): NamedNumber | undefined {
  if (onThisSystem === undefined) return onSolaris === undefined ? undefined : { number: onSolaris }
  if (onSolaris === undefined || onSolaris === onThisSystem) return { number: onThisSystem }
  return { onSolaris, onThisSystem }
}

/** The name of a port that reads back as that port; `undefined` where there is none. */
export function serviceName(
  port: number,
  protocol: number | undefined,
  resolver: Resolver,
): string | undefined {
  return unambiguous(resolver.serviceName(port, protocol), port, SOLARIS_SERVICES)
}

/** The name of an IP protocol that reads back as that protocol; `undefined` where there is none. */
export function protocolName(number: number, resolver: Resolver): string | undefined {
  return unambiguous(resolver.protocolName(number), number, SOLARIS_PROTOCOLS)
}

function unambiguous(
  name: string | undefined,
  number: number,
  onSolaris: ReadonlyMap<string, number>,
): string | undefined {
  return name !== undefined && (onSolaris.get(name) ?? number) === number ? name : undefined
}

/** The way out for a name that is refused. */
export function describeClash(
  name: string,
  { onSolaris, onThisSystem }: Extract<NamedNumber, { onSolaris: number }>,
): { readonly expected: string; readonly hint: string } {
  return {
    expected: `${onSolaris} or ${onThisSystem}`,
    hint: `${name} is ${onSolaris} on Solaris and ${onThisSystem} on this system: write the number that is meant.`,
  }
}
