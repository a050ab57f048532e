/**
 * Whether anyone but us still uses a network namespace.
 *
 * @module
 */
import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs'

const NETNS_FOLDER = '/run/netns'

/**
 * True where this process's network namespace has a name (`ip netns`), or another process is in it.
 *
 * @param exceptNamed processes of this name do not count
 */
export function isNamespaceInUse(exceptNamed: string): boolean {
  return isNamed(statSync('/proc/self/ns/net').ino) || isInhabited(exceptNamed)
}

function isNamed(inode: number): boolean {
  return attempt(() => readdirSync(NETNS_FOLDER), []).some((name) =>
    attempt(() => statSync(`${NETNS_FOLDER}/${name}`).ino === inode, false),
  )
}

function isInhabited(exceptNamed: string): boolean {
  const own = readlinkSync('/proc/self/ns/net')
  return readdirSync('/proc').some(
    (pid) =>
      /^\d+$/.test(pid) &&
      Number(pid) !== process.pid &&
      attempt(() => readlinkSync(`/proc/${pid}/ns/net`) === own, false) &&
      attempt(() => readFileSync(`/proc/${pid}/comm`, 'utf8').trim() !== exceptNamed, false),
  )
}

/** Files under /proc go away while one looks. */
function attempt<T>(look: () => T, otherwise: T): T {
  try {
    return look()
  } catch {
    return otherwise
  }
}
