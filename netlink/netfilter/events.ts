/**
 * What nfnetlink announces about nftables: as far as to know which table an event is about.
 *
 * @module
 */
import { littleEndian, memoryOf } from '../codec/memory.ts'
import type { ReceivedMessage } from '../socket/message.ts'

// linux/netfilter/nfnetlink.h, nf_tables.h: subsystem in the upper byte of the type
/** Group of events about tables and all that is in them. */
export const NFNLGRP_NFTABLES = 7
const NFNL_SUBSYS_NFTABLES = 10
const NFGENMSG_SIZE = 4
/** In messages about tables, chains, rules, sets, their elements and objects alike. */
const NFTA_TABLE_NAME = 1

/** The name of the table that an event is about; `undefined` where it is about none. */
export function nftTableOf({ type, payload }: ReceivedMessage): string | undefined {
  if (type >> 8 !== NFNL_SUBSYS_NFTABLES) return undefined
  const { view } = memoryOf(payload)
  for (let at = NFGENMSG_SIZE; at + 4 <= payload.length; ) {
    const length = view.getUint16(at, littleEndian)
    if (length < 4 || at + length > payload.length) return undefined
    if ((view.getUint16(at + 2, littleEndian) & 0x3fff) === NFTA_TABLE_NAME) {
      return new TextDecoder().decode(payload.subarray(at + 4, at + length - 1))
    }
    at += (length + 3) & ~3
  }
  return undefined
}
