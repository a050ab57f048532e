/**
 * What the service has counted, as it tells it: `NAME<tab>COUNT` lines, as in `/proc/net/xfrm_stat`.
 *
 * @module
 */

export function formatStatistics(statistics: Readonly<Record<string, number>>): Uint8Array {
  const lines = Object.entries(statistics).map(([name, count]) => `${name}\t${count}\n`)
  return new TextEncoder().encode(lines.join(''))
}

export function parseStatistics(bytes: Uint8Array | undefined): ReadonlyMap<string, number> {
  const text = new TextDecoder().decode(bytes)
  return new Map([...text.matchAll(/^(\w+)\t(\d+)$/gm)].map(([, name = '', count]) => [name, Number(count)]))
}
