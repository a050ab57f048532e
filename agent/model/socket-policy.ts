/**
 * Policies for the sockets of single services, as `IP_SEC_OPT` sets them on Solaris.
 *
 * @module
 */
import type { Action } from './policy.ts'

export interface SocketPolicy {
  /** Unit of systemd whose sockets are meant. */
  readonly service: string
  readonly action: Exclude<Action, { kind: 'drop' }>
  /** Protect in tunnel mode between the same addresses. */
  readonly selfEncapsulation: boolean
}
