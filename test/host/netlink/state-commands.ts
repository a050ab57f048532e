/**
 * `ip xfrm state …` and what each command should send.
 *
 * @module
 */
import {
  encapType,
  extraFlag,
  family,
  mode,
  offloadFlag,
  proto,
  stateFlag,
} from '../../../netlink/xfrm/constants.ts'
import { defaultSelector, defaultState } from '../../../netlink/xfrm/defaults.ts'
import type { XfrmMessage } from '../../../netlink/xfrm/messages.ts'
import type { UsersaInfo } from '../../../netlink/xfrm/structs.ts'
import { address, between, type Command, counting, familyOfText, message } from './command.ts'
import { seqBigEndian, unpadded, zeroLifetime } from './differences.ts'

type Attributes = XfrmMessage<'NEWSA'>['attributes']

const a4 = '10.0.0.1'
const b4 = '10.0.0.2'
const a6 = '2001:db8::1'
const b6 = '2001:db8::2'

const key16 = '0x000102030405060708090a0b0c0d0e0f'
const key20 = `${key16}10111213`
const key32 = `${key20}1415161718191a1b1c1d1e1f`
const aes = { alg_name: 'cbc(aes)', alg_key_len: 128, alg_key: counting(16) }
const sha1 = { alg_name: 'hmac(sha1)', alg_key_len: 160, alg_key: counting(20) }
const none = { alg_name: 'ecb(cipher_null)', alg_key_len: 0, alg_key: counting(0) }
const label = 'system_u:object_r:x:s0'

/** An SA as iproute2 adds it: without a selector of its own, not even a family. */
function sa(
  src: string,
  dst: string,
  protocol: number,
  spi: number,
  more: Partial<UsersaInfo> = {},
): UsersaInfo {
  return {
    ...defaultState(familyOfText(src)),
    sel: defaultSelector(family.UNSPEC),
    id: { daddr: address(dst), spi, proto: protocol },
    saddr: address(src),
    ...more,
  }
}

/** `state add` of one algorithm and protocol. */
function add(words: string, body: UsersaInfo, attributes: Attributes): Command {
  return { line: `xfrm state add ${words}`, sends: [message('NEWSA', body, attributes)] }
}

/** `state add` of an ESP SA without cipher, to look at something else. */
function esp(words: string, attributes: Attributes, more: Partial<UsersaInfo> = {}): Command {
  const line = `src ${a4} dst ${b4} proto esp spi 0x1000 enc 'ecb(cipher_null)' '' ${words}`
  return add(line, sa(a4, b4, proto.ESP, 0x1000, more), { alg_crypt: none, ...attributes })
}

const v4 = `src ${a4} dst ${b4}`
const v6 = `src ${a6} dst ${b6}`

const algorithms: readonly Command[] = [
  add(
    `${v4} proto esp spi 0x1000 enc 'cbc(aes)' ${key16} auth 'hmac(sha1)' ${key20}`,
    sa(a4, b4, proto.ESP, 0x1000),
    {
      alg_crypt: aes,
      alg_auth: sha1,
    },
  ),
  add(
    `${v4} proto esp spi 0x1000 mode tunnel auth-trunc 'hmac(sha256)' ${key32} 128 enc 'cbc(aes)' ${key16}`,
    sa(a4, b4, proto.ESP, 0x1000, { mode: mode.TUNNEL }),
    {
      alg_auth_trunc: {
        alg_name: 'hmac(sha256)',
        alg_key_len: 256,
        alg_trunc_len: 128,
        alg_key: counting(32),
      },
      alg_crypt: aes,
    },
  ),
  add(`${v4} proto esp spi 0x1000 aead 'rfc4106(gcm(aes))' ${key20} 128`, sa(a4, b4, proto.ESP, 0x1000), {
    alg_aead: { alg_name: 'rfc4106(gcm(aes))', alg_key_len: 160, alg_icv_len: 128, alg_key: counting(20) },
  }),
  add(`${v4} proto ah spi 0xfffffffe auth 'hmac(sha1)' ${key20}`, sa(a4, b4, proto.AH, 0xffff_fffe), {
    alg_auth: sha1,
  }),
  add(`${v4} proto comp spi 0x1000 comp deflate`, sa(a4, b4, proto.COMP, 0x1000), {
    alg_comp: { alg_name: 'deflate', alg_key_len: 0, alg_key: counting(0) },
  }),
]

const modes: readonly Command[] = [
  esp('mode transport', {}),
  esp('mode tunnel', {}, { mode: mode.TUNNEL }),
  esp('mode beet', {}, { mode: mode.BEET }),
  add(
    `${v6} proto esp spi 0x1000 mode beet enc 'cbc(aes)' ${key16}`,
    sa(a6, b6, proto.ESP, 0x1000, { mode: mode.BEET }),
    {
      alg_crypt: aes,
    },
  ),
  add(
    `${v6} proto hao mode ro coa 2001:db8::9`,
    sa(a6, b6, proto.DSTOPTS, 0, { mode: mode.ROUTEOPTIMIZATION }),
    {
      coaddr: address('2001:db8::9'),
    },
  ),
  add(
    `${v6} proto route2 mode ro coa 2001:db8::9`,
    sa(a6, b6, proto.ROUTING, 0, { mode: mode.ROUTEOPTIMIZATION }),
    {
      coaddr: address('2001:db8::9'),
    },
  ),
]

const encap = { encap_sport: 4500, encap_dport: 4501, encap_oa: address() }

const attributes: readonly Command[] = [
  esp('mark 5 mask 0xff', { mark: { v: 5, m: 0xff } }),
  esp('mark 5', { mark: { v: 5, m: 0xffff_ffff } }),
  esp('if_id 7', { if_id: 7 }),
  esp('output-mark 3', { set_mark: 3 }),
  esp('output-mark 3 mask 0xf', { set_mark: 3, set_mark_mask: 0xf }),
  esp('encap espinudp 4500 4501 0.0.0.0', { encap: { ...encap, encap_type: encapType.ESPINUDP } }),
  esp('encap espinudp-nonike 4500 4501 10.9.9.9', {
    encap: { ...encap, encap_type: encapType.ESPINUDP_NON_IKE, encap_oa: address('10.9.9.9') },
  }),
  esp('encap espintcp 4500 4501 0.0.0.0', { encap: { ...encap, encap_type: encapType.ESPINTCP } }),
  esp('extra-flag dont-encap-dscp', { sa_extra_flags: extraFlag.DONT_ENCAP_DSCP }),
  esp('extra-flag dont-encap-dscp oseq-may-wrap', {
    sa_extra_flags: extraFlag.DONT_ENCAP_DSCP | extraFlag.OSEQ_MAY_WRAP,
  }),
  esp('offload dev lo dir in', { offload_dev: { ifindex: 1, flags: offloadFlag.INBOUND } }),
  esp('offload dev lo dir out', { offload_dev: { ifindex: 1, flags: 0 } }),
  esp(`ctx ${label}`, {
    sec_ctx: { len: 31, exttype: 8, ctx_alg: 1, ctx_doi: 1, ctx_len: 23, ctx: Buffer.from(`${label}\0`) },
  }),
  esp('tfcpad 256 mode tunnel', { tfcpad: 256 }, { mode: mode.TUNNEL }),
]

const esn = { oseq: 0, seq: 0, oseq_hi: 0, seq_hi: 0, bmp: [] }

const replayAndLifetimes: readonly Command[] = [
  esp('replay-window 32', {}, { replay_window: 32 }),
  esp(
    'replay-window 128 flag esn',
    { replay_esn_val: { ...esn, bmp_len: 4, replay_window: 128 } },
    { flags: stateFlag.ESN },
  ),
  esp(
    'replay-window 32 flag esn',
    { replay_esn_val: { ...esn, bmp_len: 1, replay_window: 32 } },
    { flags: stateFlag.ESN },
  ),
  esp(
    'flag esn replay-window 4096 replay-seq 7 replay-oseq 9 replay-seq-hi 1 replay-oseq-hi 2',
    {
      replay_esn_val: { bmp_len: 128, oseq: 9, seq: 7, oseq_hi: 2, seq_hi: 1, replay_window: 4096, bmp: [] },
    },
    { flags: stateFlag.ESN },
  ),
  esp('replay-seq 7 replay-oseq 9', { replay_val: { oseq: 9, seq: 7, bitmap: 0 } }),
  esp('flag noecn decap-dscp nopmtudisc wildrecv icmp af-unspec align4', {}, { flags: 127 }),
  esp(
    'limit byte-soft 1000 limit byte-hard 2000 limit packet-soft 30 limit packet-hard 40',
    {},
    {
      lft: {
        ...defaultState().lft,
        soft_byte_limit: 1000n,
        hard_byte_limit: 2000n,
        soft_packet_limit: 30n,
        hard_packet_limit: 40n,
      },
    },
  ),
  esp(
    'limit time-soft 100 limit time-hard 200 limit time-use-soft 300 limit time-use-hard 400',
    {},
    {
      lft: {
        ...defaultState().lft,
        soft_add_expires_seconds: 100n,
        hard_add_expires_seconds: 200n,
        soft_use_expires_seconds: 300n,
        hard_use_expires_seconds: 400n,
      },
    },
  ),
  { ...esp('reqid 9 seq 0x11', {}, { reqid: 9, seq: 0x11 }), differs: seqBigEndian },
]

const port = (number: number) => ({ number, mask: 0xffff })
const ports = (sport: { number: number; mask: number }, dport: { number: number; mask: number }) => ({
  sport: sport.number,
  sport_mask: sport.mask,
  dport: dport.number,
  dport_mask: dport.mask,
})

const selectors: readonly Command[] = [
  esp(
    'sel src 10.1.0.0/16 dst 10.2.0.0/24 proto tcp sport 80 dport 443 dev lo',
    {},
    { sel: between('10.1.0.0/16', '10.2.0.0/24', { proto: 6, ifindex: 1, ...ports(port(80), port(443)) }) },
  ),
  esp(
    'sel proto gre key 0x12345678',
    {},
    {
      sel: { ...defaultSelector(family.UNSPEC), proto: 47, ...ports(port(0x1234), port(0x5678)) },
    },
  ),
]

const larval = 'xfrm state allocspi src 10.0.0.1 dst 10.0.0.2 proto esp mode transport min 0x1000 max 0x1000'
const id = { daddr: address(b4), spi: 0x1000, family: family.INET, proto: proto.ESP }
const anywhere = { saddr: address(), daddr: address(), family: 0, splen: 0, dplen: 0 }

const others: readonly Command[] = [
  {
    line: `xfrm state update ${v4} proto esp spi 0x1000 enc 'cbc(aes)' ${key16}`,
    sends: [message('UPDSA', sa(a4, b4, proto.ESP, 0x1000), { alg_crypt: aes })],
  },
  {
    line: `xfrm state allocspi ${v4} proto esp mode tunnel reqid 5 min 0x1000 max 0x1fff`,
    sends: [
      message('ALLOCSPI', {
        info: sa(a4, b4, proto.ESP, 0, { reqid: 5, mode: mode.TUNNEL }),
        min: 0x1000,
        max: 0x1fff,
      }),
    ],
    differs: zeroLifetime,
  },
  {
    line: `xfrm state allocspi ${v4} proto comp mark 1 mask 1`,
    sends: [
      message(
        'ALLOCSPI',
        { info: sa(a4, b4, proto.COMP, 0), min: 0x100, max: 0xffff },
        { mark: { v: 1, m: 1 } },
      ),
    ],
    differs: zeroLifetime,
  },
  {
    line: `xfrm state get ${v4} proto esp spi 0x1000 mark 5 mask 0xff`,
    sends: [message('GETSA', id, { srcaddr: address(a4), mark: { v: 5, m: 0xff } })],
  },
  {
    line: `xfrm state delete ${v4} proto esp spi 0x1000`,
    sends: [message('DELSA', id, { srcaddr: address(a4) })],
  },
  {
    line: `xfrm state delete ${v6} proto ah spi 0x1000 mark 1 mask 3`,
    sends: [
      message(
        'DELSA',
        { daddr: address(b6), spi: 0x1000, family: family.INET6, proto: proto.AH },
        { srcaddr: address(a6), mark: { v: 1, m: 3 } },
      ),
    ],
  },
  { line: 'xfrm state list', sends: [{ dump: 'GETSA', attributes: { address_filter: anywhere } }] },
  {
    line: 'xfrm state list src 10.0.0.0/8 dst 10.0.0.2 proto esp',
    sends: [
      {
        dump: 'GETSA',
        attributes: {
          proto: proto.ESP,
          address_filter: { saddr: address('10.0.0.0'), daddr: address(b4), family: 2, splen: 8, dplen: 32 },
        },
      },
    ],
  },
  {
    line: 'xfrm state deleteall',
    before: ['xfrm state flush', larval],
    sends: [
      { dump: 'GETSA', attributes: {} },
      message('DELSA', id, { srcaddr: address(a4) }),
      { dump: 'GETSA', attributes: {} },
    ],
  },
  { line: 'xfrm state flush', sends: [message('FLUSHSA', { proto: 0 })], differs: unpadded(1) },
  {
    line: 'xfrm state flush proto ah',
    sends: [message('FLUSHSA', { proto: proto.AH })],
    differs: unpadded(1),
  },
  { line: 'xfrm state count', sends: [message('GETSADINFO', { flags: 0xffff_ffff })] },
]

/** All of them. */
export const stateCommands: readonly Command[] = [
  ...algorithms,
  ...modes,
  ...attributes,
  ...replayAndLifetimes,
  ...selectors,
  ...others,
]
