import t from 'tap'
import { action, aeFlag, dir, INF, mode, policyType, userpolicy } from '../../../netlink/xfrm/constants.ts'
import { defaultLifetime } from '../../../netlink/xfrm/defaults.ts'
import {
  decodeMessage,
  encodeMessage,
  type MessageName,
  messageType,
} from '../../../netlink/xfrm/messages.ts'
import { hex, plain } from '../codec/plain.ts'

const v4 = (...bytes: number[]) => [...bytes, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]

/** Payloads as a kernel 6.18 sent them, and what they say. */
const captured: readonly (readonly [name: MessageName, payload: string, says: object])[] = [
  [
    'NEWPOLICY',
    `
    0a0000020000000000000000000000000a00000100000000000000000000000000000000000000000200202000000000
    0000000000000000ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff0000000000000000
    00000000000000000000000000000000000000000000000000000000000000000000000000000000d2d7006b00000000
    000000000000000007000000010000000100000000000000840005000000000000000000000000000000000000000000
    3200000002000000000000000000000000000000000000000900000000000000ffffffffffffffffffffffff00000000
    000000000000000000000000000000003300000002000000000000000000000000000000000000000900000000000000
    ffffffffffffffffffffffff0a0010000000000000000000
    `,
    {
      body: {
        sel: { daddr: v4(10, 0, 0, 2), saddr: v4(10, 0, 0, 1), family: 2, prefixlen_d: 32, prefixlen_s: 32 },
        lft: defaultLifetime(),
        priority: 7,
        index: 1,
        dir: dir.OUT,
        action: action.ALLOW,
      },
      attributes: {
        tmpl: [
          { id: { proto: 50 }, family: 2, reqid: 9, mode: mode.TRANSPORT, aalgos: 0xffff_ffff },
          { id: { proto: 51 }, family: 2, reqid: 9, mode: mode.TRANSPORT, calgos: 0xffff_ffff },
        ],
        policy_type: { type: policyType.MAIN },
      },
    },
  ],
  [
    'DELPOLICY',
    `
    0a0000020000000000000000000000000a00000100000000000000000000000000000000000000000200202000000000
    00000000000000000000000001000000ac0007000a0000020000000000000000000000000a0000010000000000000000
    00000000000000000000000002002020000000000000000000000000ffffffffffffffffffffffffffffffffffffffff
    ffffffffffffffffffffffff000000000000000000000000000000000000000000000000000000000000000000000000
    000000000000000000000000d4d7006b0000000000000000000000000800000001000000010000000000000044000500
    000000000000000000000000000000000000000032000000020000000000000000000000000000000000000009000000
    00000000ffffffffffffffffffffffff0a0010000000000000000000
    `,
    {
      body: { sel: { daddr: v4(10, 0, 0, 2) }, index: 0, dir: dir.OUT },
      attributes: { policy: { priority: 8, dir: dir.OUT }, tmpl: [{ reqid: 9 }], policy_type: { type: 0 } },
    },
  ],
  [
    'POLEXPIRE',
    `
    0a0000020000000000000000000000000a00000100000000000000000000000000000000000000000200202000000000
    0000000000000000ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff0000000000000000
    01000000000000000000000000000000000000000000000000000000000000000000000000000000d5d7006b00000000
    00000000000000000000000008000000000100000000000001000000000000000a0010000000000000000000
    `,
    {
      body: { pol: { action: action.BLOCK, index: 8, lft: { hard_add_expires_seconds: 1n } }, hard: 1 },
      attributes: { policy_type: { type: 0 } },
    },
  ],
  [
    'ACQUIRE',
    `
    000000000000000000000000000000010000000032000000000000000000000000000000000000010000000000000000
    0000000000000001000000000000000000000000000000010401ffffb697ffff0a008080110000000000000000000000
    000000000000000000000000000000010000000000000000000000000000000000000000000000000a00800000000000
    0000000000000000ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff0000000000000000
    00000000000000000000000000000000000000000000000000000000000000000000000000000000edd7006b00000000
    000000000000000007000000010000000100000000000000ffffffffffffffffffffffff010000004400050000000000
    00000000000000000000000000000000320000000a000000000000000000000000000000000000000900000000000000
    ffffffffffffffffffffffff0a0010000000000000000000
    `,
    {
      body: {
        id: { spi: 0, proto: 50 },
        sel: {
          sport: 0xb697,
          sport_mask: 0xffff,
          dport: 1025,
          dport_mask: 0xffff,
          family: 10,
          proto: 17,
          ifindex: 0,
        },
        policy: { priority: 7, dir: dir.OUT },
        aalgos: 0xffff_ffff,
        seq: 1,
      },
      attributes: { tmpl: [{ id: { proto: 50 }, family: 10, reqid: 9 }] },
    },
  ],
  [
    'NEWSA',
    `
    0a0000010000000000000000000000000a00000200000000000000000000000000000000000000000000202000000000
    00000000000000000a00000100000000000000000000000000001000320000000a000002000000000000000000000000
    ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff00000000000000001e00000000000000
    0000000000000000000000000000000000000000000000000000000000000000d7d7006b000000000000000000000000
    000000000000000000000000000000000500000002000100000000000000000010000a00000000000000000000000000
    `,
    {
      body: {
        id: { daddr: v4(10, 0, 0, 1), spi: 0x1000, proto: 50 },
        saddr: v4(10, 0, 0, 2),
        lft: { hard_byte_limit: INF, hard_add_expires_seconds: 30n },
        reqid: 5,
        family: 2,
        mode: mode.TUNNEL,
      },
      attributes: { replay_val: { oseq: 0, seq: 0, bitmap: 0 } },
    },
  ],
  [
    'DELSA',
    `
    0a0000010000000000000000000000000000100002003200e40006000a0000010000000000000000000000000a000002
    0000000000000000000000000000000000000000000020200000000000000000000000000a0000010000000000000000
    0000000000001000320000000a000002000000000000000000000000ffffffffffffffffffffffffffffffffffffffff
    ffffffffffffffffffffffff00000000000000001e000000000000000000000000000000000000000000000000000000
    000000000000000000000000d7d7006b0000000000000000000000000000000000000000000000000000000005000000
    02000100000000000000000010000a00000000000000000000000000
    `,
    {
      body: { daddr: v4(10, 0, 0, 1), spi: 0x1000, family: 2, proto: 50 },
      attributes: { sa: { reqid: 5, mode: mode.TUNNEL }, replay_val: { seq: 0 } },
    },
  ],
  [
    'EXPIRE',
    `
    0a0000010000000000000000000000000a00000200000000000000000000000000000000000000000000202000000000
    00000000000000000a00000100000000000000000000000000001000320000000a000002000000000000000000000000
    ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff00000000000000000200000000000000
    000000000000000000000000000000000000000000000000000000000000000009d9006b000000000000000000000000
    00000000000000000000000000000000050000000200010000000000000000000100000000000000
    `,
    {
      body: { state: { id: { spi: 0x1000 }, lft: { hard_add_expires_seconds: 2n }, reqid: 5 }, hard: 1 },
    },
  ],
  [
    'NEWAE',
    `
    0a00000100000000000000000000000000001000020032000a0000020000000000000000000000000f00000005000000
    10000a00000000000000000000000000240009000000000000000000000000000000000009d9006b0000000000000000
    0000000008000b000000000008000c0000000000
    `,
    {
      body: {
        sa_id: { daddr: v4(10, 0, 0, 1), spi: 0x1000, family: 2, proto: 50 },
        saddr: v4(10, 0, 0, 2),
        flags: aeFlag.RTHR | aeFlag.RVAL | aeFlag.LVAL | aeFlag.ETHR,
        reqid: 5,
      },
      attributes: {
        replay_val: { oseq: 0 },
        ltime_val: { bytes: 0n, packets: 0n, use_time: 0n },
        replay_thresh: 0,
        etimer_thresh: 0,
      },
    },
  ],
  [
    'FLUSHPOLICY',
    `
    0a0010000000000000000000
    `,
    { body: {}, attributes: { policy_type: { type: policyType.MAIN } } },
  ],
  [
    'GETDEFAULT',
    `
    01020200
    `,
    { body: { in: userpolicy.BLOCK, fwd: userpolicy.ACCEPT, out: userpolicy.ACCEPT } },
  ],
  [
    'NEWSPDINFO',
    `
    ffffffff1c0001000000000000000000000000000000000000000000000000000c000200070000000000100006000300
    202000000600040080800000
    `,
    {
      attributes: {
        info: { incnt: 0, outcnt: 0, fwdcnt: 0, inscnt: 0, outscnt: 0, fwdscnt: 0 },
        hinfo: { spdhcnt: 7, spdhmcnt: 0x100000 },
        ipv4_hthresh: { lbits: 32, rbits: 32 },
        ipv6_hthresh: { lbits: 128, rbits: 128 },
      },
    },
  ],
  [
    'NEWSADINFO',
    `
    ffffffff08000100000000000c0002000800000000001000
    `,
    { attributes: { cnt: 0, hinfo: { sadhcnt: 8, sadhmcnt: 0x100000 } } },
  ],
]

for (const [name, digits, says] of captured) {
  t.test(`${name} as the kernel sends it`, async (t) => {
    const payload = hex(digits)
    const message = decodeMessage(messageType(name), payload)
    t.equal(message.name, name)
    t.match(plain(message), says)
    t.notOk('unknown' in message.attributes, 'every attribute is known')
    t.same(Array.from(encodeMessage(message)), Array.from(payload), 'and back to the same bytes')
  })
}
