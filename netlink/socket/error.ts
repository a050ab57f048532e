/**
 * The one error of everything that speaks netlink.
 *
 * @module
 */
import { errnoName, errnoText } from '../libc/errno.ts'

/** What {@link NetlinkError} is made from. Texts must not contain payload bytes: they may be keys. */
export interface NetlinkFault {
  /** What was being done: a message name (`XFRM_MSG_NEWPOLICY`) or a word (`receive`). */
  readonly operation: string
  /** Positive error number of the system. */
  readonly errno?: number
  /** Stable code; made from the errno's name where none is given. */
  readonly code?: string
  /** Where no errno says it: what is wrong. */
  readonly detail?: string
  /** The kernel's own words, from the extended ACK. */
  readonly extack?: string
  /** Byte offset of the offending part, from the start of the message's header. */
  readonly offset?: number
  /** Name of the struct field or attribute at that offset. */
  readonly field?: string
  /** Type of a required attribute that the request lacked. */
  readonly missingType?: number
  /** Offset of the nest that should have held it; absent for the top level. */
  readonly missingNest?: number
  readonly missingName?: string
  readonly sequence?: number
  /** Position in a batch. */
  readonly index?: number
  /** What a person can do about it. */
  readonly hint?: string
}

/** A netlink call that failed, in the kernel or on the way there. `code` is stable, the message is not. */
export class NetlinkError extends Error {
  override readonly name = 'NetlinkError'
  readonly code: string
  readonly operation: string
  readonly errno: number | undefined
  readonly errnoName: string | undefined
  readonly extack: string | undefined
  readonly offset: number | undefined
  readonly field: string | undefined
  readonly missingType: number | undefined
  readonly missingNest: number | undefined
  readonly sequence: number | undefined
  readonly index: number | undefined
  readonly hint: string | undefined

  constructor(fault: NetlinkFault) {
    super(describe(fault))
    this.operation = fault.operation
    this.errno = fault.errno
    this.errnoName = fault.errno === undefined ? undefined : errnoName(fault.errno)
    this.code = fault.code ?? `ERR_NETLINK_${this.errnoName?.replace(/\W+/g, '_').toUpperCase() ?? 'UNKNOWN'}`
    this.extack = fault.extack
    this.offset = fault.offset
    this.field = fault.field
    this.missingType = fault.missingType
    this.missingNest = fault.missingNest
    this.sequence = fault.sequence
    this.index = fault.index
    this.hint = fault.hint
  }
}

function describe(fault: NetlinkFault): string {
  const cause = fault.errno === undefined ? [] : [`${errnoName(fault.errno)} (${errnoText(fault.errno)})`]
  if (fault.detail !== undefined) cause.push(fault.detail)
  if (fault.extack !== undefined) cause.push(fault.extack)
  const at = fault.field ?? (fault.offset === undefined ? undefined : `offset ${fault.offset}`)
  if (at !== undefined) cause.push(`at ${at}`)
  if (fault.missingType !== undefined) {
    cause.push(`missing attribute ${fault.missingName ?? fault.missingType}`)
  }
  const position = fault.index === undefined ? '' : ` [${fault.index}]`
  return `${fault.operation}${position}: ${cause.join(': ')}`
}
