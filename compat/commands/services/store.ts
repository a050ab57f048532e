/**
 * Properties of services on disk.
 *
 * @module
 */
import { mkdirSync, readFileSync } from 'node:fs'
import { lockFile } from '../../../netlink/libc/lock.ts'
import { replaceFile } from '../support/atomic-file.ts'
import type { Service } from './catalogue.ts'
import { environmentFile, type Places, snapshotsFile } from './places.ts'
import type { PropertySet } from './property.ts'
import { decodeSnapshots, encodeSnapshots, environmentText, NOTHING_SET, type Snapshots } from './snapshot.ts'

const MODE = 0o644
const LOCK_WAIT_MILLISECONDS = 5000

/** A file of properties that is not what svccfg wrote, or that somebody else is changing. */
export class PropertyFileError extends Error {
  override readonly name = 'PropertyFileError'
}

/**
 * What is kept of a service.
 *
 * @throws PropertyFileError, or the error of a system call
 */
export function readSnapshots(places: Places, service: Service): Snapshots {
  const path = snapshotsFile(places, service)
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return NOTHING_SET
    throw error
  }
  const snapshots = decodeSnapshots(service, text)
  if (snapshots) return snapshots
  throw new PropertyFileError(
    `${path} is damaged; remove it, and set the properties of ${service.fmri} again`,
  )
}

/** Changes what is edited. @throws as {@link readSnapshots} */
export function edit(places: Places, service: Service, change: (editing: PropertySet) => PropertySet): void {
  locked(places, () => {
    const before = readSnapshots(places, service)
    const editing = change(before.editing)
    if (editing !== before.editing) write(places, service, { ...before, editing })
  })
}

/** What was edited becomes what the service runs with from its next start or refresh on. */
export function takeOver(places: Places, service: Service): void {
  locked(places, () => {
    const { editing, running } = readSnapshots(places, service)
    if (
      service.properties.length > 0 &&
      (editing !== NOTHING_SET.editing || running !== NOTHING_SET.running)
    ) {
      // The unit's file first: should only one of the two be written, what is shown as running is what was.
      replaceFile(environmentFile(places, service), environmentText(service, editing), MODE)
    }
    if (JSON.stringify(editing) !== JSON.stringify(running))
      write(places, service, { editing, running: editing })
  })
}

function write(places: Places, service: Service, snapshots: Snapshots): void {
  replaceFile(snapshotsFile(places, service), encodeSnapshots(snapshots), MODE)
}

function locked(places: Places, work: () => void): void {
  mkdirSync(places.configuration, { recursive: true, mode: 0o755 })
  const lock = lockFile(`${places.configuration}/.lock`, LOCK_WAIT_MILLISECONDS)
  if (!lock) throw new PropertyFileError('somebody else is changing properties of services')
  try {
    work()
  } finally {
    lock.release()
  }
}
