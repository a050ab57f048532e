/**
 * The cgroups of units of systemd, in the tree of version 2: sockets know them by number.
 *
 * @module
 */
import { type Dirent, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { isSliceName, unescapeCgroup } from '../model/unit.ts'

/** Cgroups below one unit that are looked at: containers and users make some, but none so many. */
const MOST_BELOW = 4096

/** Where the tree of version 2 is mounted; `undefined` for nowhere. */
export function cgroupRoot(): string | undefined {
  return rootIn(readFileSync('/proc/self/mountinfo', 'utf8'))
}

/** @param mounts text of `/proc/PID/mountinfo` (proc(5)) */
export function rootIn(mounts: string): string | undefined {
  for (const line of mounts.split('\n')) {
    const [mount = '', source = ''] = line.split(' - ')
    if (!source.startsWith('cgroup2 ')) continue
    const [, , , root, place] = mount.split(' ')
    // Only the whole tree has units in their places.
    if (root === '/' && place !== undefined) return unescapeMount(place)
  }
  return undefined
}

function unescapeMount(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)))
}

/**
 * The cgroups of units that are there now, and all below them.
 *
 * @param units full names
 * @returns the unit by the number of the cgroup, which is the inode of its directory
 */
export function cgroupsOf(units: ReadonlySet<string>, root: string): Map<bigint, string> {
  const found = new Map<bigint, string>()
  const slices = [root]
  for (let folder = slices.pop(); folder !== undefined; folder = slices.pop()) {
    for (const name of foldersIn(folder)) {
      const unit = unescapeCgroup(name)
      if (isSliceName(unit)) slices.push(join(folder, name))
      else if (units.has(unit)) addAll(join(folder, name), unit, found)
    }
  }
  return found
}

function addAll(top: string, unit: string, found: Map<bigint, string>): void {
  const folders = [top]
  for (let count = 0; count < MOST_BELOW; count++) {
    const folder = folders.pop()
    if (folder === undefined) return
    const number = inodeOf(folder)
    if (number !== undefined) found.set(number, unit)
    for (const name of foldersIn(folder)) folders.push(join(folder, name))
  }
}

/** Units come and go: what is not there any more has nothing in it. */
function foldersIn(folder: string): string[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
      .filter(isFolder)
      .map(({ name }) => name)
  } catch {
    return []
  }
}

function isFolder(entry: Dirent): boolean {
  return entry.isDirectory()
}

function inodeOf(folder: string): bigint | undefined {
  return statSync(folder, { bigint: true, throwIfNoEntry: false })?.ino
}
