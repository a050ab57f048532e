/**
 * A host in memory that packets are shown to: 10.0.0.1, or 10.0.0.2 where it is the other end.
 *
 * @module
 */
import { type Frame, newFrame } from '../../../agent/capture/frame.ts'
import { findIp } from '../../../agent/capture/link-layers.ts'
import type { SaMessage } from '../../../agent/capture/viewed-sa.ts'
import { defaultAlgorithmTable } from '../../../agent/model/default-algorithms.ts'
import { refreshChecksum } from '../../../agent/packet/ip-header.ts'
import type { HostFacts } from '../../../agent/verify/host-facts.ts'
import { Inspector } from '../../../agent/verify/inspector.ts'
import { LiveTables, type TableSource } from '../../../agent/verify/live-tables.ts'
import { type Finding, Tally } from '../../../agent/verify/tally.ts'
import { CATEGORIES, type Category } from '../../../agent/verify/verdict.ts'
import { NetlinkError } from '../../../netlink/socket/error.ts'
import type { XfrmAttributes } from '../../../netlink/xfrm/attributes.ts'
import { action, family as af, dir, mode, proto } from '../../../netlink/xfrm/constants.ts'
import { defaultPolicy, defaultSelector, defaultTemplate } from '../../../netlink/xfrm/defaults.ts'
import type { XfrmMessage } from '../../../netlink/xfrm/messages.ts'
import type { Selector } from '../../../netlink/xfrm/structs.ts'
import { address } from '../../support/address.ts'
import { ipv4 } from '../capture/files.ts'
import { Loop, type LoopOptions } from '../datapath/software/loop.ts'

export const LEFT = '10.0.0.1'
export const RIGHT = '10.0.0.2'
/** Time of the first packet, milliseconds since 1970. */
export const BEGIN = 1_800_000_000_000
// linux/if_packet.h
const PACKET_HOST = 0
const PACKET_OUTGOING = 4

const bytesOf = (text: string) => Uint8Array.from([...address(text).bytes])

export interface PolicyOptions {
  readonly direction: keyof typeof dir
  readonly asks?: readonly ('esp' | 'ah')[]
  readonly isBlock?: boolean
  readonly isTunnel?: boolean
  readonly reqid?: number
  readonly priority?: number
  readonly index?: number
  readonly sel?: Partial<Selector>
  readonly attributes?: XfrmAttributes
}

/** Of a class of ours. */
const OUR_REQID = 0x5000_0001

let lastIndex = 0

/** A policy for all packets. The first protocol that it asks for is the innermost. */
export function policy(options: PolicyOptions): XfrmMessage<'NEWPOLICY'> {
  const { direction, asks = [], isBlock = false, isTunnel = false, reqid = OUR_REQID, priority = 0 } = options
  const tmpl = asks.map((name) => ({
    ...defaultTemplate(),
    id: { daddr: new Uint8Array(16), spi: 0, proto: name === 'esp' ? proto.ESP : proto.AH },
    mode: isTunnel ? mode.TUNNEL : mode.TRANSPORT,
    reqid,
  }))
  lastIndex += 8
  return {
    name: 'NEWPOLICY',
    body: {
      ...defaultPolicy(),
      sel: { ...defaultSelector(af.INET), ...options.sel },
      dir: dir[direction],
      action: isBlock ? action.BLOCK : action.ALLOW,
      priority,
      index: options.index ?? lastIndex,
    },
    attributes: { ...(tmpl.length > 0 && { tmpl }), ...options.attributes },
  } as XfrmMessage<'NEWPOLICY'>
}

/** `in` and `out` ask for the same. */
export function both(options: Omit<PolicyOptions, 'direction'>): XfrmMessage<'NEWPOLICY'>[] {
  return [policy({ ...options, direction: 'OUT' }), policy({ ...options, direction: 'IN' })]
}

const KEY = { alg_name: 'rfc4106(gcm(aes))', alg_key_len: 160, alg_icv_len: 128 }

/** An SA to 10.0.0.2 and what it makes of packets. */
export function association(options: Partial<LoopOptions> & { readonly fill?: number } = {}): Loop {
  const { fill = 7, ...rest } = options
  return new Loop({
    protocol: 'esp',
    attributes: { alg_aead: { ...KEY, alg_key: new Uint8Array(20).fill(fill) } },
    version: 4,
    destination: bytesOf(RIGHT),
    isTunnel: false,
    isExtended: false,
    inUdp: false,
    window: 64,
    ...rest,
  })
}

export const AH_ATTRIBUTES = {
  alg_auth_trunc: {
    alg_name: 'hmac(sha256)',
    alg_key_len: 256,
    alg_trunc_len: 128,
    alg_key: new Uint8Array(32).fill(9),
  },
}

/** What the loop's SA is to a dump. */
export function stateOf(
  { sender }: Loop,
  body: Partial<SaMessage['body']> = {},
  attributes: XfrmAttributes = {},
) {
  return {
    name: 'NEWSA',
    body: { ...sender.body, reqid: OUR_REQID, ...body },
    attributes: { ...sender.attributes, ...attributes },
  } as XfrmMessage<'NEWSA'>
}

/** @throws Error where it cannot be protected */
export function protect(loop: Loop, packet: Uint8Array): Uint8Array {
  const wire = loop.protect(packet)
  if (typeof wire === 'string') throw new Error(wire)
  return wire
}

export interface PacketOptions {
  readonly from?: string
  readonly to?: string
  readonly port?: number
  readonly sourcePort?: number
  readonly payload?: Uint8Array
  readonly protocol?: number
}

/** UDP from 10.0.0.1 port 40000 to 10.0.0.2 port 7, unless said otherwise. */
export function packet(options: PacketOptions = {}): Uint8Array {
  const { from = LEFT, to = RIGHT, port = 7, sourcePort = 40_000, protocol = 17 } = options
  const { payload = Buffer.from('some words') } = options
  const udp = Buffer.alloc(8 + payload.length)
  udp.writeUInt16BE(sourcePort, 0)
  udp.writeUInt16BE(port, 2)
  udp.writeUInt16BE(udp.length, 4)
  udp.set(payload, 8)
  const bytes = new Uint8Array(ipv4(udp, protocol))
  bytes.set(bytesOf(from), 12)
  bytes.set(bytesOf(to), 16)
  refreshChecksum(bytes, 0)
  return bytes
}

export interface FrameOptions {
  readonly way?: 'in' | 'out'
  /** Milliseconds after {@link BEGIN}. */
  readonly at?: number
  readonly ifindex?: number
  readonly type?: number
}

/** A frame as a packet socket gives it, by interface 2. */
export function frameOf(bytes: Uint8Array, options: FrameOptions = {}): Frame {
  const { way = 'out', at = 0, ifindex = 2, type = way === 'out' ? PACKET_OUTGOING : PACKET_HOST } = options
  const head = Buffer.from('0800000000000002000100060202020202020000', 'hex')
  head.writeUInt16BE((bytes[0] ?? 0) >> 4 === 6 ? 0x86dd : 0x0800, 0)
  head.writeUInt32BE(ifindex, 4)
  head[10] = type
  const whole = Buffer.concat([head, bytes])
  const end = whole.length
  const time = BigInt(BEGIN + at) * 1_000_000n
  const ipAt = findIp(whole, end, 'cooked2')
  return { ...newFrame(), time, link: 'cooked2', bytes: whole, end, wireLength: end, ipAt }
}

export interface WorldOptions {
  readonly addresses?: readonly string[]
  readonly policies?: readonly XfrmMessage<'NEWPOLICY'>[]
  readonly states?: readonly XfrmMessage<'NEWSA'>[]
  readonly facts?: Partial<HostFacts>
}

export class World {
  /** What is in force. After a change, {@link hasChanged} is to be set. */
  policies: readonly XfrmMessage<'NEWPOLICY'>[]
  states: readonly XfrmMessage<'NEWSA'>[]
  facts: HostFacts
  hasChanged = false
  /** Somebody changes the tables all the time. */
  isBusy = false
  /** Milliseconds after {@link BEGIN}. */
  now = -5000
  /** How often tables were read, and how long that takes. */
  reads = 0
  readTime = 0
  readonly tally = new Tally()
  readonly found: Finding[] = []
  readonly tables: LiveTables
  readonly inspector: Inspector

  constructor({ addresses = [LEFT], policies = [], states = [], facts = {} }: WorldOptions = {}) {
    this.policies = policies
    this.states = states
    this.facts = {
      localAddresses: addresses.map(address),
      tunnels: new Map(),
      dataPath: 'kernel',
      isForwarding: false,
      hasEarlyInput: false,
      ...facts,
    }
    this.tables = new LiveTables(this.#source(), defaultAlgorithmTable, () => BEGIN + this.now)
    this.now = 0
    this.inspector = new Inspector({
      tables: this.tables,
      tally: this.tally,
      found: (finding) => this.found.push(finding),
    })
  }

  #source(): TableSource {
    return {
      tables: () => {
        if (this.isBusy) {
          throw new NetlinkError({ operation: 'dump', code: 'ERR_NETLINK_INCONSISTENT_DUMP', detail: 'busy' })
        }
        this.reads++
        this.now += this.readTime
        return structuredClone({ policies: this.policies, states: this.states })
      },
      changed: () => {
        const { hasChanged } = this
        this.hasChanged = false
        return hasChanged
      },
      facts: () => this.facts,
    }
  }

  /** Changes what is in force. */
  change(what: Partial<Pick<World, 'policies' | 'states'>>): void {
    Object.assign(this, what)
    this.hasChanged = true
  }

  /** Shows it a packet. @returns the categories that the packets in it fell into */
  see(bytes: Uint8Array, options: FrameOptions = {}): Category[] {
    const before = CATEGORIES.map((category) => this.tally.count(category))
    this.now = Math.max(this.now, options.at ?? 0)
    this.inspector.see(frameOf(bytes, options))
    return CATEGORIES.flatMap((category, n) => {
      const more = this.tally.count(category) - (before[n] ?? 0)
      return new Array<Category>(more).fill(category)
    })
  }

  /** The last finding. */
  get last(): Finding {
    const finding = this.found.at(-1)
    if (!finding) throw new Error('nothing was found')
    return finding
  }
}
