/**
 * Policies of sockets as the kernel takes them: `IP_XFRM_POLICY` and `IPV6_XFRM_POLICY`, one call for each direction.
 *
 * @module
 */
import { memoryOf } from '../../netlink/codec/memory.ts'
import { SystemError } from '../../netlink/libc/errno.ts'
import { clearSockOpt, setSockOpt, setSockOptInt } from '../../netlink/libc/socket.ts'
import {
  IP_XFRM_POLICY,
  IPPROTO_IP,
  IPPROTO_IPV6,
  IPV6_V6ONLY,
  IPV6_XFRM_POLICY,
} from '../../netlink/libc/socket-options.ts'
import { dir } from '../../netlink/xfrm/constants.ts'
import { defaultPolicy } from '../../netlink/xfrm/defaults.ts'
import { user_tmpl, userpolicy_info } from '../../netlink/xfrm/structs.ts'
import type { Family } from '../model/address.ts'
import { type Reqids, templatesOf } from '../translate/combinations.ts'
import type { TunnelEndpoints } from '../translate/requirements.ts'
import { familyNumber } from '../translate/selectors.ts'
import type { InspectedSocket } from './inspect.ts'
import { SocketError } from './socket-error.ts'

/** What a socket's policies say. Without reqids its packets pass in clear. */
export interface SocketTerms {
  /** Of the packets. */
  readonly family: Family
  readonly reqids: Reqids
  readonly tunnel?: TunnelEndpoints
}

type Direction = typeof dir.IN | typeof dir.OUT

/** The option's value for one direction. */
export function socketPolicyBytes(direction: Direction, { family, reqids, tunnel }: SocketTerms): Uint8Array {
  const { local, remote } = tunnel ?? {}
  const [source, destination] = direction === dir.OUT ? [local, remote] : [remote, local]
  const outer = source && destination && { source, destination }
  const templates = templatesOf(reqids, family, outer, false)
  const bytes = new Uint8Array(userpolicy_info.size + templates.length * user_tmpl.size)
  const memory = memoryOf(bytes)
  userpolicy_info.set(memory, 0, { ...defaultPolicy(familyNumber(family)), dir: direction })
  for (const [i, template] of templates.entries()) {
    user_tmpl.set(memory, userpolicy_info.size + i * user_tmpl.size, template)
  }
  return bytes
}

/**
 * Gives a socket its policies, in place of those that it has. Where that fails, it has those of before.
 *
 * @param before as far as they are known; absent: none
 * @throws SocketError with the kernel's error number
 */
export function setSocketPolicy(
  socket: InspectedSocket,
  terms: SocketTerms,
  before: SocketTerms | undefined,
): void {
  const { fd } = socket
  const [level, option] = optionOf(socket)
  try {
    setSockOpt(fd, level, option, socketPolicyBytes(dir.IN, terms))
    try {
      setSockOpt(fd, level, option, socketPolicyBytes(dir.OUT, terms))
    } catch (error) {
      if (before) setSockOpt(fd, level, option, socketPolicyBytes(dir.IN, before))
      else clearSockOpt(fd, level, option)
      throw error
    }
  } catch (error) {
    throw refusal(error)
  }
}

/** Takes both away. @throws SocketError */
export function clearSocketPolicy(socket: InspectedSocket): void {
  try {
    clearSockOpt(socket.fd, ...optionOf(socket))
  } catch (error) {
    throw refusal(error)
  }
}

/** Keeps a socket that is not bound yet to IPv6. @throws SocketError */
export function makeInet6Only({ fd }: InspectedSocket): void {
  try {
    setSockOptInt(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1)
  } catch (error) {
    throw refusal(error)
  }
}

function optionOf({ family }: InspectedSocket): [level: number, option: number] {
  return family === 'inet' ? [IPPROTO_IP, IP_XFRM_POLICY] : [IPPROTO_IPV6, IPV6_XFRM_POLICY]
}

function refusal(error: unknown): unknown {
  return error instanceof SystemError
    ? new SocketError(error.code, `the kernel refuses it: ${error.message}`)
    : error
}
