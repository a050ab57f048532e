/**
 * The process that holds UDP sockets for ESP (see `encap-socket.ts`), inherited as descriptors 3, 4, …. It does
 * nothing but wait for its end: when the last SA is gone that receives on its ports, or when nobody uses the network
 * namespace any more, which its sockets would otherwise keep in being.
 *
 * Arguments: the path of the lock under which SAs are changed, then `family:port` for each descriptor.
 *
 * @module
 */
import { closeSync } from 'node:fs'
import { type FileLock, lockFile } from '../../../netlink/libc/lock.ts'
import { XfrmConnection } from '../../../netlink/xfrm/connection.ts'
import { encapType, family, group, proto } from '../../../netlink/xfrm/constants.ts'
import { wipeKeys } from '../../../netlink/xfrm/keys.ts'
import type { XfrmMessage } from '../../../netlink/xfrm/messages.ts'
import { helperName } from '../../runtime/helper.ts'
import { HELPERS, isNamespaceInUse } from '../../runtime/namespace-use.ts'

/** Changes often come in swarms; one look at the SAs is enough for all of them. */
const SETTLE_MS = 500
const NAMESPACE_CHECK_MS = 10_000
const FIRST_DESCRIPTOR = 3

function main(lockPath: string, held: readonly string[]): void {
  process.title = `${helperName.encap} ${held.join(' ')}`
  const connection = XfrmConnection.open()
  const look = () => {
    const lock = tryLock(lockPath)
    if (lock === 'busy') return lookLater()
    if (!isNeeded(connection, held)) end(held.length)
    lock?.release()
  }
  const lookLater = afterwards(look, SETTLE_MS)
  const event = (message: XfrmMessage) => {
    wipeKeys(message)
    lookLater()
  }
  connection.subscribe([group.SA, group.EXPIRE], { event, overrun: lookLater })
  setInterval(() => {
    if (!isNamespaceInUse(...HELPERS)) end(held.length)
  }, NAMESPACE_CHECK_MS)
  lookLater()
}

/** A function that has `work` done once, some time after the first of many calls. */
function afterwards(work: () => void, milliseconds: number): () => void {
  let waiting = false
  return () => {
    if (waiting) return
    waiting = true
    setTimeout(() => {
      waiting = false
      work()
    }, milliseconds)
  }
}

/** Between the look and the end nobody may add an SA and find the port taken. */
function tryLock(path: string): FileLock | 'busy' | undefined {
  try {
    return lockFile(path) ?? 'busy'
  } catch {
    // The runtime folder has been removed; then there is no other command either that takes care.
    return undefined
  }
}

function isNeeded(connection: XfrmConnection, held: readonly string[]): boolean {
  const states = connection.states({ proto: proto.ESP })
  for (const state of states) wipeKeys(state)
  return states.some((state) => held.includes(receivingPort(state)))
}

function receivingPort({ body, attributes: { encap } }: XfrmMessage<'NEWSA'>): string {
  if (encap?.encap_type !== encapType.ESPINUDP) return ''
  return `${body.family === family.INET ? 'inet' : 'inet6'}:${encap.encap_dport}`
}

function end(sockets: number): never {
  for (let i = 0; i < sockets; i++) closeSync(FIRST_DESCRIPTOR + i)
  process.exit(0)
}

const [lockPath = '', ...held] = process.argv.slice(2)
main(lockPath, held)
