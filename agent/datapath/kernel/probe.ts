/**
 * Which algorithms the running kernel really has. `/proc/crypto` shows only what is loaded and nothing says what
 * could be; so each algorithm is tried: an SA that uses it is added in a network namespace made for the purpose,
 * where no traffic ever is, and which takes the SA with it when it goes.
 *
 * @module
 */
import { withNewNetns } from '../../../netlink/libc/netns.ts'
import { NetlinkError } from '../../../netlink/socket/error.ts'
import { NETLINK_XFRM } from '../../../netlink/socket/protocols.ts'
import { NetlinkSocket } from '../../../netlink/socket/socket.ts'
import { proto } from '../../../netlink/xfrm/constants.ts'
import { defaultState } from '../../../netlink/xfrm/defaults.ts'
import { encodeMessage, messageType } from '../../../netlink/xfrm/messages.ts'
import { PROTOCOL_AH, PROTOCOL_ESP } from '../../model/algorithm.ts'
import type { SaProtocol } from '../../model/association.ts'
import { ALGORITHM_NULL } from '../../model/default-algorithms.ts'
import type { KernelAlgorithm } from '../../translate/kernel-algorithms.ts'
import { algorithmAttribute, kernelAlgorithm } from '../../translate/kernel-algorithms.ts'

/** Number of HMAC-SHA-1, which every kernel with IPsec has. */
const HMAC_SHA1 = 3

/** An algorithm to try. */
export interface Candidate {
  readonly algorithm: KernelAlgorithm
  /** A key length that it takes, in bits, without the salt. */
  readonly keyBits: number
}

export type ProbeResult =
  | { readonly available: true }
  | {
      readonly available: false
      /** What the kernel has not: the algorithm, or ESP (and AH) altogether. */
      readonly lacks: 'algorithm' | 'protocol'
      /** Why it refused, in its own words where it has some. */
      readonly reason: string
    }

/**
 * Tries each candidate. An authentication algorithm is available where AH or ESP takes it; the kernel loads the
 * modules that it needs, as it will when a real SA asks.
 *
 * @returns one result for each candidate, in their order
 * @throws {SystemError} EPERM without CAP_SYS_ADMIN and CAP_NET_ADMIN
 * @throws {NetlinkError} where the kernel has no XFRM at all
 */
export function probeAlgorithms(candidates: readonly Candidate[]): ProbeResult[] {
  const socket = withNewNetns(() => NetlinkSocket.open(NETLINK_XFRM))
  try {
    return candidates.map((candidate, index) => tryCandidate(socket, candidate, 2 * index + 256))
  } finally {
    socket.close()
  }
}

/**
 * Those of the protocols that the running kernel lacks altogether.
 *
 * @throws {SystemError} EPERM
 */
export function lackingProtocols(wanted: readonly SaProtocol[]): SaProtocol[] {
  let socket: NetlinkSocket
  try {
    socket = withNewNetns(() => NetlinkSocket.open(NETLINK_XFRM))
  } catch (error) {
    // Without XFRM there is no protocol of it.
    if (error instanceof NetlinkError && error.errnoName === 'EPROTONOSUPPORT') return [...wanted]
    throw error
  }
  try {
    const algorithm = kernelAlgorithm(PROTOCOL_AH, HMAC_SHA1)
    if (!algorithm) throw new TypeError('HMAC-SHA-1 has no kernel side')
    const attributes = algorithmAttribute(algorithm, probeKey(20))
    return wanted.filter((protocol) => {
      const result =
        protocol === 'ah'
          ? tryState(socket, proto.AH, 256, attributes)
          : tryState(socket, proto.ESP, 257, { ...attributes, ...nullEncryption() })
      return !result.available && result.lacks === 'protocol'
    })
  } finally {
    socket.close()
  }
}

function tryCandidate(socket: NetlinkSocket, { algorithm, keyBits }: Candidate, spi: number): ProbeResult {
  const own = algorithmAttribute(algorithm, probeKey((keyBits + algorithm.saltBits) / 8))
  if (algorithm.kind !== 'auth') return tryState(socket, proto.ESP, spi, own)
  const inAh = tryState(socket, proto.AH, spi, own)
  if (inAh.available) return inAh
  return tryState(socket, proto.ESP, spi + 1, { ...own, ...nullEncryption() })
}

type AlgorithmAttributes = ReturnType<typeof algorithmAttribute>

/** ESP does not go without a cipher. */
function nullEncryption(): AlgorithmAttributes {
  const algorithm = kernelAlgorithm(PROTOCOL_ESP, ALGORITHM_NULL)
  if (!algorithm) throw new TypeError('NULL encryption has no kernel side')
  return algorithmAttribute(algorithm, new Uint8Array(0))
}

function tryState(
  socket: NetlinkSocket,
  protocol: number,
  spi: number,
  attributes: AlgorithmAttributes,
): ProbeResult {
  const state = defaultState()
  const loopback = Uint8Array.from({ length: 16 }, (_, i) => (i === 0 ? 127 : i === 3 ? 1 : 0))
  const body = { ...state, id: { daddr: loopback, spi, proto: protocol }, saddr: loopback, replay_window: 32 }
  try {
    socket.request({
      type: messageType('NEWSA'),
      payload: encodeMessage({ name: 'NEWSA', body, attributes }),
    })
    return { available: true }
  } catch (error) {
    if (!(error instanceof NetlinkError) || error.errnoName === 'EPERM') throw error
    const lacks = error.errnoName === 'EPROTONOSUPPORT' ? 'protocol' : 'algorithm'
    return { available: false, lacks, reason: error.extack ?? error.message }
  }
}

/** A key without a pattern that some cipher refuses as weak (DES, or a triple DES with equal thirds). */
function probeKey(bytes: number): Uint8Array {
  return Uint8Array.from({ length: bytes }, (_, i) => (37 * i + 17) & 0xff)
}
