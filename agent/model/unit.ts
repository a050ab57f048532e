/**
 * Names of units of systemd, and which unit a process belongs to, by the cgroup that it is in. Pure.
 *
 * Below the root lie slices in slices, then comes the unit; what is below that is the unit's own doing, which a user may
 * be free to name as he likes (`user@1000.service/postgresql.service`), and says nothing.
 *
 * @module
 */

/** systemd.unit(5), of the kinds that have processes. */
const UNIT = /^[A-Za-z0-9:_.\\@-]{1,246}\.(?:service|socket|scope|mount|swap)$/
const SLICE = /^[A-Za-z0-9:_.\\@-]{1,249}\.slice$/

/** True for what can be the unit of a process: a slice cannot, and neither can a name without its kind. */
export function isUnitName(name: string): boolean {
  return UNIT.test(name)
}

/** True for a cgroup with units in it, not of one. */
export function isSliceName(name: string): boolean {
  return SLICE.test(name)
}

/** systemd puts a `_` in front of names that would mean something else to the kernel: `_cpu.service`. */
export function unescapeCgroup(name: string): string {
  return name.startsWith('_') ? name.slice(1) : name
}

/** @param path below the root of the cgroups: `/system.slice/postgresql.service/worker` */
export function unitOfPath(path: string): string | undefined {
  const names = path.split('/').slice(1).map(unescapeCgroup)
  const first = names.find((name) => !isSliceName(name))
  return first !== undefined && isUnitName(first) ? first : undefined
}

/**
 * @param text of `/proc/PID/cgroup` (cgroups(7)): lines `HIERARCHY:CONTROLLERS:PATH`. systemd keeps its units in the one
 *   hierarchy of version 2 (`0::`), or in its own of version 1 (`name=systemd`), or in both.
 */
export function unitOfCgroups(text: string): string | undefined {
  const lines = text.split('\n')
  for (const isWanted of [/^0::(\/.*)$/, /^[0-9]+:name=systemd:(\/.*)$/]) {
    const path = lines.map((line) => isWanted.exec(line)?.[1]).find((found) => found !== undefined)
    const unit = path === undefined ? undefined : unitOfPath(path)
    if (unit !== undefined) return unit
  }
  return undefined
}
