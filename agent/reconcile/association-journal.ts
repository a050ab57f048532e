/**
 * How changes of SAs are taken back, also by another process than the one that began them: the messages that undo
 * them, written down before the kernel hears of the change. They may hold keys, so the file is for root alone, on a
 * tmpfs, and gone as soon as the change is complete.
 *
 * @module
 */

import { parseMessages } from '../../netlink/socket/message.ts'
import type { XfrmConnection } from '../../netlink/xfrm/connection.ts'
import { decodeMessage, type XfrmMessage } from '../../netlink/xfrm/messages.ts'
import type { UsersaId } from '../../netlink/xfrm/structs.ts'
import { formatXfrm, joinAndWipe } from '../../netlink/xfrm/whole-messages.ts'
import { isOurState } from './ownership.ts'
import type { Step } from './steps.ts'

/** What takes the SA changes among these steps back, the last one first. */
export function undoMessages(steps: readonly Step[]): XfrmMessage[] {
  return steps.flatMap((step) => (step.kind === 'message' && step.undo ? [step.undo] : [])).reverse()
}

/** Whole netlink messages, one behind the other. Bytes and not text, so that the caller can wipe what keys there are. */
export function encodeJournal(messages: readonly XfrmMessage[]): Uint8Array {
  return joinAndWipe(messages.map((message) => formatXfrm(message)))
}

/**
 * Reads a journal back. The messages have bytes of their own.
 *
 * @throws NetlinkError, DecodeError where it is damaged: half a way back is none
 */
export function decodeJournal(journal: Uint8Array): XfrmMessage[] {
  return Array.from(parseMessages(journal), ({ type, payload }) => decodeMessage(type, payload))
}

/**
 * Sends those of the messages that still have something to take back: an SA is removed only while it is there and
 * ours, and added only while it is not.
 *
 * @returns false where the kernel refused one
 */
export function takeBack(connection: XfrmConnection, messages: readonly XfrmMessage[]): boolean {
  const present = new Map<string, boolean>()
  for (const { body } of connection.states())
    present.set(idKey({ ...body.id, family: body.family }), isOurState(body.reqid))
  const apt = messages.filter((message) => {
    const key = keyOf(message)
    const ours = present.get(key)
    if (message.name === 'NEWSA') {
      if (ours !== undefined) return false
      present.set(key, true)
      return true
    }
    if (message.name !== 'DELSA') return ours !== undefined
    if (ours) present.delete(key)
    return ours === true
  })
  return connection.batch(apt).failures.length === 0
}

function keyOf(message: XfrmMessage): string {
  switch (message.name) {
    case 'NEWSA':
    case 'UPDSA':
      return idKey({ ...message.body.id, family: message.body.family })
    case 'DELSA':
      return idKey(message.body)
    case 'NEWAE':
      return idKey(message.body.sa_id)
    default:
      throw new TypeError(`${message.name} is no change of an SA`)
  }
}

function idKey({ daddr, spi, proto, family }: UsersaId): string {
  return `${proto} ${family} ${spi} ${Buffer.from(daddr).toString('latin1')}`
}
