/**
 * Errors of the layers below, in words for the user of a command.
 *
 * @module
 */

import { DataPathConflictError } from '../../../agent/datapath/data-path.ts'
import { ServiceStartError } from '../../../agent/datapath/software/service/client.ts'
import { AssociationError } from '../../../agent/reconcile/association-checks.ts'
import { HiddenKeysError } from '../../../agent/reconcile/classify.ts'
import { ApplyError } from '../../../agent/reconcile/engine.ts'
import { ConflictError } from '../../../agent/reconcile/joint-plan.ts'
import { NetfilterError } from '../../../agent/reconcile/netfilter.ts'
import { LockedError, UntrustedFolderError } from '../../../agent/reconcile/store.ts'
import { SettingError } from '../../../agent/reconcile/system-settings.ts'
import { RestoreError } from '../../../agent/reconcile/take-back.ts'
import { TunnelError } from '../../../agent/reconcile/tunnel-steps.ts'
import { MarkCapacityError } from '../../../agent/translate/policy-set.ts'
import { TunnelRuleError } from '../../../agent/translate/tunnels.ts'
import { NamespaceError } from '../../../netlink/libc/netns.ts'
import { NetlinkError } from '../../../netlink/socket/error.ts'
import { CommandError } from './exit.ts'
import { describeConflict } from './policy-text.ts'
import { systemText } from './system-text.ts'

/** @returns `undefined` for errors that are no user's business: they are bugs */
export function explain(error: unknown): CommandError | undefined {
  if (error instanceof ApplyError) {
    return new CommandError(`Kernel returned: ${withHint(error.cause)}\nNothing was changed.`)
  }
  if (error instanceof RestoreError) {
    const reasons = [error.cause, error.why].map((one) => explain(one)?.message ?? String(one))
    return new CommandError(
      `${reasons[0]}\nTaking the change back failed, too (${reasons[1]}); the next command tries that again.`,
    )
  }
  if (error instanceof TunnelRuleError) {
    const { file, span } = error.rule
    return new CommandError(`${file}:${span.line}: ${error.message}\nhelp: ${error.hint}`)
  }
  if (error instanceof TunnelError) return new CommandError(tunnelErrorText(error))
  if (error instanceof AssociationError) return new CommandError(error.message)
  if (error instanceof NetlinkError) {
    if (error.errnoName === 'EPERM') {
      return new CommandError('Insufficient privileges: CAP_NET_ADMIN is needed (run as root).', 'permission')
    }
    return new CommandError(withHint(error))
  }
  if (error instanceof ConflictError)
    return new CommandError(`${describeConflict(error.conflicts)} Nothing was changed.`)
  if (
    error instanceof NamespaceError ||
    error instanceof DataPathConflictError ||
    error instanceof ServiceStartError ||
    error instanceof LockedError
  )
    return new CommandError(error.message)
  if (error instanceof UntrustedFolderError) {
    const wayOut = '\nhelp: run as root; where an agent runs, members of the group solipsec may look without'
    return new CommandError(`${error.message}${process.geteuid?.() === 0 ? '' : wayOut}`)
  }
  if (error instanceof MarkCapacityError) {
    return new CommandError(
      `${error.message}\nhelp: let it have more of them, for example --mark-mask 0xffff0000, or join rules`,
    )
  }
  if (error instanceof HiddenKeysError || error instanceof NetfilterError || error instanceof SettingError) {
    return new CommandError(error.message)
  }
  if (isPermission(error)) {
    const wayOut = process.geteuid?.() === 0 ? '' : ' (run as root)'
    return new CommandError(`Insufficient privilege: ${systemText(error)}${wayOut}`, 'permission')
  }
  return isSystemError(error) ? new CommandError(systemText(error)) : undefined
}

/** What the kernel refused about a tunnel interface, and the way out. */
export function tunnelErrorText({ message, hint }: TunnelError): string {
  return hint === undefined ? message : `${message}\nhelp: ${hint}`
}

function withHint({ message, hint }: NetlinkError): string {
  return hint === undefined ? message : `${message}\nhelp: ${hint}`
}

/** The system refused something: a full disk, a folder where a file should be. Its words name the path. */
function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  const { code, syscall } = error instanceof Error ? (error as NodeJS.ErrnoException) : {}
  return syscall !== undefined && code !== undefined && /^E[A-Z0-9]+$/.test(code)
}

function isPermission(error: unknown): error is NodeJS.ErrnoException {
  const code = error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined
  return code === 'EACCES' || code === 'EPERM'
}
