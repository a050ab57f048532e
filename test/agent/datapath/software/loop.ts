/**
 * Two hosts in memory: what the one's SA protects, the other's unprotects.
 *
 * @module
 */
import type { AlgorithmAttributes } from '../../../../agent/datapath/software/crypto/keying.ts'
import type { Databases } from '../../../../agent/datapath/software/databases.ts'
import { Inbound } from '../../../../agent/datapath/software/inbound.ts'
import { Outbound } from '../../../../agent/datapath/software/outbound.ts'
import { policyOf } from '../../../../agent/datapath/software/policy/policy.ts'
import type { State } from '../../../../agent/datapath/software/state/state.ts'
import type { Counter } from '../../../../agent/datapath/software/state/statistics.ts'
import { newIpHeader, parseIp } from '../../../../agent/packet/ip-header.ts'
import { HEADROOM, type Packet, TAILROOM } from '../../../../agent/packet/packet.ts'
import { LONGEST } from '../../../../agent/packet/protocols.ts'
import { allocateArena } from '../../../../netlink/libc/arena.ts'
import { family as af, dir, encapType, mode, proto, stateFlag } from '../../../../netlink/xfrm/constants.ts'
import {
  defaultPolicy,
  defaultSelector,
  defaultState,
  defaultTemplate,
} from '../../../../netlink/xfrm/defaults.ts'
import { emptyDatabases, stateOf } from './surroundings.ts'

export interface LoopOptions {
  readonly protocol: 'esp' | 'ah'
  readonly attributes: AlgorithmAttributes
  /** Of the addresses that the SA stands between. */
  readonly version: 4 | 6
  /** Of transport mode: the destination of the packets. */
  readonly destination: Uint8Array
  readonly isTunnel: boolean
  readonly isExtended: boolean
  readonly inUdp: boolean
  readonly window: number
  /** Padding for traffic flow confidentiality. */
  readonly tfcpad?: number
}

/** One direction between two hosts. */
export class Loop {
  readonly sender: State
  readonly receiver: State
  readonly databases: Databases
  readonly #outbound: Outbound
  readonly #inbound: Inbound
  readonly #packet: Packet = { arena: allocateArena(HEADROOM + LONGEST + TAILROOM), at: 0, end: 0 }
  readonly #ip = newIpHeader()
  readonly #inUdp: boolean

  constructor(options: LoopOptions) {
    const message = messageOf(options)
    this.#inUdp = options.inUdp
    this.sender = stateOf(message)
    this.receiver = stateOf(message)
    this.#outbound = new Outbound(emptyDatabases())
    this.databases = emptyDatabases()
    this.databases.states.add(this.receiver)
    if (options.isTunnel) allowTunnels(this.databases, options)
    this.#inbound = new Inbound(this.databases, () => true)
  }

  /** @returns the protected packet, or why there is none */
  protect(bytes: Uint8Array): Uint8Array | Counter {
    const packet = this.#packet
    packet.arena.bytes.set(bytes, HEADROOM)
    packet.at = HEADROOM
    packet.end = HEADROOM + bytes.length
    if (!parseIp(packet.arena.bytes, packet.at, packet.end, this.#ip)) return 'XfrmOutError'
    const failure = this.#outbound.protect(packet, this.#ip, [this.sender])
    return failure ?? packet.arena.bytes.slice(packet.at, packet.end)
  }

  /** @returns the packet as it was, or why there is none */
  unprotect(bytes: Uint8Array): Uint8Array | Counter | 'held' {
    const packet = this.#packet
    const { bytes: memory } = packet.arena
    memory.set(bytes, HEADROOM)
    packet.at = HEADROOM
    packet.end = HEADROOM + bytes.length
    if (this.#inUdp) this.#takeOffUdp(packet)
    if (!parseIp(memory, packet.at, packet.end, this.#ip)) return 'XfrmInHdrError'
    const failure = this.#inbound.receive(packet, this.#ip, this.#inUdp)
    if (failure) return failure
    const { arena, at, end } = this.#inbound.delivery ?? packet
    return arena.bytes.slice(at, end)
  }

  /** As the socket does: the UDP header goes, and the IP header says ESP. */
  #takeOffUdp(packet: Packet): void {
    const { bytes, view } = packet.arena
    if (!parseIp(bytes, packet.at, packet.end, this.#ip)) return
    const { nextHeaderAt, upperAt, version } = this.#ip
    bytes[nextHeaderAt] = proto.ESP
    bytes.copyWithin(packet.at + 8, packet.at, upperAt)
    packet.at += 8
    if (version === 4) view.setUint16(packet.at + 2, packet.end - packet.at)
    else view.setUint16(packet.at + 4, packet.end - packet.at - 40)
  }

  close(): void {
    this.sender.destroy()
    this.receiver.destroy()
  }
}

function messageOf({
  protocol,
  attributes,
  version,
  destination,
  isTunnel,
  isExtended,
  ...rest
}: LoopOptions) {
  const family = version === 4 ? af.INET : af.INET6
  const daddr = new Uint8Array(16)
  daddr.set(destination)
  return {
    body: {
      ...defaultState(),
      sel: defaultSelector(af.UNSPEC),
      id: { daddr, spi: 0x1234_5678, proto: protocol === 'esp' ? proto.ESP : proto.AH },
      family,
      mode: isTunnel ? mode.TUNNEL : mode.TRANSPORT,
      reqid: 1,
      flags: isExtended ? stateFlag.ESN : 0,
      saddr: Uint8Array.from(daddr, (byte, i) => (i === 3 ? byte ^ 1 : byte)),
    },
    attributes: {
      ...attributes,
      replay_esn_val: {
        bmp_len: Math.ceil(rest.window / 32),
        oseq: 0,
        seq: 0,
        oseq_hi: 0,
        seq_hi: 0,
        replay_window: rest.window,
        bmp: [],
      },
      ...(rest.inUdp && {
        encap: {
          encap_type: encapType.ESPINUDP,
          encap_sport: 4500,
          encap_dport: 4500,
          encap_oa: new Uint8Array(16),
        },
      }),
      ...(rest.tfcpad !== undefined && { tfcpad: rest.tfcpad }),
    },
  }
}

function allowTunnels({ policies }: Databases, { protocol, version }: LoopOptions): void {
  for (const [n, family] of [af.INET, af.INET6].entries()) {
    const template = {
      ...defaultTemplate(),
      id: { daddr: new Uint8Array(16), spi: 0, proto: protocol === 'esp' ? proto.ESP : proto.AH },
      family: version === 4 ? af.INET : af.INET6,
      mode: mode.TUNNEL,
    }
    const body = { ...defaultPolicy(), sel: defaultSelector(family), dir: dir.IN, priority: 1 }
    policies.add(policyOf({ body, attributes: { tmpl: [template] } }, 8 * (n + 1), 0))
  }
}
