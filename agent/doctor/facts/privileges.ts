/**
 * What this process may do, and what the kernel keeps from everybody.
 *
 * @module
 */
import { existsSync, readFileSync, statSync } from 'node:fs'
import { type Capability, parseCapabilities } from '../../../netlink/libc/capabilities.ts'
import { type Known, look } from '../known.ts'

/** linux/proc_ns.h `PROC_USER_INIT_INO` */
const FIRST_USER_NAMESPACE = 0xefff_fffd
const LOCKDOWN = '/sys/kernel/security/lockdown'

/** See kernel_lockdown(7). `absent`: this kernel has none. */
export type Lockdown = 'none' | 'integrity' | 'confidentiality' | 'absent'

export interface PrivilegeFacts {
  readonly isRoot: boolean
  readonly capabilities: ReadonlySet<Capability>
  /** In a user namespace of its own, capabilities hold for what belongs to that alone. */
  readonly isFirstUserNamespace: boolean
  readonly lockdown: Known<Lockdown>
}

export function readPrivileges(): PrivilegeFacts {
  return {
    isRoot: process.geteuid?.() === 0,
    capabilities: parseCapabilities(readFileSync('/proc/thread-self/status', 'utf8')),
    isFirstUserNamespace: statSync('/proc/self/ns/user').ino === FIRST_USER_NAMESPACE,
    lockdown: readLockdown(),
  }
}

function readLockdown(): Known<Lockdown> {
  if (existsSync(LOCKDOWN)) return look(() => parseLockdown(readFileSync(LOCKDOWN, 'utf8')))
  // Where securityfs is mounted, a kernel that has lockdown shows it.
  const mounts = look(() => readFileSync('/proc/self/mounts', 'utf8'))
  if ('unknown' in mounts) return mounts
  if (/ \/sys\/kernel\/security securityfs /.test(mounts.value)) return { value: 'absent' }
  return { unknown: `there is no ${LOCKDOWN} (securityfs is not mounted)` }
}

/** `none [integrity] confidentiality`: the one in brackets. */
export function parseLockdown(text: string): Lockdown {
  const [, word] = /\[(\w+)\]/.exec(text) ?? []
  return word === 'integrity' || word === 'confidentiality' ? word : 'none'
}
