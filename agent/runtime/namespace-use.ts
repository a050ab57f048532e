/**
 * Whether anyone but us still uses a network namespace.
 *
 * @module
 */
import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs'
import { parseCapabilities } from '../../netlink/libc/capabilities.ts'
import { helperName } from './helper.ts'

const NETNS_FOLDER = '/run/netns'
/** linux/proc_ns.h `PROC_PID_INIT_INO` */
const FIRST_PID_NAMESPACE = 0xefff_fffc

/** Programs of ours that serve others in their namespace, and so do not keep one another there. */
export const HELPERS: readonly string[] = Object.values(helperName)

/**
 * True where this process's network namespace has a name (`ip netns`), or another process is in it, or may be: in a
 * container, or without `CAP_SYS_PTRACE`, not every process shows itself.
 *
 * @param exceptNamed processes of these names do not count
 */
export function isNamespaceInUse(...exceptNamed: readonly string[]): boolean {
  return !seesAll() || isNamed(statSync('/proc/self/ns/net').ino) || isInhabited(exceptNamed)
}

function seesAll(): boolean {
  if (statSync('/proc/self/ns/pid').ino !== FIRST_PID_NAMESPACE) return false
  // Without it, processes of other users do not show their namespaces.
  return parseCapabilities(readFileSync('/proc/self/status', 'utf8')).has('CAP_SYS_PTRACE')
}

function isNamed(inode: number): boolean {
  return attempt(() => readdirSync(NETNS_FOLDER), []).some((name) =>
    attempt(() => statSync(`${NETNS_FOLDER}/${name}`).ino === inode, false),
  )
}

function isInhabited(exceptNamed: readonly string[]): boolean {
  const own = readlinkSync('/proc/self/ns/net')
  return readdirSync('/proc').some(
    (pid) =>
      /^\d+$/.test(pid) &&
      Number(pid) !== process.pid &&
      attempt(() => readlinkSync(`/proc/${pid}/ns/net`) === own, false) &&
      attempt(() => !exceptNamed.includes(readFileSync(`/proc/${pid}/comm`, 'utf8').trim()), false),
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
