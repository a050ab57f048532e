/**
 * SAs and policies as XFRM's messages, for a host of either data path: what key files cannot say (extended sequence
 * numbers) included.
 *
 * @module
 */
import { createHash } from 'node:crypto'
import { connectDataPath } from '../../../../../agent/datapath/data-path.ts'
import { connectService } from '../../../../../agent/datapath/software/service/client.ts'
import { parseAddress } from '../../../../../agent/model/address.ts'
import { IPPROTO_ICMPV6, IPPROTO_UDP } from '../../../../../agent/packet/protocols.ts'
import type { XfrmAttributes } from '../../../../../netlink/xfrm/attributes.ts'
import { XfrmConnection } from '../../../../../netlink/xfrm/connection.ts'
import {
  family as af,
  dir,
  encapType,
  mode,
  proto,
  stateFlag,
} from '../../../../../netlink/xfrm/constants.ts'
import {
  defaultPolicy,
  defaultSelector,
  defaultState,
  defaultTemplate,
} from '../../../../../netlink/xfrm/defaults.ts'
import type { XfrmMessage } from '../../../../../netlink/xfrm/messages.ts'
import type { Station } from '../../../support/station.ts'

/** An algorithm with its key length in bytes, and the bits of its ICV. */
export interface Algorithm {
  readonly kind: 'crypt' | 'auth' | 'aead'
  readonly name: string
  readonly keyBytes: number
  readonly icvBits: number
}

const crypt = (name: string, keyBytes: number): Algorithm => ({ kind: 'crypt', name, keyBytes, icvBits: 0 })
const auth = (name: string, keyBytes: number, icvBits: number): Algorithm => ({
  kind: 'auth',
  name,
  keyBytes,
  icvBits,
})
const aead = (name: string, keyBytes: number, icvBits: number): Algorithm => ({
  kind: 'aead',
  name,
  keyBytes,
  icvBits,
})

const SHA256 = auth('hmac(sha256)', 32, 128)

export const MACS: readonly Algorithm[] = [
  auth('hmac(md5)', 16, 96),
  auth('hmac(sha1)', 20, 96),
  SHA256,
  auth('hmac(sha384)', 48, 192),
  auth('hmac(sha512)', 64, 256),
  auth('xcbc(aes)', 16, 96),
  auth('cmac(aes)', 16, 96),
]

/** What ESP is made of: each cipher, each integrity algorithm, each combined mode. */
export const ESP: readonly (readonly Algorithm[])[] = [
  ...[
    crypt('ecb(cipher_null)', 0),
    crypt('cbc(aes)', 16),
    crypt('cbc(aes)', 24),
    crypt('cbc(aes)', 32),
    crypt('cbc(des)', 8),
    crypt('cbc(des3_ede)', 24),
    crypt('cbc(blowfish)', 16),
    crypt('rfc3686(ctr(aes))', 20),
    crypt('rfc3686(ctr(aes))', 36),
  ].map((cipher) => [cipher, SHA256]),
  ...MACS.filter((mac) => mac !== SHA256).map((mac) => [crypt('cbc(aes)', 16), mac]),
  ...[64, 96, 128].flatMap((icv) => [
    [aead('rfc4106(gcm(aes))', 20, icv)],
    [aead('rfc4309(ccm(aes))', 19, icv)],
  ]),
  [aead('rfc4106(gcm(aes))', 28, 128)],
  [aead('rfc4106(gcm(aes))', 36, 128)],
  [aead('rfc4309(ccm(aes))', 35, 128)],
  [aead('rfc4543(gcm(aes))', 20, 128)],
  [aead('rfc7539esp(chacha20,poly1305)', 36, 128)],
]

function attributesOf(algorithms: readonly Algorithm[], spi: number): XfrmAttributes {
  return Object.assign(
    {},
    ...algorithms.map(({ kind, name, keyBytes, icvBits }) => {
      const blocks = [0, 1].map((n) => createHash('sha512').update(`${spi} ${name} ${n}`).digest())
      const alg_key = new Uint8Array(Buffer.concat(blocks).subarray(0, keyBytes))
      const head = { alg_name: name, alg_key_len: keyBytes * 8, alg_key }
      if (kind === 'crypt') return { alg_crypt: head }
      return kind === 'auth'
        ? { alg_auth_trunc: { ...head, alg_trunc_len: icvBits } }
        : { alg_aead: { ...head, alg_icv_len: icvBits } }
    }),
  ) as XfrmAttributes
}

/** One SA of a test. */
export interface TestState {
  readonly protocol: 'esp' | 'ah'
  readonly algorithms: readonly Algorithm[]
  readonly spi: number
  readonly source: string
  readonly destination: string
  readonly isTunnel: boolean
  readonly isExtended: boolean
  readonly inUdp: boolean
  readonly window: number
}

export function address(text: string): { family: number; bytes: Uint8Array } {
  const parsed = parseAddress(text)
  if (!parsed) throw new TypeError(`'${text}' is no address`)
  const bytes = new Uint8Array(16)
  bytes.set(parsed.bytes)
  return { family: parsed.family === 'inet' ? af.INET : af.INET6, bytes }
}

export function newState(sa: TestState): XfrmMessage<'NEWSA'> {
  const { family, bytes: daddr } = address(sa.destination)
  const words = Math.ceil(sa.window / 32)
  return {
    name: 'NEWSA',
    body: {
      ...defaultState(),
      sel: defaultSelector(sa.isTunnel ? af.UNSPEC : family),
      id: { daddr, spi: sa.spi, proto: sa.protocol === 'esp' ? proto.ESP : proto.AH },
      saddr: address(sa.source).bytes,
      family,
      mode: sa.isTunnel ? mode.TUNNEL : mode.TRANSPORT,
      reqid: 1,
      replay_window: sa.window > 32 || sa.isExtended ? 0 : sa.window,
      flags: (sa.isExtended ? stateFlag.ESN : 0) | (sa.isTunnel ? stateFlag.AF_UNSPEC : 0),
    },
    attributes: {
      ...attributesOf(sa.algorithms, sa.spi),
      ...((sa.window > 32 || sa.isExtended) && {
        replay_esn_val: {
          bmp_len: words,
          oseq: 0,
          seq: 0,
          oseq_hi: 0,
          seq_hi: 0,
          replay_window: sa.window,
          bmp: [],
        },
      }),
      ...(sa.inUdp && {
        encap: {
          encap_type: encapType.ESPINUDP,
          encap_sport: 4500,
          encap_dport: 4500,
          encap_oa: new Uint8Array(16),
        },
      }),
    },
  }
}

export function deleteState(sa: TestState): XfrmMessage<'DELSA'> {
  const { body } = newState(sa)
  const { id, family } = body
  return { name: 'DELSA', body: { daddr: id.daddr, spi: id.spi, family, proto: id.proto }, attributes: {} }
}

/** Both directions between two hosts, as the one with `local` has them. */
export function policies(
  protocol: 'esp' | 'ah',
  local: string,
  remote: string,
  tunnel?: { readonly local: string; readonly remote: string },
): XfrmMessage<'NEWPOLICY'>[] {
  const policy = (direction: number, from: string, to: string, ends?: [string, string]) => {
    const source = address(from)
    const bits = source.family === af.INET ? 32 : 128
    const selector = {
      ...defaultSelector(source.family),
      saddr: source.bytes,
      daddr: address(to).bytes,
      prefixlen_s: bits,
      prefixlen_d: bits,
    }
    const template = {
      ...defaultTemplate(),
      id: {
        daddr: ends ? address(ends[1]).bytes : new Uint8Array(16),
        spi: 0,
        proto: protocol === 'esp' ? proto.ESP : proto.AH,
      },
      saddr: ends ? address(ends[0]).bytes : new Uint8Array(16),
      family: ends ? address(ends[0]).family : source.family,
      mode: ends ? mode.TUNNEL : mode.TRANSPORT,
      reqid: 1,
    }
    return {
      name: 'NEWPOLICY',
      body: { ...defaultPolicy(), sel: selector, dir: direction, priority: 1000 },
      attributes: { tmpl: [template] },
    } satisfies XfrmMessage<'NEWPOLICY'>
  }
  return [
    policy(dir.OUT, local, remote, tunnel && [tunnel.local, tunnel.remote]),
    policy(dir.IN, remote, local, tunnel && [tunnel.remote, tunnel.local]),
  ]
}

/** What must pass in clear: ESP in UDP, and neighbour discovery. */
export function exceptions(): XfrmMessage<'NEWPOLICY'>[] {
  const allow = (direction: number, family: number, protocol: number, port: number, mask: number) =>
    ({
      name: 'NEWPOLICY',
      body: {
        ...defaultPolicy(),
        sel: {
          ...defaultSelector(family),
          proto: protocol,
          ...(protocol === IPPROTO_UDP
            ? { dport: port, dport_mask: mask }
            : { sport: port, sport_mask: mask }),
        },
        dir: direction,
        priority: 1,
      },
      attributes: {},
    }) satisfies XfrmMessage<'NEWPOLICY'>
  return [dir.IN, dir.OUT].flatMap((direction) => [
    allow(direction, af.INET, IPPROTO_UDP, 4500, 0xffff),
    allow(direction, af.INET6, IPPROTO_UDP, 4500, 0xffff),
    allow(direction, af.INET6, IPPROTO_ICMPV6, 135, 0xffff),
    allow(direction, af.INET6, IPPROTO_ICMPV6, 136, 0xffff),
  ])
}

/** A connection to whoever carries a station's packets. */
export function connect(station: Station): XfrmConnection {
  const { folder } = station
  return station.visit(() => {
    if (station.dataPath === 'kernel') return XfrmConnection.open()
    return station.serviceId === undefined ? connectService(folder) : connectDataPath(folder)
  })
}

/** Sends messages that all must be taken. */
export function apply(connection: XfrmConnection, messages: readonly XfrmMessage[]): void {
  const [failure] = connection.batch(messages).failures
  if (failure) throw failure.error
}
