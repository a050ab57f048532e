/**
 * What setkey does with a script: each command becomes one PF_KEY message to the kernel (RFC 2367, and Linux's
 * `linux/pfkeyv2.h` and `linux/ipsec.h` for the rest). There is no package of setkey any more, but the kernel's side of
 * it is there.
 *
 * @module
 */
import type { Address } from '../../agent/model/address.ts'
import { withNetns } from '../../netlink/libc/netns.ts'
import {
  AF_INET,
  AF_INET6,
  AF_KEY,
  close,
  recvFrom,
  SOCK_RAW,
  send,
  socket,
} from '../../netlink/libc/socket.ts'
import {
  type Algorithm,
  CIPHERS,
  INTEGRITY,
  type Limit,
  type SpokenPolicy,
  type SpokenState,
} from '../compat/foreign/setkey/setkey-language.ts'

const PF_KEY_V2 = 2
const SADB_ADD = 3
const SADB_X_SPDADD = 14
const SATYPE = { unspecified: 0, ah: 2, esp: 3 } as const
const EXTENSION = {
  sa: 1,
  hard: 3,
  soft: 4,
  source: 5,
  destination: 6,
  integrityKey: 8,
  cipherKey: 9,
  policy: 18,
  sa2: 19,
  encapsulation: 20,
  sourcePort: 21,
  destinationPort: 22,
} as const
const ANY_PROTOCOL = 255
const CYCLIC_SEQUENCE = 0x40
const MODES = { transport: 1, tunnel: 2 } as const
const DIRECTIONS = { in: 1, out: 2, fwd: 3 } as const
const VERDICTS = { discard: 0, none: 1, ipsec: 2 } as const
const LEVEL_UNIQUE = 3
const PROTOCOLS = { esp: 50, ah: 51 } as const
const ESP_IN_UDP = 2

/** Gives a whole script to the kernel of a namespace. @throws Error with the number of the kernel's error */
export function loadScript(
  netns: string,
  {
    policies,
    states,
  }: { readonly policies: readonly SpokenPolicy[]; readonly states: readonly SpokenState[] },
): void {
  const fd = withNetns(netns, () => socket(AF_KEY, SOCK_RAW, PF_KEY_V2))
  try {
    for (const policy of policies) request(fd, SADB_X_SPDADD, SATYPE.unspecified, policyExtensions(policy))
    for (const state of states) request(fd, SADB_ADD, SATYPE[state.protocol], stateExtensions(state))
  } finally {
    close(fd)
  }
}

function request(fd: number, type: number, satype: number, extensions: readonly Buffer[]): void {
  const body = Buffer.concat(extensions)
  const head = Buffer.alloc(16)
  head.set([PF_KEY_V2, type, 0, satype])
  head.writeUInt16LE((head.length + body.length) / 8, 4)
  head.writeUInt32LE(process.pid, 12)
  send(fd, Buffer.concat([head, body]))
  const answer = Buffer.alloc(65_536)
  const length = recvFrom(fd, answer, 0, null, null)
  const error = length < 0 ? -length : answer[2]
  if (error !== 0) throw new Error(`PF_KEY message ${type}: error ${error}`)
}

/** An extension: what comes after its length and its type, padded to 8 bytes. */
function extension(type: number, ...parts: readonly Buffer[]): Buffer {
  const body = Buffer.concat([Buffer.alloc(4), ...parts])
  const whole = Buffer.concat([body, Buffer.alloc(-body.length & 7)])
  whole.writeUInt16LE(whole.length / 8, 0)
  whole.writeUInt16LE(type, 2)
  return whole
}

function policyExtensions({ source, destination, protocol, ...policy }: SpokenPolicy): Buffer[] {
  const fixed = Buffer.alloc(12)
  fixed.writeUInt16LE(VERDICTS[policy.verdict], 0)
  fixed[2] = DIRECTIONS[policy.direction]
  fixed.writeUInt32LE(policy.priority, 8)
  const requests = policy.requests.map(({ ends = [], ...one }) => {
    const addresses = ends.map((end) => socketAddress(end, 0))
    const head = Buffer.alloc(16)
    head.writeUInt16LE(head.length + addresses.reduce((sum, { length }) => sum + length, 0), 0)
    head.writeUInt16LE(PROTOCOLS[one.protocol], 2)
    head.set([MODES[one.mode], LEVEL_UNIQUE], 4)
    head.writeUInt32LE(one.unique, 8)
    return Buffer.concat([head, ...addresses])
  })
  return [
    extension(EXTENSION.policy, fixed, ...requests),
    addressExtension(EXTENSION.source, source.address, source.length, protocol, source.port),
    addressExtension(
      EXTENSION.destination,
      destination.address,
      destination.length,
      protocol,
      destination.port,
    ),
  ]
}

function stateExtensions(state: SpokenState): Buffer[] {
  const { source, destination, cipher, integrity, hard, soft, ports = [] } = state
  const sa = Buffer.alloc(12)
  sa.writeUInt32BE(state.spi, 0)
  sa.set(
    [
      state.window,
      0,
      INTEGRITY[integrity?.word ?? '']?.number ?? 0,
      CIPHERS[cipher?.word ?? '']?.number ?? 0,
      CYCLIC_SEQUENCE,
    ],
    4,
  )
  const sa2 = Buffer.alloc(12)
  sa2[0] = MODES[state.mode]
  sa2.writeUInt32LE(state.reqid, 8)
  const [sourcePort, destinationPort] = ports
  return [
    ...keyExtension(EXTENSION.cipherKey, cipher),
    ...keyExtension(EXTENSION.integrityKey, integrity),
    ...limitExtension(EXTENSION.hard, hard),
    ...limitExtension(EXTENSION.soft, soft),
    extension(EXTENSION.sa, sa),
    extension(EXTENSION.sa2, sa2),
    ...(sourcePort !== undefined && destinationPort !== undefined
      ? [
          extension(EXTENSION.encapsulation, Buffer.of(ESP_IN_UDP)),
          extension(EXTENSION.sourcePort, bigEndian(sourcePort)),
          extension(EXTENSION.destinationPort, bigEndian(destinationPort)),
        ]
      : []),
    addressExtension(EXTENSION.source, source, 8 * source.bytes.length, ANY_PROTOCOL, sourcePort ?? 0),
    addressExtension(
      EXTENSION.destination,
      destination,
      8 * destination.bytes.length,
      ANY_PROTOCOL,
      destinationPort ?? 0,
    ),
  ]
}

function keyExtension(type: number, algorithm: Algorithm | undefined): Buffer[] {
  if (!algorithm) return []
  const key = Buffer.from(algorithm.key, 'hex')
  const bits = Buffer.alloc(4)
  bits.writeUInt16LE(key.length * 8, 0)
  return [extension(type, bits, key)]
}

function limitExtension(type: number, limit: Limit | undefined): Buffer[] {
  if (!limit) return []
  const body = Buffer.alloc(28)
  body.writeBigUInt64LE(limit.bytes, 4)
  body.writeBigUInt64LE(limit.time, 12)
  return [extension(type, body)]
}

function addressExtension(
  type: number,
  address: Address,
  length: number,
  protocol: number,
  port: number,
): Buffer {
  return extension(type, Buffer.of(protocol, length, 0, 0), socketAddress(address, port))
}

/** `sockaddr_in`, `sockaddr_in6`. */
function socketAddress({ family, bytes }: Address, port: number): Buffer {
  const isInet = family === 'inet'
  const body = Buffer.alloc(isInet ? 16 : 28)
  body.writeUInt16LE(isInet ? AF_INET : AF_INET6, 0)
  body.writeUInt16BE(port, 2)
  body.set(bytes, isInet ? 4 : 8)
  return body
}

function bigEndian(port: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt16BE(port, 0)
  return bytes
}
