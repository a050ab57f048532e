/**
 * `ip xfrm policy …` and what each command should send.
 *
 * @module
 */
import {
  action,
  dir,
  family,
  mode,
  policyFlag,
  policyType,
  proto,
  userpolicy,
} from '../../../netlink/xfrm/constants.ts'
import { defaultPolicy, defaultSelector } from '../../../netlink/xfrm/defaults.ts'
import type { XfrmMessage } from '../../../netlink/xfrm/messages.ts'
import type { Selector, UserpolicyInfo } from '../../../netlink/xfrm/structs.ts'
import { address, between, type Command, message, template } from './command.ts'
import { longMark, unpadded } from './differences.ts'

type Attributes = XfrmMessage<'NEWPOLICY'>['attributes']

const v4 = 'src 10.0.0.1 dst 10.0.0.2'
const v6 = 'src 2001:db8::1 dst 2001:db8::2'
const nets = 'src 10.0.0.0/24 dst 10.2.0.0/16'
const sel4 = between('10.0.0.1/32', '10.0.0.2/32')
const sel6 = between('2001:db8::1/128', '2001:db8::2/128')
const selNets = between('10.0.0.0/24', '10.2.0.0/16')
const label = 'system_u:object_r:x:s0'

function add(words: string, body: Partial<UserpolicyInfo>, attributes: Attributes = {}): Command {
  return {
    line: `xfrm policy add ${words}`,
    sends: [message('NEWPOLICY', { ...defaultPolicy(), ...body }, attributes)],
  }
}

/** An outbound policy between two hosts that differs in its selector only. */
function matching(words: string, more: Partial<Selector>): Command {
  return add(`${v4} ${words} dir out`, { sel: { ...sel4, ...more }, dir: dir.OUT })
}

const gateways = {
  id: { daddr: address('192.0.2.2'), spi: 0, proto: proto.ESP },
  saddr: address('192.0.2.1'),
}
const hosts6 = {
  id: { daddr: address('2001:db8::2'), spi: 0, proto: proto.ESP },
  saddr: address('2001:db8::1'),
  family: family.INET6,
}

const templates: readonly Command[] = [
  add(
    `${v4} dir out tmpl proto esp mode transport`,
    { sel: sel4, dir: dir.OUT },
    { tmpl: [template(proto.ESP)] },
  ),
  add(
    `${nets} dir in priority 100 tmpl src 192.0.2.1 dst 192.0.2.2 proto esp reqid 7 mode tunnel`,
    { sel: selNets, dir: dir.IN, priority: 100 },
    { tmpl: [template(proto.ESP, { ...gateways, reqid: 7, mode: mode.TUNNEL })] },
  ),
  add(
    `${nets} dir fwd tmpl src 192.0.2.1 dst 192.0.2.2 proto esp spi 0x99 mode tunnel level use`,
    { sel: selNets, dir: dir.FWD },
    {
      tmpl: [
        template(proto.ESP, {
          ...gateways,
          id: { ...gateways.id, spi: 0x99 },
          mode: mode.TUNNEL,
          optional: 1,
        }),
      ],
    },
  ),
  add(
    `${v6} dir out tmpl src 2001:db8::1 dst 2001:db8::2 proto esp mode beet level required`,
    { sel: sel6, dir: dir.OUT },
    { tmpl: [template(proto.ESP, { ...hosts6, mode: mode.BEET })] },
  ),
  add(
    `${v6} dir out tmpl proto route2 mode ro`,
    { sel: sel6, dir: dir.OUT },
    { tmpl: [template(proto.ROUTING, { family: family.INET6, mode: mode.ROUTEOPTIMIZATION })] },
  ),
  add(
    `${v4} dir out tmpl proto esp mode transport tmpl proto ah reqid 4 mode transport`,
    { sel: sel4, dir: dir.OUT },
    { tmpl: [template(proto.ESP), template(proto.AH, { reqid: 4 })] },
  ),
  add(
    `${v4} dir in tmpl proto comp mode transport level use tmpl proto esp mode transport`,
    { sel: sel4, dir: dir.IN },
    { tmpl: [template(proto.COMP, { optional: 1 }), template(proto.ESP)] },
  ),
]

const bodies: readonly Command[] = [
  add(`${v4} dir in action block`, { sel: sel4, action: action.BLOCK }),
  add(`${v4} dir in action allow priority 4294967295`, { sel: sel4, priority: 0xffff_ffff }),
  add(`${v4} dir in flag icmp`, { sel: sel4, flags: policyFlag.ICMP }),
  add(`${v4} dir in flag localok`, { sel: sel4, flags: policyFlag.LOCALOK }),
  add(`${v4} dir in flag localok icmp`, { sel: sel4, flags: policyFlag.LOCALOK | policyFlag.ICMP }),
  add(
    `${v4} dir out limit byte-soft 1 limit byte-hard 2 limit packet-soft 3 limit packet-hard 4 ` +
      'limit time-soft 5 limit time-hard 6 limit time-use-soft 7 limit time-use-hard 8',
    {
      sel: sel4,
      dir: dir.OUT,
      lft: {
        soft_byte_limit: 1n,
        hard_byte_limit: 2n,
        soft_packet_limit: 3n,
        hard_packet_limit: 4n,
        soft_add_expires_seconds: 5n,
        hard_add_expires_seconds: 6n,
        soft_use_expires_seconds: 7n,
        hard_use_expires_seconds: 8n,
      },
    },
  ),
]

const full = 0xffff

const selectors: readonly Command[] = [
  matching('proto tcp sport 80 dport 443', {
    proto: 6,
    sport: 80,
    sport_mask: full,
    dport: 443,
    dport_mask: full,
  }),
  matching('proto udp dport 53', { proto: 17, dport: 53, dport_mask: full }),
  matching('proto icmp type 8 code 0', { proto: 1, sport: 8, sport_mask: full, dport: 0, dport_mask: full }),
  matching('proto gre key 0x12345678', {
    proto: 47,
    sport: 0x1234,
    sport_mask: full,
    dport: 0x5678,
    dport_mask: full,
  }),
  matching('proto 89', { proto: 89 }),
  add(`${v6} proto ipv6-icmp type 135 dir out`, {
    sel: { ...sel6, proto: 58, sport: 135, sport_mask: full },
    dir: dir.OUT,
  }),
  add('dir out dev lo', { sel: { ...defaultSelector(), ifindex: 1 }, dir: dir.OUT }),
  add('src 0.0.0.0/0 dst 0.0.0.0/0 dir out', { dir: dir.OUT }),
  add('src ::/0 dst ::/0 dir in', { sel: defaultSelector(family.INET6) }),
]

const main = { type: policyType.MAIN, reserved1: 0, reserved2: 0 }
const sub = { ...main, type: policyType.SUB }

const attributes: readonly Command[] = [
  add(
    `${v4} dir out mark 5 mask 0xff if_id 3`,
    { sel: sel4, dir: dir.OUT },
    { mark: { v: 5, m: 0xff }, if_id: 3 },
  ),
  add(
    `${v4} dir out mark 0 mask 0x80000000`,
    { sel: sel4, dir: dir.OUT },
    { mark: { v: 0, m: 0x8000_0000 } },
  ),
  add(`${v4} dir out ptype main index 0x19`, { sel: sel4, dir: dir.OUT, index: 0x19 }, { policy_type: main }),
  add(`${v4} dir out ptype sub`, { sel: sel4, dir: dir.OUT }, { policy_type: sub }),
  add(
    `${v4} dir out ctx ${label}`,
    { sel: sel4, dir: dir.OUT },
    { sec_ctx: { len: 31, exttype: 8, ctx_alg: 1, ctx_doi: 1, ctx_len: 23, ctx: Buffer.from(`${label}\0`) } },
  ),
]

const id = { sel: sel4, index: 0, dir: dir.OUT }
const byIndex = { sel: defaultSelector(), index: 9, dir: dir.OUT }
const ssh = { ...sel4, proto: 6, dport: 22, dport_mask: full }

const requests: readonly Command[] = [
  {
    line: `xfrm policy update ${v4} dir out priority 3 tmpl proto esp mode transport`,
    sends: [
      message(
        'UPDPOLICY',
        { ...defaultPolicy(), sel: sel4, dir: dir.OUT, priority: 3 },
        { tmpl: [template(proto.ESP)] },
      ),
    ],
  },
  { line: `xfrm policy get ${v4} dir out`, sends: [message('GETPOLICY', id)] },
  { line: 'xfrm policy get index 9 dir out', sends: [message('GETPOLICY', byIndex)] },
  { line: `xfrm policy delete ${v4} dir out`, sends: [message('DELPOLICY', id)] },
  {
    line: `xfrm policy delete ${v4} proto tcp dport 22 dir in mark 5 mask 0xff if_id 3 ptype main`,
    sends: [
      message(
        'DELPOLICY',
        { sel: ssh, index: 0, dir: dir.IN },
        { policy_type: main, mark: { v: 5, m: 0xff }, if_id: 3 },
      ),
    ],
  },
  { line: 'xfrm policy delete index 9 dir out', sends: [message('DELPOLICY', byIndex)] },
  { line: 'xfrm policy list', sends: [{ dump: 'GETPOLICY', attributes: {} }] },
  { line: 'xfrm policy flush', sends: [message('FLUSHPOLICY', {})] },
  { line: 'xfrm policy flush ptype main', sends: [message('FLUSHPOLICY', {}, { policy_type: main })] },
  { line: 'xfrm policy flush ptype sub', sends: [message('FLUSHPOLICY', {}, { policy_type: sub })] },
  { line: 'xfrm policy count', sends: [message('GETSPDINFO', { flags: 0xffff_ffff })] },
  {
    line: 'xfrm policy set hthresh4 24 16 hthresh6 64 48',
    sends: [
      message(
        'NEWSPDINFO',
        { flags: 0xffff_ffff },
        { ipv4_hthresh: { lbits: 24, rbits: 16 }, ipv6_hthresh: { lbits: 64, rbits: 48 } },
      ),
    ],
  },
  {
    line: 'xfrm policy setdefault in block fwd block out accept',
    sends: [message('SETDEFAULT', { in: userpolicy.BLOCK, fwd: userpolicy.BLOCK, out: userpolicy.ACCEPT })],
    differs: unpadded(3),
  },
  {
    line: 'xfrm policy setdefault in accept',
    sends: [message('SETDEFAULT', { in: userpolicy.ACCEPT, fwd: userpolicy.UNSPEC, out: userpolicy.UNSPEC })],
    differs: unpadded(3),
  },
  {
    line: 'xfrm policy getdefault',
    sends: [message('GETDEFAULT', { in: 0, fwd: 0, out: 0 })],
    differs: unpadded(3),
  },
]

const dump = { dump: 'GETPOLICY', attributes: {} } as const

const deleteAll: readonly Command[] = [
  {
    line: 'xfrm policy deleteall',
    before: ['xfrm policy flush', `xfrm policy add ${v4} dir out index 0x19`],
    sends: [dump, message('DELPOLICY', { ...id, index: 0x19 }), dump],
  },
  {
    line: 'xfrm policy deleteall dir in',
    before: ['xfrm policy flush', `xfrm policy add ${v4} dir in index 0x18 mark 5 mask 0xff`],
    sends: [
      dump,
      message('DELPOLICY', { sel: sel4, index: 0x18, dir: dir.IN }, { mark: { v: 5, m: 0xff } }),
      dump,
    ],
    differs: longMark,
  },
]

/** All of them. */
export const policyCommands: readonly Command[] = [
  ...templates,
  ...bodies,
  ...selectors,
  ...attributes,
  ...requests,
  ...deleteAll,
]
