import t from 'tap'
import type { Placed, Struct } from '../../../netlink/codec/struct.ts'
import { xfrmAttributes } from '../../../netlink/xfrm/attributes.ts'
import { messageType, xfrm } from '../../../netlink/xfrm/messages.ts'
import * as structs from '../../../netlink/xfrm/structs.ts'

/** `sizeof`, and `offsetof:sizeof` of each member, as a C compiler prints them for `linux/xfrm.h`. */
const layouts: readonly (readonly [name: keyof typeof structs, size: number, members: string])[] = [
  ['address_filter', 36, 'saddr 0:16 daddr 16:16 family 32:2 splen 34:1 dplen 35:1'],
  ['aevent_id', 48, 'sa_id 0:24 saddr 24:16 flags 40:4 reqid 44:4'],
  ['algo', 68, 'alg_name 0:64 alg_key_len 64:4'],
  ['algo_aead', 72, 'alg_name 0:64 alg_key_len 64:4 alg_icv_len 68:4'],
  ['algo_auth', 72, 'alg_name 0:64 alg_key_len 64:4 alg_trunc_len 68:4'],
  ['encap_tmpl', 24, 'encap_type 0:2 encap_sport 2:2 encap_dport 4:2 encap_oa 8:16'],
  ['id', 24, 'daddr 0:16 spi 16:4 proto 20:1'],
  [
    'lifetime_cfg',
    64,
    'soft_byte_limit 0:8 hard_byte_limit 8:8 soft_packet_limit 16:8 hard_packet_limit 24:8 soft_add_expires_seconds 32:8 hard_add_expires_seconds 40:8 soft_use_expires_seconds 48:8 hard_use_expires_seconds 56:8',
  ],
  ['lifetime_cur', 32, 'bytes 0:8 packets 8:8 add_time 16:8 use_time 24:8'],
  ['mark', 8, 'v 0:4 m 4:4'],
  ['replay_state', 12, 'oseq 0:4 seq 4:4 bitmap 8:4'],
  ['replay_state_esn', 24, 'bmp_len 0:4 oseq 4:4 seq 8:4 oseq_hi 12:4 seq_hi 16:4 replay_window 20:4'],
  ['sadhinfo', 8, 'sadhcnt 0:4 sadhmcnt 4:4'],
  [
    'selector',
    56,
    'daddr 0:16 saddr 16:16 dport 32:2 dport_mask 34:2 sport 36:2 sport_mask 38:2 family 40:2 prefixlen_d 42:1 prefixlen_s 43:1 proto 44:1 ifindex 48:4 user 52:4',
  ],
  ['spdhinfo', 8, 'spdhcnt 0:4 spdhmcnt 4:4'],
  ['spdhthresh', 2, 'lbits 0:1 rbits 1:1'],
  ['spdinfo', 24, 'incnt 0:4 outcnt 4:4 fwdcnt 8:4 inscnt 12:4 outscnt 16:4 fwdscnt 20:4'],
  ['stats', 12, 'replay_window 0:4 replay 4:4 integrity_failed 8:4'],
  [
    'user_acquire',
    280,
    'id 0:24 saddr 24:16 sel 40:56 policy 96:168 aalgos 264:4 ealgos 268:4 calgos 272:4 seq 276:4',
  ],
  ['user_expire', 232, 'state 0:224 hard 224:1'],
  ['user_kmaddress', 40, 'local 0:16 remote 16:16 reserved 32:4 family 36:2'],
  ['user_mapping', 64, 'id 0:24 reqid 24:4 old_saddr 28:16 new_saddr 44:16 old_sport 60:2 new_sport 62:2'],
  [
    'user_migrate',
    76,
    'old_daddr 0:16 old_saddr 16:16 new_daddr 32:16 new_saddr 48:16 proto 64:1 mode 65:1 reserved 66:2 reqid 68:4 old_family 72:2 new_family 74:2',
  ],
  ['user_offload', 8, 'ifindex 0:4 flags 4:1'],
  ['user_polexpire', 176, 'pol 0:168 hard 168:1'],
  ['user_report', 60, 'proto 0:1 sel 4:56'],
  ['user_sec_ctx', 8, 'len 0:2 exttype 2:2 ctx_alg 4:1 ctx_doi 5:1 ctx_len 6:2'],
  [
    'user_tmpl',
    64,
    'id 0:24 family 24:2 saddr 28:16 reqid 44:4 mode 48:1 share 49:1 optional 50:1 aalgos 52:4 ealgos 56:4 calgos 60:4',
  ],
  ['userpolicy_default', 3, 'in 0:1 fwd 1:1 out 2:1'],
  ['userpolicy_id', 64, 'sel 0:56 index 56:4 dir 60:1'],
  [
    'userpolicy_info',
    168,
    'sel 0:56 lft 56:64 curlft 120:32 priority 152:4 index 156:4 dir 160:1 action 161:1 flags 162:1 share 163:1',
  ],
  ['userpolicy_type', 6, 'type 0:1 reserved1 2:2 reserved2 4:1'],
  ['usersa_flush', 1, 'proto 0:1'],
  ['usersa_id', 24, 'daddr 0:16 spi 16:4 family 20:2 proto 22:1'],
  [
    'usersa_info',
    224,
    'sel 0:56 id 56:24 saddr 80:16 lft 96:64 curlft 160:32 stats 192:12 seq 204:4 reqid 208:4 family 212:2 mode 214:1 replay_window 215:1 flags 216:1',
  ],
  ['userspi_info', 232, 'info 0:224 min 224:4 max 228:4'],
  [
    'user_migrate_state',
    132,
    'id 0:24 new_daddr 24:16 new_saddr 40:16 old_mark 56:8 new_sel 64:56 new_reqid 120:4 flags 124:4 new_family 128:2 reserved 130:2',
  ],
  ['info_flags', 4, 'flags 0:4'],
]

const described = new Map<string, unknown>(Object.entries(structs).filter(([, one]) => 'members' in one))

for (const [name, size, members] of layouts) {
  t.test(`${name} lies as in C`, async (t) => {
    const struct = described.get(name) as Struct<unknown>
    const written = ({ name, offset, field }: Placed) => `${name} ${offset}:${field.size}`
    t.equal(struct.size, size)
    t.equal(struct.members.map(written).join(' '), members)
  })
}

t.test('no struct is left out above', async (t) => {
  t.same([...described.keys()].sort(), layouts.map(([name]) => name).sort())
})

t.test('every message type from 16 to 41 has its number, and every attribute from 1 to 41', async (t) => {
  const numbers = Array.from({ length: 41 }, (_, i) => i + 1)
  const messages = Object.values(xfrm.definitions).map(([type]) => type)
  t.same(messages, numbers.slice(15))
  t.same(
    Object.values(xfrmAttributes.definitions).map(([type]) => type),
    numbers,
  )
  t.equal(messageType('NEWSA'), 0x10)
  t.equal(messageType('GETDEFAULT'), 0x28)
})
