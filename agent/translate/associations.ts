/**
 * Security associations as XFRM states.
 *
 * @module
 */
import { toXfrmAddress } from '../../netlink/xfrm/address.ts'
import type { XfrmAttributes } from '../../netlink/xfrm/attributes.ts'
import { aeFlag, encapType, INF, mode, proto, stateFlag } from '../../netlink/xfrm/constants.ts'
import { defaultLifetime, defaultState } from '../../netlink/xfrm/defaults.ts'
import type { XfrmMessage } from '../../netlink/xfrm/messages.ts'
import type { LifetimeCfg, Selector, UsersaId, UsersaInfo } from '../../netlink/xfrm/structs.ts'
import { anyPrefix, type Family } from '../model/address.ts'
import { PROTOCOL_AH, PROTOCOL_ESP } from '../model/algorithm.ts'
import type { Lifetime, SaChanges, SecurityAssociation } from '../model/association.ts'
import { paddingFlags } from '../model/padding-check.ts'
import type { ProtectionClass } from './classes.ts'
import { unclassedReqid } from './classes.ts'
import { type KernelAlgorithm, kernelAlgorithm } from './kernel-algorithms.ts'
import { fieldOf, inField, type MarkLayout } from './marks.ts'
import type { SaContent } from './requirements.ts'
import { familyNumber, type MaskedPort, makeSelector } from './selectors.ts'

/** Largest window of the classic replay state; larger ones need the bitmap attribute. */
const CLASSIC_WINDOW = 32

/** What most SAs have alike is there once: with ten thousands of them, memory is what loading waits for. */
const BLANK: UsersaInfo = defaultState()
const UNLIMITED: LifetimeCfg = defaultLifetime()
const ANYTHING: Readonly<Record<Family, Selector>> = {
  inet: makeSelector(anyPrefix('inet'), anyPrefix('inet')),
  inet6: makeSelector(anyPrefix('inet6'), anyPrefix('inet6')),
}

/** Where an SA stands among the protection classes. */
export interface Classification {
  /** `undefined` = it satisfies no rule. */
  readonly protectionClass: ProtectionClass | undefined
  readonly marks: MarkLayout | undefined
  /** This host only sends with it: then it marks no packets, for that would steer their routing. */
  readonly outboundOnly: boolean
  readonly ways?: StateWays
}

/** How new SAs go about things that no SA says of itself: what tunables ask for. Absent: as the data path does. */
export interface StateWays {
  /** Congestion marks stay out of tunnels (`XFRM_STATE_NOECN`). */
  readonly ignoresEcn: boolean
  /** The outer IPv4 header never has the DF bit (`XFRM_STATE_NOPMTUDISC`). */
  readonly clearsDontFragment: boolean
  /** Seconds between keepalives of ESP in UDP, 0 for none; absent: the data path's own, or it has none to send. */
  readonly natKeepalive?: number
  /** What is checked of ESP's padding, as the tunable numbers it; absent: the data path's own way. */
  readonly paddingCheck?: number
}

/**
 * The message that adds an SA to the kernel.
 *
 * @throws RangeError where the kernel has no algorithm of that number: check with `kernelAlgorithm` before
 */
export function newState(sa: SecurityAssociation, classification: Classification): XfrmMessage<'NEWSA'> {
  const body = {
    ...BLANK,
    family: familyNumber(sa.destination.family),
    sel: stateSelector(sa),
    id: {
      daddr: toXfrmAddress(sa.destination.bytes),
      spi: sa.spi,
      proto: sa.protocol === 'esp' ? proto.ESP : proto.AH,
    },
    saddr: toXfrmAddress(sa.source.bytes),
    lft: lifetime(sa),
    reqid: classification.protectionClass?.reqid ?? unclassedReqid(sa.protocol),
    mode: sa.inner ? mode.TUNNEL : mode.TRANSPORT,
    flags: flagsOf(sa, classification.ways),
    replay_window: sa.replayWindow <= CLASSIC_WINDOW ? sa.replayWindow : 0,
  }
  const attributes = {
    ...algorithmAttributes(sa),
    ...replayAttributes(sa),
    ...encapsulationAttribute(sa, classification.outboundOnly),
    ...keepaliveAttribute(sa, classification.ways),
    ...paddingAttribute(sa, classification.ways),
    ...markAttributes(sa, classification),
  }
  return { name: 'NEWSA', body, attributes }
}

/**
 * Without this flag Linux pads AH to a multiple of 8 bytes in IPv4 too, where RFC 4302 section 3.3.3.2.1 has 4, and
 * neither understands nor is understood by other systems wherever the two differ, as with HMAC-SHA-256.
 */
function flagsOf({ protocol, destination, inner }: SecurityAssociation, ways: StateWays | undefined): number {
  const align = protocol === 'ah' && destination.family === 'inet' ? stateFlag.ALIGN4 : 0
  if (!inner || !ways) return align
  return (
    align | (ways.ignoresEcn ? stateFlag.NOECN : 0) | (ways.clearsDontFragment ? stateFlag.NOPMTUDISC : 0)
  )
}

/** What of an SA that we make counts when it is held against rules. */
export function contentOf(sa: SecurityAssociation): SaContent {
  const cipher = sa.protocol === 'esp' ? required(PROTOCOL_ESP, sa.encrAlgorithm) : undefined
  return {
    protocol: sa.protocol,
    encrAlgorithm: sa.encrAlgorithm,
    encrBits: (sa.encrKey?.bits ?? 0) - (sa.encrKey ? sa.saltBits : 0),
    authAlgorithm: sa.authAlgorithm,
    authBits: sa.authKey?.bits ?? 0,
    combined: cipher?.kind === 'aead',
    unique: sa.upperProtocol !== 0 || sa.sourcePort !== 0 || sa.destinationPort !== 0,
    mode: sa.inner ? 'tunnel' : 'transport',
    source: sa.source,
    destination: sa.destination,
  }
}

/** What the kernel knows a state by. */
export function stateIdentifier({ id, family }: UsersaInfo): UsersaId {
  return { daddr: id.daddr, spi: id.spi, family, proto: id.proto }
}

/**
 * The messages that bring the kernel's state in line with a changed SA: limits and encapsulation by UPDSA,
 * the sequence number by NEWAE. Nothing else of an SA can be changed.
 */
export function updatedState(
  state: Pick<XfrmMessage<'NEWSA'>, 'body' | 'attributes'>,
  sa: SecurityAssociation,
  changes: SaChanges,
  outboundOnly: boolean,
): (XfrmMessage<'UPDSA'> | XfrmMessage<'NEWAE'>)[] {
  const messages: (XfrmMessage<'UPDSA'> | XfrmMessage<'NEWAE'>)[] = []
  if (changes.soft || changes.hard || changes.encapsulation) {
    const attributes = { ...state.attributes, ...encapsulationAttribute(sa, outboundOnly) }
    messages.push({ name: 'UPDSA', body: { ...state.body, lft: lifetime(sa) }, attributes })
  }
  if (changes.replayValue !== undefined) messages.push(replayMessage(state.body, replayAttributes(sa)))
  return messages
}

/** Sets the sequence numbers of a state. Without numbers it begins anew: the message must not be empty. */
export function replayMessage(
  body: UsersaInfo,
  { replay_val, replay_esn_val }: XfrmAttributes,
): XfrmMessage<'NEWAE'> {
  const { reqid, saddr } = body
  return {
    name: 'NEWAE',
    body: { sa_id: stateIdentifier(body), saddr, flags: aeFlag.RVAL, reqid },
    attributes: replay_esn_val
      ? { replay_esn_val }
      : { replay_val: replay_val ?? { oseq: 0, seq: 0, bitmap: 0 } },
  }
}

/** Which packets the SA may carry: the inner ones of a tunnel, or what a transport SA's ports restrict it to. */
function stateSelector(sa: SecurityAssociation): Selector {
  const port = (value: number): MaskedPort => ({ value, mask: value === 0 ? 0 : 0xffff })
  const { inner } = sa
  if (inner) {
    return makeSelector(
      inner.source,
      inner.destination,
      inner.protocol,
      port(inner.sourcePort),
      port(inner.destinationPort),
    )
  }
  const { family } = sa.destination
  if (!sa.upperProtocol && !sa.sourcePort && !sa.destinationPort) return ANYTHING[family]
  const any = anyPrefix(family)
  return makeSelector(any, any, sa.upperProtocol, port(sa.sourcePort), port(sa.destinationPort))
}

function isLimited({ bytes, addTime, useTime }: Lifetime): boolean {
  return bytes !== 0n || addTime !== 0n || useTime !== 0n
}

/** PF_KEY's 0 means no limit; XFRM's 0 bytes would end the SA at its first packet. */
function lifetime({ soft, hard }: SecurityAssociation): LifetimeCfg {
  if (!isLimited(soft) && !isLimited(hard)) return UNLIMITED
  const limit = (value: bigint) => (value === 0n ? INF : value)
  return {
    soft_byte_limit: limit(soft.bytes),
    hard_byte_limit: limit(hard.bytes),
    soft_packet_limit: INF,
    hard_packet_limit: INF,
    soft_add_expires_seconds: soft.addTime,
    hard_add_expires_seconds: hard.addTime,
    soft_use_expires_seconds: soft.useTime,
    hard_use_expires_seconds: hard.useTime,
  }
}

function algorithmAttributes(sa: SecurityAssociation): XfrmAttributes {
  const cipher = sa.protocol === 'esp' ? required(PROTOCOL_ESP, sa.encrAlgorithm) : undefined
  const attributes: Writable<XfrmAttributes> = {}
  if (sa.authAlgorithm !== 0) {
    const { name, icvBits } = required(PROTOCOL_AH, sa.authAlgorithm)
    const key = sa.authKey?.reveal() ?? new Uint8Array()
    attributes.alg_auth_trunc = {
      alg_name: name,
      alg_key_len: sa.authKey?.bits ?? 0,
      alg_trunc_len: icvBits,
      alg_key: key,
    }
  }
  if (!cipher) return attributes
  const key = { alg_key_len: sa.encrKey?.bits ?? 0, alg_key: sa.encrKey?.reveal() ?? new Uint8Array() }
  if (cipher.kind === 'aead') {
    attributes.alg_aead = { alg_name: cipher.name, alg_icv_len: cipher.icvBits, ...key }
  } else {
    attributes.alg_crypt = { alg_name: cipher.name, ...key }
  }
  return attributes
}

type Writable<T> = { -readonly [K in keyof T]: T[K] }

function required(protocol: number, number: number): KernelAlgorithm {
  const algorithm = kernelAlgorithm(protocol, number)
  if (!algorithm) throw new RangeError(`the kernel has no algorithm ${number} of protocol ${protocol}`)
  return algorithm
}

/**
 * Sequence numbers and window. Everything up to `replayValue` counts as received, so that nothing from before
 * can be replayed into a restored SA.
 */
function replayAttributes({ replayWindow, replayValue }: SecurityAssociation): XfrmAttributes {
  const sequence = Number(replayValue)
  if (replayWindow > CLASSIC_WINDOW) {
    const words = Math.ceil(replayWindow / 32)
    const bmp = new Array<number>(words).fill(sequence > 0 ? 0xffff_ffff : 0)
    const numbers = { oseq: sequence, seq: sequence, oseq_hi: 0, seq_hi: 0 }
    return { replay_esn_val: { bmp_len: words, ...numbers, replay_window: replayWindow, bmp } }
  }
  if (sequence === 0) return {}
  return { replay_val: { oseq: sequence, seq: sequence, bitmap: replayWindow > 0 ? 0xffff_ffff : 0 } }
}

/** The ports as the SA's own packets bear them: an outbound SA sends from our port, an inbound one to it. */
function encapsulationAttribute({ encapsulation }: SecurityAssociation, outbound: boolean): XfrmAttributes {
  if (!encapsulation) return {}
  const { localPort, remotePort } = encapsulation
  return {
    encap: {
      encap_type: encapType.ESPINUDP,
      encap_sport: outbound ? localPort : remotePort,
      encap_dport: outbound ? remotePort : localPort,
      encap_oa: new Uint8Array(16),
    },
  }
}

function paddingAttribute({ protocol }: SecurityAssociation, ways: StateWays | undefined): XfrmAttributes {
  const flags = protocol === 'esp' && ways?.paddingCheck !== undefined ? paddingFlags(ways.paddingCheck) : 0
  return flags === 0 ? {} : { sa_extra_flags: flags }
}

function keepaliveAttribute(
  { encapsulation }: SecurityAssociation,
  ways: StateWays | undefined,
): XfrmAttributes {
  return encapsulation && ways?.natKeepalive !== undefined
    ? { nat_keepalive_interval: ways.natKeepalive }
    : {}
}

function markAttributes(
  { protocol }: SecurityAssociation,
  { marks, protectionClass, outboundOnly }: Classification,
): XfrmAttributes {
  if (!marks || outboundOnly) return {}
  const field = fieldOf(marks, protocol)
  const set_mark = inField(field, protectionClass?.colour ?? field.unclassed)
  return { set_mark, set_mark_mask: field.mask }
}
