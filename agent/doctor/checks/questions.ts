/**
 * What several checks ask of the facts.
 *
 * @module
 */

import type { InterfaceFacts } from '../facts/settings.ts'
import type { TableFacts } from '../facts/tables.ts'
import type { Facts } from '../facts.ts'
import { knownValue } from '../known.ts'

/** Whether the software data path could do the kernel's work. */
export function softwareReadiness({ software, privileges }: Facts): 'ready' | 'not ready' | 'unknown' {
  const { hasNft, steering, tun } = software
  if (!hasNft || steering.outcome === 'fails' || tun.outcome === 'fails') return 'not ready'
  const isTried = steering.outcome === 'works' && tun.outcome === 'works'
  return isTried && privileges.capabilities.has('CAP_NET_RAW') ? 'ready' : 'unknown'
}

/** Policies and SAs of whoever carries the packets here. */
export function tablesInUse({ policies }: Facts): TableFacts | undefined {
  return knownValue(policies.software ? policies.software.tables : policies.kernel)
}

/** True where packets pass through tunnels, or are protected in tunnel mode. */
export function hasTunnels(facts: Facts): boolean {
  const { tunnelStates = 0 } = tablesInUse(facts) ?? {}
  return tunnelStates > 0 || interfacesOf(facts).some(({ tunnelKind }) => tunnelKind !== undefined)
}

export function interfacesOf({ interfaces }: Facts): readonly InterfaceFacts[] {
  return knownValue(interfaces) ?? []
}

/** True where some interface forwards packets. */
export function isForwarding({ settings }: Facts): boolean {
  return [...settings].some(([path, value]) => path.endsWith('/forwarding') && value !== '0')
}

/** A setting as a number; `undefined` where it is not there. */
export function numberOf({ settings }: Facts, path: string): number | undefined {
  const text = settings.get(path)
  return text === undefined ? undefined : Number(text)
}

/** The commands that give a setting another value: now, and at each start. */
export function waySetting(path: string, value: number | string): string[] {
  // A dot in the name of an interface would be taken for a slash.
  const name = path.includes('.') ? `net/${path}` : `net.${path.replaceAll('/', '.')}`
  return [
    `sysctl -w ${name}=${value}`,
    `to keep it: a line '${name} = ${value}' in /etc/sysctl.d/60-solipsec.conf`,
  ]
}
