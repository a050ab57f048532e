/**
 * Carries checked key commands out.
 *
 * All changes of one file or command line are one transaction. What only shows something comes after it, in order.
 *
 * @module
 */
import type { AlgorithmTable } from '../../../agent/model/algorithm.ts'
import { AssociationError } from '../../../agent/reconcile/association-checks.ts'
import type { AssociationTransaction } from '../../../agent/reconcile/association-transaction.ts'
import { ApplyError } from '../../../agent/reconcile/engine.ts'
import { Session } from '../../../agent/reconcile/session.ts'
import type { KeyCommand, KeyEntry } from '../../solaris/ipseckey/command.ts'
import { announceDataPath } from '../support/data-path-option.ts'
import { CommandError } from '../support/exit.ts'
import type { Io } from '../support/io.ts'
import type { Request } from './arguments.ts'
import { refusalText, refuseUnexpected, refuseUnsupported } from './refusals.ts'
import { saveTo, showAll, showOne } from './show.ts'

export interface Execution {
  readonly algorithms: AlgorithmTable
  readonly request: Request
  readonly io: Io
  /** All SAs of ours go first, in the same transaction. */
  readonly flushFirst: boolean
  /** Ends a monitor; that of the process where absent. */
  readonly interrupted?: AbortSignal
}

/** Runs the commands of all entries. */
export async function execute(entries: readonly KeyEntry[], execution: Execution): Promise<void> {
  const commands = entries.flatMap((entry) => entry.commands)
  for (const command of commands) {
    if (command.kind === 'help') await help(command.topic, execution)
    else if (command.kind === 'monitor') await watch(command.passive, execution)
  }
  const needsSession = ({ kind }: KeyCommand) => !['help', 'monitor', 'quit'].includes(kind)
  if (!execution.flushFirst && !commands.some(needsSession)) return
  const session = Session.open(execution.algorithms, {
    choice: execution.request.dataPath,
    needs: [
      ...new Set(
        commands.flatMap((command) => (command.kind === 'add' ? [command.association.protocol] : [])),
      ),
    ],
  })
  try {
    announceDataPath(session.dataPath, execution.io)
    change(session, entries, execution)
    for (const command of commands) {
      if (command.kind === 'get') showOne(command.target, session, execution)
      else if (command.kind === 'dump') showAll(command.protocol, session, execution)
      else if (command.kind === 'save') saveTo(command, session, execution)
    }
  } finally {
    session.close()
    wipeKeys(commands)
  }
}

/** The kernel has them now, or never will: this process needs them no more. */
function wipeKeys(commands: readonly KeyCommand[]): void {
  for (const command of commands) {
    if (command.kind !== 'add') continue
    command.association.authKey?.wipe()
    command.association.encrKey?.wipe()
  }
}

async function help(topic: string | undefined, { io }: Execution): Promise<void> {
  const { helpText } = await import('../../solaris/ipseckey/help.ts')
  io.stdout.write(helpText(topic))
}

/** Without a session: other commands go on meanwhile. */
async function watch(passive: boolean, execution: Execution): Promise<void> {
  const { monitor } = await import('./monitor.ts')
  await monitor(passive, execution)
}

function change(session: Session, entries: readonly KeyEntry[], execution: Execution): void {
  const { io, flushFirst, request } = execution
  const changing = entries.filter(({ commands }) => commands.some(isChange))
  if (changing.length === 0 && !flushFirst) return
  const transaction = session.transaction()
  if (flushFirst) transaction.flush(undefined, false)
  const owners: { readonly entry: KeyEntry; readonly lastStep: number }[] = []
  const failures: AssociationError[] = []
  for (const entry of changing) {
    try {
      for (const command of entry.commands) enter(command, transaction, execution)
    } catch (error) {
      if (!(error instanceof AssociationError)) throw error
      failures.push(error)
      complain(entry, explainAssociation(error), request, io)
    }
    owners.push({ entry, lastStep: transaction.steps.length })
  }
  if (failures.length > 0) throw new CommandError(`Nothing was changed.${waysOut(failures)}`)
  // Looking at the signal puts off what it does, which else could be an end half-way.
  if (io.interrupted.aborted) throw new CommandError('Interrupted. Nothing was changed.')
  try {
    session.commit(transaction)
  } catch (error) {
    const step = error instanceof ApplyError ? transaction.steps.indexOf(error.step) : -1
    const owner = owners.find(({ lastStep }) => step >= 0 && step < lastStep)
    if (!owner || !(error instanceof ApplyError)) throw error
    complain(owner.entry, refusalText(error.cause, session.dataPath.kind), request, io)
    throw new CommandError('Nothing was changed.')
  }
}

function isChange({ kind }: KeyCommand): boolean {
  return ['add', 'update', 'update-pair', 'delete', 'delete-pair', 'flush'].includes(kind)
}

function enter(
  command: KeyCommand,
  transaction: AssociationTransaction,
  { request: { foreignToo }, algorithms }: Execution,
): void {
  switch (command.kind) {
    case 'add':
      refuseUnsupported(command.association, algorithms)
      transaction.add(command.association)
      break
    case 'update':
    case 'update-pair':
      refuseUnexpected(transaction.get(command.target), command.expected)
      transaction.update(command.target, command.changes, command.kind === 'update-pair', foreignToo)
      break
    case 'delete':
      transaction.delete(command.target, foreignToo)
      break
    case 'delete-pair':
      transaction.deletePair(command.target, foreignToo)
      break
    case 'flush':
      transaction.flush(command.protocol, foreignToo)
  }
}

/** Of a file, the entry is shown, with its keys blanked. */
function complain({ lastLine, text }: KeyEntry, reason: string, { source }: Request, io: Io): void {
  const place =
    source.kind === 'file'
      ? `Config file entry near line ${lastLine} caused error(s) or warnings:\n${text}\n`
      : ''
  io.stderr.write(`${place}${reason}\n`)
}

const WAYS_OUT = [
  ['EEXIST', 'delete it first; a file that begins with "flush" replaces all SAs in one change'],
  ['ESRCH', 'ipseckey dump shows the SAs that are there'],
] as const

function waysOut(failures: readonly AssociationError[]): string {
  const found = WAYS_OUT.filter(([errno]) => failures.some((failure) => failure.errno === errno))
  return found.map(([, text]) => `\nhelp: ${text}`).join('')
}

function explainAssociation({ errno, message, diagnostic }: AssociationError): string {
  if (errno !== 'EINVAL') return message
  const reason = `One of the entered values is incorrect: ${message}`
  return diagnostic === undefined ? reason : `${reason}\n  Diagnostic code ${diagnostic}.`
}
