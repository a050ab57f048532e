/**
 * What is wrong with a configuration, in words for the agent's log and status.
 *
 * @module
 */
import type { Diagnostic } from '../../../../agent/model/diagnostic.ts'
import { ConflictError } from '../../../../agent/reconcile/joint-plan.ts'
import { CommandError } from '../../support/exit.ts'
import { explain } from '../../support/explain.ts'
import { describeConflict } from '../../support/policy-text.ts'
import { FileErrors } from '../change/configuration.ts'
import { AwaitedNamesError } from './part.ts'

/** Errors of a file that are told in one breath. */
const MOST_ERRORS = 8

/** An error in words for people; of one that nobody expected, only what kind it is. */
export function describeError(error: unknown): string {
  if (error instanceof AwaitedNamesError) return awaitedNames(error)
  if (error instanceof FileErrors) return [`${error.message}.`, ...lines(error.diagnostics)].join(' ')
  // All but these is in force, or nothing has changed: the agent says which.
  if (error instanceof ConflictError) return describeConflict(error.conflicts)
  if (error instanceof CommandError) return error.message
  return explain(error)?.message ?? `internal error: ${error instanceof Error ? error.name : typeof error}`
}

/** Where nothing else was in force, it also says what is not protected. */
function awaitedNames({ names, diagnostics, settings, tunnel }: AwaitedNamesError): string {
  const some = names.slice(0, MOST_ERRORS).join(', ')
  const more = names.length > MOST_ERRORS ? ` and ${names.length - MOST_ERRORS} more` : ''
  const isNot = settings
    ? [
        'Rules and SAs that name them are not in force: packets of these hosts are dealt with as other rules say, and pass in clear where none does.',
      ]
    : []
  return [
    `No address is known for ${some}${more}.`,
    ...isNot,
    ...lines(diagnostics),
    ...(tunnel === undefined ? [] : [describeError(tunnel)]),
  ].join(' ')
}

function lines(diagnostics: readonly Diagnostic[]): string[] {
  return diagnostics.slice(0, MOST_ERRORS).map(inALine)
}

/** `FILE:2:1: What is wrong`, as far as it may be told: there are no keys in it. */
export function inALine({ file, span: { line, column }, message }: Diagnostic): string {
  return `${file}:${line}:${column}: ${message}${/[.!?]$/.test(message) ? '' : '.'}`
}
