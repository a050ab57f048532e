/**
 * What the running kernel's IPsec can do besides algorithms, found by trying it in a network namespace made for the
 * purpose: nothing is taken from a version number.
 *
 * @module
 */
import { memoryOf } from '../../../netlink/codec/memory.ts'
import { withNewNetns } from '../../../netlink/libc/netns.ts'
import { AF_INET, AF_INET6, close, SOCK_DGRAM, setSockOpt, socket } from '../../../netlink/libc/socket.ts'
import {
  IP_XFRM_POLICY,
  IPPROTO_IP,
  IPPROTO_IPV6,
  IPPROTO_UDP,
  IPV6_XFRM_POLICY,
  UDP_ENCAP,
} from '../../../netlink/libc/socket-options.ts'
import { NetlinkError } from '../../../netlink/socket/error.ts'
import { NETLINK_XFRM } from '../../../netlink/socket/protocols.ts'
import { NetlinkSocket } from '../../../netlink/socket/socket.ts'
import type { XfrmAttributes } from '../../../netlink/xfrm/attributes.ts'
import {
  dir,
  encapType,
  family,
  mode,
  proto,
  REPLAY_ESN_MAX,
  stateFlag,
} from '../../../netlink/xfrm/constants.ts'
import { anyAddress, defaultPolicy, defaultState } from '../../../netlink/xfrm/defaults.ts'
import { encodeMessage, messageType } from '../../../netlink/xfrm/messages.ts'
import { type UsersaInfo, userpolicy_info } from '../../../netlink/xfrm/structs.ts'
import { PROTOCOL_AH, PROTOCOL_ESP } from '../../model/algorithm.ts'
import { ALGORITHM_NULL } from '../../model/default-algorithms.ts'
import { algorithmAttribute, kernelAlgorithm } from '../../translate/kernel-algorithms.ts'

/** The kernel's answer to one attempt: taken, or its reason. */
export type Answer = { readonly works: true } | { readonly works: false; readonly why: string }

export const FAMILIES = ['IPv4', 'IPv6'] as const
export type FamilyName = (typeof FAMILIES)[number]

/** Of one family. What needs ESP or AH is `undefined` where there is none to try it with. */
export interface FamilyFeatures {
  readonly esp: Answer
  readonly ah: Answer
  readonly tunnel: Answer | undefined
  /** ESP in UDP (RFC 3948): the SA, and the socket that receives. */
  readonly encapsulation: Answer | undefined
  /** Extended sequence numbers (RFC 4304), with the largest replay window. */
  readonly esn: Answer | undefined
  /** Policies of single sockets (`IP_XFRM_POLICY`). */
  readonly socketPolicy: Answer
}

export interface KernelFeatures {
  readonly families: Readonly<Record<FamilyName, FamilyFeatures>>
  /** The kernel says in words what it does not like about a request. */
  readonly extack: Answer
}

/** HMAC-SHA-1, which every kernel with IPsec has. */
const HMAC_SHA1 = 3
const KEY_BYTES = 20
/** For UDP sockets that take ESP; nobody is there to talk to. */
const ENCAP_PORT = 4500
/** No protocol of XFRM. */
const UNKNOWN_PROTOCOL = 99

interface Sockets {
  readonly xfrm: NetlinkSocket
  readonly udp: Readonly<Record<FamilyName, number | undefined>>
}

/**
 * Tries everything. Modules that are needed get loaded, as they would for a real SA.
 *
 * @throws {SystemError} EPERM without CAP_SYS_ADMIN and CAP_NET_ADMIN
 * @throws {NetlinkError} where the kernel has no XFRM at all
 */
export function probeFeatures(): KernelFeatures {
  const sockets = withNewNetns(openSockets)
  try {
    const families = {
      IPv4: tryFamily(sockets, 'IPv4', 0x1000),
      IPv6: tryFamily(sockets, 'IPv6', 0x2000),
    }
    return { families, extack: tryExtack(sockets.xfrm) }
  } finally {
    sockets.xfrm.close()
    for (const name of FAMILIES) if (sockets.udp[name] !== undefined) close(sockets.udp[name])
  }
}

function openSockets(): Sockets {
  const xfrm = NetlinkSocket.open(NETLINK_XFRM)
  return { xfrm, udp: { IPv4: udpSocket(AF_INET), IPv6: udpSocket(AF_INET6) } }
}

/** `undefined` where the family is not there. */
function udpSocket(of: number): number | undefined {
  try {
    return socket(of, SOCK_DGRAM, 0)
  } catch {
    return undefined
  }
}

function tryFamily(sockets: Sockets, name: FamilyName, spi: number): FamilyFeatures {
  const plain = { family: name, spi }
  const esp = tryState(sockets.xfrm, { ...plain, protocol: proto.ESP })
  const ah = tryState(sockets.xfrm, { ...plain, protocol: proto.AH })
  const protocol = esp.works ? proto.ESP : ah.works ? proto.AH : undefined
  const further = (step: number, trial: Partial<StateTrial>): Answer | undefined =>
    protocol === undefined
      ? undefined
      : tryState(sockets.xfrm, { ...plain, protocol, ...trial, spi: spi + step })
  return {
    esp,
    ah,
    tunnel: further(1, { body: { mode: mode.TUNNEL } }),
    encapsulation: esp.works ? tryEncapsulation(sockets, name, spi + 2) : undefined,
    esn: further(3, {
      body: { flags: stateFlag.ESN, replay_window: 0 },
      attributes: { replay_esn_val: WINDOW },
    }),
    socketPolicy: trySocketPolicy(sockets.udp[name], name),
  }
}

const WINDOW = {
  bmp_len: REPLAY_ESN_MAX / 32,
  oseq: 0,
  seq: 0,
  oseq_hi: 0,
  seq_hi: 0,
  replay_window: REPLAY_ESN_MAX,
  bmp: [],
}

interface StateTrial {
  readonly family: FamilyName
  readonly spi: number
  readonly protocol: number
  readonly body?: Partial<UsersaInfo>
  readonly attributes?: XfrmAttributes
}

/** Loopback to itself, with HMAC-SHA-1 and, for ESP, NULL encryption. */
function tryState(
  xfrm: NetlinkSocket,
  { family: name, spi, protocol, body, attributes }: StateTrial,
): Answer {
  const daddr = anyAddress()
  if (name === 'IPv4') daddr.set([127, 0, 0, 1])
  else daddr[15] = 1
  const state = {
    ...defaultState(name === 'IPv4' ? family.INET : family.INET6),
    id: { daddr, spi, proto: protocol },
    saddr: daddr,
    replay_window: 32,
    ...body,
  }
  const algorithms = { ...integrity(), ...(protocol === proto.ESP && nullEncryption()) }
  return answer(() =>
    xfrm.request({
      type: messageType('NEWSA'),
      payload: encodeMessage({ name: 'NEWSA', body: state, attributes: { ...algorithms, ...attributes } }),
    }),
  )
}

function integrity(): XfrmAttributes {
  const algorithm = kernelAlgorithm(PROTOCOL_AH, HMAC_SHA1)
  return algorithm ? algorithmAttribute(algorithm, new Uint8Array(KEY_BYTES).fill(0x5a)) : {}
}

function nullEncryption(): XfrmAttributes {
  const algorithm = kernelAlgorithm(PROTOCOL_ESP, ALGORITHM_NULL)
  return algorithm ? algorithmAttribute(algorithm, new Uint8Array(0)) : {}
}

function tryEncapsulation({ xfrm, udp }: Sockets, name: FamilyName, spi: number): Answer {
  const fd = udp[name]
  if (fd === undefined) return { works: false, why: `there is no ${name}` }
  const value = new Uint8Array(Int32Array.of(encapType.ESPINUDP).buffer)
  const receiving = answer(() => setSockOpt(fd, IPPROTO_UDP, UDP_ENCAP, value))
  if (!receiving.works) return receiving
  const encap = {
    encap_type: encapType.ESPINUDP,
    encap_sport: ENCAP_PORT,
    encap_dport: ENCAP_PORT,
    encap_oa: anyAddress(),
  }
  return tryState(xfrm, { family: name, spi, protocol: proto.ESP, attributes: { encap } })
}

function trySocketPolicy(fd: number | undefined, name: FamilyName): Answer {
  if (fd === undefined) return { works: false, why: `there is no ${name}` }
  const [level, option, of] =
    name === 'IPv4'
      ? ([IPPROTO_IP, IP_XFRM_POLICY, family.INET] as const)
      : ([IPPROTO_IPV6, IPV6_XFRM_POLICY, family.INET6] as const)
  const policy = new Uint8Array(userpolicy_info.size)
  userpolicy_info.set(memoryOf(policy), 0, { ...defaultPolicy(of), dir: dir.OUT })
  return answer(() => setSockOpt(fd, level, option, policy))
}

function tryExtack(xfrm: NetlinkSocket): Answer {
  try {
    const state = { ...defaultState(), id: { daddr: anyAddress(), spi: 256, proto: UNKNOWN_PROTOCOL } }
    const payload = encodeMessage({ name: 'NEWSA', body: state, attributes: {} })
    xfrm.request({ type: messageType('NEWSA'), payload })
  } catch (error) {
    if (error instanceof NetlinkError && error.extack !== undefined) return { works: true }
    if (!(error instanceof NetlinkError)) throw error
  }
  return { works: false, why: 'the kernel gave a number alone' }
}

/** @throws the refusal of one who lacks the privilege: that says nothing of the kernel */
function answer(attempt: () => unknown): Answer {
  try {
    attempt()
    return { works: true }
  } catch (error) {
    if (!(error instanceof Error)) throw error
    const { code = '', errnoName = code } = error as Error & { code?: string; errnoName?: string }
    if (errnoName === 'EPERM' || errnoName === 'EACCES' || !errnoName.startsWith('E')) throw error
    const why = error instanceof NetlinkError ? (error.extack ?? error.message) : error.message
    return { works: false, why }
  }
}
