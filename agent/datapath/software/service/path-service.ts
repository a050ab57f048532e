/**
 * The program that is the software data path of the network namespace that it is started in.
 *
 * Argument: the namespace's state folder. It ends by itself when there are no policies and no SAs any more, or when
 * nobody uses the namespace.
 *
 * @module
 */
import { rmSync, writeFileSync } from 'node:fs'
import { forbidDumps } from '../../../../netlink/libc/dump.ts'
import { lockFile } from '../../../../netlink/libc/lock.ts'
import { helperName } from '../../../runtime/helper.ts'
import { HELPERS, isNamespaceInUse } from '../../../runtime/namespace-use.ts'
import { openIvEpochs } from './iv-epoch-file.ts'
import { servicePlace } from './place.ts'
import { removeSteering, Service } from './service.ts'

const NAMESPACE_CHECK_MS = 10_000

function main(folder: string): void {
  process.title = helperName.path
  // There are keys in its memory: no core dumps, and no debugger, which this signal would open to every local user.
  forbidDumps()
  process.on('SIGUSR1', () => {})
  const place = servicePlace(folder)
  const lock = lockFile(place.lock)
  // Another one is there already, or just beginning.
  if (!lock) process.exit(0)
  writeFileSync(place.lock, `${process.pid}\n`)
  rmSync(place.log, { force: true })
  const fail = (error: unknown): never => {
    writeFileSync(place.log, `${describe(error)}\n`, { mode: 0o600 })
    process.exit(1)
  }
  process.on('uncaughtException', fail)
  try {
    run(place, fail)
  } catch (error) {
    fail(error)
  }
}

function run(place: ReturnType<typeof servicePlace>, fail: (error: unknown) => never): void {
  const end = () => {
    try {
      removeSteering()
      service.close()
      rmSync(place.journal, { force: true })
      process.exit(0)
    } catch (error) {
      fail(error)
    }
  }
  const service = new Service({
    socketPath: place.socket,
    journalPath: place.journal,
    epochs: openIvEpochs(),
    onIdle: end,
  })
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      service.close()
      process.exit(0)
    })
  }
  setInterval(() => {
    if (!isNamespaceInUse(...HELPERS)) end()
  }, NAMESPACE_CHECK_MS)
}

/** Names and places only: a message may hold anything. */
function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : 'unknown error'
}

main(process.argv[2] ?? '')
