/**
 * Folders of state and of keys: whether they are as safe as they have to be.
 *
 * @module
 */

import { counted } from '../../model/counted.ts'
import type { FolderState, Purpose } from '../facts/files.ts'
import type { Facts } from '../facts.ts'
import { type Finding, findingsOf, unknownFinding } from '../finding.ts'

const finding = findingsOf('files')

const OTHERS_WRITE = 0o022
const OTHERS = 0o077

const ABSENT: Readonly<Record<Purpose, string>> = {
  run: 'It is not there: the first command that loads something makes it.',
  state: 'It is not there: the software data path makes it when it needs it.',
  secret: 'It is not there.',
}

export function checkFolders({ folders }: Facts): Finding[] {
  return folders.flatMap(({ path, purpose, found }) => {
    if ('unknown' in found) return [unknownFinding('files', purpose, path, found.unknown)]
    return found.value
      ? checkFolder(path, purpose, found.value)
      : [finding(purpose, path, 'ok', ABSENT[purpose])]
  })
}

function checkFolder(path: string, purpose: Purpose, folder: FolderState): Finding[] {
  const { isFolder, uid, mode, isInMemory, readable } = folder
  const findings: Finding[] = []
  const say = (state: 'warning' | 'problem', meaning: string, ...way: string[]) =>
    findings.push(finding(purpose, path, state, meaning, ...way))
  if (!isFolder) {
    say('problem', 'It is no folder: commands refuse to use it.', `rm ${path}`)
    return findings
  }
  if (uid !== 0)
    say('problem', `It belongs to user ${uid}, who can replace what is in it.`, `chown root: ${path}`)
  if ((mode & OTHERS_WRITE) !== 0) {
    say(
      'problem',
      `Others than root can write to it (${octal(mode)}), and so change what is loaded.`,
      `chmod go-w ${path}`,
    )
  }
  if (purpose === 'run' && !isInMemory) {
    const meaning =
      'It is on a disk: what it says of the kernel outlives a reboot, and keys of a change that failed stay on the disk.'
    say('warning', meaning, `mount a tmpfs there, or let SOLIPSEC_RUN_DIR name a folder on one`)
  }
  if (purpose === 'secret' && (mode & OTHERS & ~OTHERS_WRITE) !== 0) {
    say('warning', `Others than root can look into it (${octal(mode)}).`, `chmod 700 ${path}`)
  }
  if (readable.length > 0) {
    const meaning = `${counted(readable.length, 'file')} of it can be read by others than the owner: ${readable.join(', ')}.`
    say(
      'warning',
      meaning,
      `chmod 600 ${readable.join(' ')}`,
      'if somebody else may have read them: make new keys',
    )
  }
  if (findings.length === 0) findings.push(finding(purpose, path, 'ok', 'It is as it should be.'))
  return findings
}

function octal(mode: number): string {
  return `mode ${mode.toString(8)}`
}
