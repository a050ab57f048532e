/**
 * Every struct of the XFRM user API, with the members' names of `linux/xfrm.h` and the layout of 64-bit
 * platforms. SPIs and ports are plain numbers here; `be16` and `be32` are how they travel.
 *
 * @module
 */
import { be16, be32, bytes, name, u8, u16, u32, u64, type ValueOf } from '../codec/field.ts'
import { pad, struct } from '../codec/struct.ts'

/** `xfrm_address_t`: 16 bytes in network order; an IPv4 address is the first four, the rest zero. */
export const address = bytes(16, 'xfrm_address_t')

export const id = struct('xfrm_id', 24, [['daddr', address], ['spi', be32], ['proto', u8], pad(3)])

export const selector = struct('xfrm_selector', 56, [
  ['daddr', address],
  ['saddr', address],
  ['dport', be16],
  ['dport_mask', be16],
  ['sport', be16],
  ['sport_mask', be16],
  ['family', u16],
  ['prefixlen_d', u8],
  ['prefixlen_s', u8],
  ['proto', u8],
  pad(3),
  ['ifindex', u32],
  ['user', u32],
])

export const lifetime_cfg = struct('xfrm_lifetime_cfg', 64, [
  ['soft_byte_limit', u64],
  ['hard_byte_limit', u64],
  ['soft_packet_limit', u64],
  ['hard_packet_limit', u64],
  ['soft_add_expires_seconds', u64],
  ['hard_add_expires_seconds', u64],
  ['soft_use_expires_seconds', u64],
  ['hard_use_expires_seconds', u64],
])

export const lifetime_cur = struct('xfrm_lifetime_cur', 32, [
  ['bytes', u64],
  ['packets', u64],
  ['add_time', u64],
  ['use_time', u64],
])

export const stats = struct('xfrm_stats', 12, [
  ['replay_window', u32],
  ['replay', u32],
  ['integrity_failed', u32],
])

export const replay_state = struct('xfrm_replay_state', 12, [
  ['oseq', u32],
  ['seq', u32],
  ['bitmap', u32],
])

/** Head of `xfrm_replay_state_esn`; `bmp`, of `bmp_len` words, follows. */
export const replay_state_esn = struct('xfrm_replay_state_esn', 24, [
  ['bmp_len', u32],
  ['oseq', u32],
  ['seq', u32],
  ['oseq_hi', u32],
  ['seq_hi', u32],
  ['replay_window', u32],
])

/** Head of `xfrm_algo`; `alg_key`, of `alg_key_len` bits, follows. */
export const algo = struct('xfrm_algo', 68, [
  ['alg_name', name(64)],
  ['alg_key_len', u32],
])

/** Head of `xfrm_algo_auth`; both lengths in bits. */
export const algo_auth = struct('xfrm_algo_auth', 72, [
  ['alg_name', name(64)],
  ['alg_key_len', u32],
  ['alg_trunc_len', u32],
])

/** Head of `xfrm_algo_aead`; both lengths in bits, the salt counted as key. */
export const algo_aead = struct('xfrm_algo_aead', 72, [
  ['alg_name', name(64)],
  ['alg_key_len', u32],
  ['alg_icv_len', u32],
])

/** Head of `xfrm_user_sec_ctx`; the context, of `ctx_len` bytes, follows. `len` counts both. */
export const user_sec_ctx = struct('xfrm_user_sec_ctx', 8, [
  ['len', u16],
  ['exttype', u16],
  ['ctx_alg', u8],
  ['ctx_doi', u8],
  ['ctx_len', u16],
])

export const user_tmpl = struct('xfrm_user_tmpl', 64, [
  ['id', id],
  ['family', u16],
  pad(2),
  ['saddr', address],
  ['reqid', u32],
  ['mode', u8],
  ['share', u8],
  ['optional', u8],
  pad(1),
  ['aalgos', u32],
  ['ealgos', u32],
  ['calgos', u32],
])

export const encap_tmpl = struct('xfrm_encap_tmpl', 24, [
  ['encap_type', u16],
  ['encap_sport', be16],
  ['encap_dport', be16],
  pad(2),
  ['encap_oa', address],
])

export const userpolicy_type = struct('xfrm_userpolicy_type', 6, [
  ['type', u8],
  pad(1),
  ['reserved1', u16],
  ['reserved2', u8],
  pad(1),
])

/** A mark matches where the packet's mark under the mask `m` is `v`. */
export const mark = struct('xfrm_mark', 8, [
  ['v', u32],
  ['m', u32],
])

export const usersa_info = struct('xfrm_usersa_info', 224, [
  ['sel', selector],
  ['id', id],
  ['saddr', address],
  ['lft', lifetime_cfg],
  ['curlft', lifetime_cur],
  ['stats', stats],
  ['seq', u32],
  ['reqid', u32],
  ['family', u16],
  ['mode', u8],
  ['replay_window', u8],
  ['flags', u8],
  pad(7),
])

export const usersa_id = struct('xfrm_usersa_id', 24, [
  ['daddr', address],
  ['spi', be32],
  ['family', u16],
  ['proto', u8],
  pad(1),
])

/** `min` and `max` bound the SPI; unlike the SPI itself they travel in host order. */
export const userspi_info = struct('xfrm_userspi_info', 232, [
  ['info', usersa_info],
  ['min', u32],
  ['max', u32],
])

export const userpolicy_info = struct('xfrm_userpolicy_info', 168, [
  ['sel', selector],
  ['lft', lifetime_cfg],
  ['curlft', lifetime_cur],
  ['priority', u32],
  ['index', u32],
  ['dir', u8],
  ['action', u8],
  ['flags', u8],
  ['share', u8],
  pad(4),
])

export const userpolicy_id = struct('xfrm_userpolicy_id', 64, [
  ['sel', selector],
  ['index', u32],
  ['dir', u8],
  pad(3),
])

export const user_acquire = struct('xfrm_user_acquire', 280, [
  ['id', id],
  ['saddr', address],
  ['sel', selector],
  ['policy', userpolicy_info],
  ['aalgos', u32],
  ['ealgos', u32],
  ['calgos', u32],
  ['seq', u32],
])

export const user_expire = struct('xfrm_user_expire', 232, [['state', usersa_info], ['hard', u8], pad(7)])

export const user_polexpire = struct('xfrm_user_polexpire', 176, [
  ['pol', userpolicy_info],
  ['hard', u8],
  pad(7),
])

export const usersa_flush = struct('xfrm_usersa_flush', 1, [['proto', u8]])

export const user_report = struct('xfrm_user_report', 60, [['proto', u8], pad(3), ['sel', selector]])

export const aevent_id = struct('xfrm_aevent_id', 48, [
  ['sa_id', usersa_id],
  ['saddr', address],
  ['flags', u32],
  ['reqid', u32],
])

export const user_kmaddress = struct('xfrm_user_kmaddress', 40, [
  ['local', address],
  ['remote', address],
  ['reserved', u32],
  ['family', u16],
  pad(2),
])

export const user_migrate = struct('xfrm_user_migrate', 76, [
  ['old_daddr', address],
  ['old_saddr', address],
  ['new_daddr', address],
  ['new_saddr', address],
  ['proto', u8],
  ['mode', u8],
  ['reserved', u16],
  ['reqid', u32],
  ['old_family', u16],
  ['new_family', u16],
])

export const user_migrate_state = struct('xfrm_user_migrate_state', 132, [
  ['id', usersa_id],
  ['new_daddr', address],
  ['new_saddr', address],
  ['old_mark', mark],
  ['new_sel', selector],
  ['new_reqid', u32],
  ['flags', u32],
  ['new_family', u16],
  ['reserved', u16],
])

export const user_mapping = struct('xfrm_user_mapping', 64, [
  ['id', usersa_id],
  ['reqid', u32],
  ['old_saddr', address],
  ['new_saddr', address],
  ['old_sport', be16],
  ['new_sport', be16],
])

export const address_filter = struct('xfrm_address_filter', 36, [
  ['saddr', address],
  ['daddr', address],
  ['family', u16],
  ['splen', u8],
  ['dplen', u8],
])

export const user_offload = struct('xfrm_user_offload', 8, [['ifindex', u32], ['flags', u8], pad(3)])

export const userpolicy_default = struct('xfrm_userpolicy_default', 3, [
  ['in', u8],
  ['fwd', u8],
  ['out', u8],
])

/** Numbers of policies by direction: the system's, then those of single sockets. */
export const spdinfo = struct('xfrmu_spdinfo', 24, [
  ['incnt', u32],
  ['outcnt', u32],
  ['fwdcnt', u32],
  ['inscnt', u32],
  ['outscnt', u32],
  ['fwdscnt', u32],
])

/** Buckets of the policies' hash table, now and at most. */
export const spdhinfo = struct('xfrmu_spdhinfo', 8, [
  ['spdhcnt', u32],
  ['spdhmcnt', u32],
])

/** Prefix lengths from which policies go into the exact hash. */
export const spdhthresh = struct('xfrmu_spdhthresh', 2, [
  ['lbits', u8],
  ['rbits', u8],
])

/** Buckets of the SAs' hash table, now and at most. */
export const sadhinfo = struct('xfrmu_sadhinfo', 8, [
  ['sadhcnt', u32],
  ['sadhmcnt', u32],
])

/** The bare `u32` that is the body of the SADINFO and SPDINFO messages. */
export const info_flags = struct('flags', 4, [['flags', u32]])

export type Id = ValueOf<typeof id>
export type Selector = ValueOf<typeof selector>
export type LifetimeCfg = ValueOf<typeof lifetime_cfg>
export type LifetimeCur = ValueOf<typeof lifetime_cur>
export type Stats = ValueOf<typeof stats>
export type ReplayState = ValueOf<typeof replay_state>
export type UserTmpl = ValueOf<typeof user_tmpl>
export type EncapTmpl = ValueOf<typeof encap_tmpl>
export type UserpolicyType = ValueOf<typeof userpolicy_type>
export type Mark = ValueOf<typeof mark>
export type UsersaInfo = ValueOf<typeof usersa_info>
export type UsersaId = ValueOf<typeof usersa_id>
export type UserspiInfo = ValueOf<typeof userspi_info>
export type UserpolicyInfo = ValueOf<typeof userpolicy_info>
export type UserpolicyId = ValueOf<typeof userpolicy_id>
export type UserAcquire = ValueOf<typeof user_acquire>
export type UserExpire = ValueOf<typeof user_expire>
export type UserPolexpire = ValueOf<typeof user_polexpire>
export type AeventId = ValueOf<typeof aevent_id>
export type UserMigrate = ValueOf<typeof user_migrate>
export type UserMapping = ValueOf<typeof user_mapping>
export type AddressFilter = ValueOf<typeof address_filter>
export type UserOffload = ValueOf<typeof user_offload>
export type UserpolicyDefault = ValueOf<typeof userpolicy_default>
