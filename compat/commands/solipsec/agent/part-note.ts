/**
 * Which rules an agent has put into force while others await their names, noted beside the record: the agent that comes after
 * it goes on from there.
 *
 * @module
 */
import { createHash } from 'node:crypto'
import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Session } from '../../../../agent/reconcile/session.ts'
import { replaceRuntimeFile } from '../../../../agent/runtime/replace-file.ts'
import { writtenForm } from './part.ts'

/** What is in force is a part of a configuration. */
export function notePart(session: Session): void {
  replaceRuntimeFile(pathOf(session), fingerprint(session))
}

/** It is the whole. */
export function forgetPart(session: Session): void {
  rmSync(pathOf(session), { force: true })
}

/** True where what is in force was put there while names are awaited: nobody has asked for anything else since. */
export function isNotedPart(session: Session): boolean {
  try {
    return readFileSync(pathOf(session), 'utf8') === fingerprint(session)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false
    throw error
  }
}

function pathOf({ folder }: Session): string {
  return join(folder, 'agent-part')
}

function fingerprint({ state }: Session): string {
  return createHash('sha256')
    .update(writtenForm(state.rules.map(({ rule }) => rule)))
    .digest('hex')
}
