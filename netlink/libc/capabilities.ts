/**
 * What a process may do (capabilities(7)). Pure.
 *
 * @module
 */

/** linux/capability.h: those that something here needs. */
const CAPABILITIES = {
  CAP_NET_ADMIN: 12n,
  CAP_NET_RAW: 13n,
  CAP_SYS_PTRACE: 19n,
  CAP_SYS_ADMIN: 21n,
} as const
export type Capability = keyof typeof CAPABILITIES
export const capabilityNames = Object.keys(CAPABILITIES) as readonly Capability[]

/** The effective ones of a `/proc/PID/status` (proc(5)). */
export function parseCapabilities(status: string): Set<Capability> {
  const [, digits = '0'] = /^CapEff:\s*([0-9a-f]+)$/m.exec(status) ?? []
  const bits = BigInt(`0x${digits}`)
  return new Set(capabilityNames.filter((name) => ((bits >> CAPABILITIES[name]) & 1n) === 1n))
}
