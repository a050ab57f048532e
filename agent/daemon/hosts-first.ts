/**
 * In which order to ask for names: not all can be asked for at the same time, and what stands in a file is answered at once.
 * Pure.
 *
 * @module
 */

/** @param hosts text of hosts(5); only the order depends on it, for who answers is a matter of nsswitch.conf(5) */
export function hostsFirst(names: readonly string[], hosts: string): string[] {
  const known = new Set(hosts.toLowerCase().replace(/#.*/g, '').split(/\s+/))
  const isKnown = (name: string) => known.has(name.toLowerCase())
  return [...names.filter(isKnown), ...names.filter((name) => !isKnown(name))]
}
