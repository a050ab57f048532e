/**
 * Every attribute of the XFRM user API (`XFRMA_`), and the two small sets of the information messages.
 *
 * @module
 */
import { type AttributesValue, attributes } from '../codec/attributes.ts'
import { u8, u16, u32, u64 } from '../codec/field.ts'
import {
  anything,
  exactly,
  flag,
  flexible,
  listOf,
  opaqueTail,
  type PayloadValue,
  tailOf,
} from '../codec/payload.ts'
import * as s from './structs.ts'

const bytesOfBits = (bits: number) => Math.ceil(bits / 8)

const algo = flexible(s.algo, 'alg_key', opaqueTail, 'alg_key_len', bytesOfBits)
const algo_auth = flexible(s.algo_auth, 'alg_key', opaqueTail, 'alg_key_len', bytesOfBits)
const algo_aead = flexible(s.algo_aead, 'alg_key', opaqueTail, 'alg_key_len', bytesOfBits)
// A new SA may come without its bitmap: the kernel then makes one of `bmp_len` words, all zero.
const replay_state_esn = flexible(s.replay_state_esn, 'bmp', tailOf(u32), 'bmp_len', undefined, true)
const user_sec_ctx = flexible(s.user_sec_ctx, 'ctx', opaqueTail, 'ctx_len')

/** An algorithm with its key (`xfrm_algo`). */
export type Algo = PayloadValue<typeof algo>
/** An integrity algorithm with its key and truncation (`xfrm_algo_auth`). */
export type AlgoAuth = PayloadValue<typeof algo_auth>
/** A combined-mode algorithm with its key, salt and ICV length (`xfrm_algo_aead`). */
export type AlgoAead = PayloadValue<typeof algo_aead>
/**
 * Replay state with a bitmap of `bmp_len` words (`xfrm_replay_state_esn`). With an empty `bmp` the attribute
 * carries none, and the kernel starts from zeros.
 */
export type ReplayStateEsn = PayloadValue<typeof replay_state_esn>

/** `XFRMA_`, in the order of their numbers. SET_MARK is also known as OUTPUT_MARK. */
export const xfrmAttributes = attributes('XFRMA', {
  alg_auth: [1, algo],
  alg_crypt: [2, algo],
  alg_comp: [3, algo],
  encap: [4, exactly(s.encap_tmpl)],
  tmpl: [5, listOf(s.user_tmpl)],
  sa: [6, exactly(s.usersa_info)],
  policy: [7, exactly(s.userpolicy_info)],
  sec_ctx: [8, user_sec_ctx],
  ltime_val: [9, exactly(s.lifetime_cur)],
  replay_val: [10, exactly(s.replay_state)],
  replay_thresh: [11, exactly(u32)],
  etimer_thresh: [12, exactly(u32)],
  srcaddr: [13, exactly(s.address)],
  coaddr: [14, exactly(s.address)],
  lastused: [15, exactly(u64)],
  policy_type: [16, exactly(s.userpolicy_type)],
  migrate: [17, listOf(s.user_migrate)],
  alg_aead: [18, algo_aead],
  kmaddress: [19, exactly(s.user_kmaddress)],
  alg_auth_trunc: [20, algo_auth],
  mark: [21, exactly(s.mark)],
  tfcpad: [22, exactly(u32)],
  replay_esn_val: [23, replay_state_esn],
  sa_extra_flags: [24, exactly(u32)],
  proto: [25, exactly(u8)],
  address_filter: [26, exactly(s.address_filter)],
  pad: [27, anything],
  offload_dev: [28, exactly(s.user_offload)],
  set_mark: [29, exactly(u32)],
  set_mark_mask: [30, exactly(u32)],
  if_id: [31, exactly(u32)],
  mtimer_thresh: [32, exactly(u32)],
  sa_dir: [33, exactly(u8)],
  nat_keepalive_interval: [34, exactly(u32)],
  sa_pcpu: [35, exactly(u32)],
  iptfs_drop_time: [36, exactly(u32)],
  iptfs_reorder_window: [37, exactly(u16)],
  iptfs_dont_frag: [38, flag],
  iptfs_init_delay: [39, exactly(u32)],
  iptfs_max_qsize: [40, exactly(u32)],
  iptfs_pkt_size: [41, exactly(u32)],
})

/** `XFRMA_SAD_`: the attributes of NEWSADINFO. */
export const sadAttributes = attributes('XFRMA_SAD', {
  cnt: [1, exactly(u32)],
  hinfo: [2, exactly(s.sadhinfo)],
})

/** `XFRMA_SPD_`: the attributes of NEWSPDINFO. */
export const spdAttributes = attributes('XFRMA_SPD', {
  info: [1, exactly(s.spdinfo)],
  hinfo: [2, exactly(s.spdhinfo)],
  ipv4_hthresh: [3, exactly(s.spdhthresh)],
  ipv6_hthresh: [4, exactly(s.spdhthresh)],
})

export type XfrmAttributes = AttributesValue<(typeof xfrmAttributes)['definitions']>
export type SadAttributes = AttributesValue<(typeof sadAttributes)['definitions']>
export type SpdAttributes = AttributesValue<(typeof spdAttributes)['definitions']>
