/**
 * `get`, `dump` and `save`: SAs as text.
 *
 * @module
 */
import type { AssociationStatus, SaProtocol, SaTarget } from '../../../agent/model/association.ts'
import { findAssociation } from '../../../agent/reconcile/association-checks.ts'
import type { Session } from '../../../agent/reconcile/session.ts'
import * as systemResolver from '../../../netlink/libc/names.ts'
import type { KeyCommand } from '../../solaris/ipseckey/command.ts'
import { associationJson } from '../../solaris/ipseckey/print/json.ts'
import {
  formatDumpEnd,
  formatMessage,
  type MessageHeading,
  type PrintOptions,
} from '../../solaris/ipseckey/print/message.ts'
import { formatSave } from '../../solaris/ipseckey/print/save.ts'
import { writeKeys } from '../support/secret-file.ts'
import type { Execution } from './execute.ts'

/** `get`: one SA with its counters. */
export function showOne(target: SaTarget, session: Session, execution: Execution): void {
  const { io, request, algorithms } = execution
  const found = findAssociation(session.associations('all'), target)
  io.stdout.write(
    request.json
      ? json(associationJson(found, algorithms))
      : formatMessage(heading('GET'), found, printOptions(execution)),
  )
}

/** `dump`: all SAs with their counters, those of other programs included. */
export function showAll(protocol: SaProtocol | undefined, session: Session, execution: Execution): void {
  const { io, request, algorithms } = execution
  const wanted = session.associations('all').filter((one) => !protocol || one.protocol === protocol)
  if (request.json) {
    io.stdout.write(json(wanted.map((status) => associationJson(status, algorithms))))
    return
  }
  const options = printOptions(execution)
  for (const status of wanted) io.stdout.write(`${formatMessage(heading('DUMP'), status, options)}\n`)
  io.stdout.write(formatDumpEnd(protocol ?? 'all'))
}

function json(value: unknown): string {
  return `${JSON.stringify(value, undefined, 2)}\n`
}

function heading(type: 'GET' | 'DUMP'): MessageHeading {
  return { type, sequence: 1, pid: process.pid }
}

/** Writes SAs as a key file. Those of other programs are left out: a flush would not take them away. */
export function saveTo(
  { protocol, file }: Extract<KeyCommand, { kind: 'save' }>,
  session: Session,
  { algorithms, request, io }: Execution,
): void {
  const which = request.foreignToo ? 'all' : 'ours'
  const wanted = (one: AssociationStatus) => !protocol || one.protocol === protocol
  const pieces = formatSave(session.associations(which).filter(wanted), {
    algorithms,
    paranoid: request.paranoid,
  })
  if (file === undefined || file === '-') for (const piece of pieces) io.stdout.write(piece)
  else writeKeys(file, [...pieces].join(''))
}

/** How to print, as the options on the command line say. */
export function printOptions({ algorithms, request }: Execution): PrintOptions {
  const { numeric, paranoid, verbose } = request
  const now = BigInt(Math.floor(Date.now() / 1000))
  return { algorithms, resolver: systemResolver, numeric, paranoid, verbose, now }
}
