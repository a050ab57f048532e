/**
 * XFRM states as security associations: what a listing shows, and what is held against the rules.
 *
 * @module
 */
import type { AlgoAead, AlgoAuth, XfrmAttributes } from '../../netlink/xfrm/attributes.ts'
import { encapType, INF, mode, proto } from '../../netlink/xfrm/constants.ts'
import type { XfrmMessage } from '../../netlink/xfrm/messages.ts'
import type { LifetimeCur, UsersaInfo } from '../../netlink/xfrm/structs.ts'
import type { InnerSelector, Lifetime, SecurityAssociation, UdpEncapsulation } from '../model/association.ts'
import { Secret } from '../model/secret.ts'
import { type IdentifiedAlgorithm, identify } from './kernel-algorithms.ts'
import type { SaContent } from './requirements.ts'
import { readAddress } from './selectors.ts'

type State = Pick<XfrmMessage<'NEWSA'>, 'body' | 'attributes'>

/** An SA as the kernel has it. */
export interface KernelAssociation {
  readonly association: SecurityAssociation
  readonly content: SaContent
  readonly reqid: number
  readonly setMark: { readonly value: number; readonly mask: number } | undefined
  readonly counters: LifetimeCur
  /** The kernel is locked down and dumps zeros for keys: the association has none. */
  readonly keysHidden: boolean
  /** As dumped: what re-creates the SA when its class changes. */
  readonly state: State
}

/** @returns `undefined` for anything that is not AH or ESP, and for larval states */
export function readState(state: State): KernelAssociation | undefined {
  const { body, attributes } = state
  if (!hasAlgorithm(attributes)) return undefined
  const auth = identifyAuth(attributes)
  const cipher = identifyCipher(attributes)
  const association = associationOf(state, auth, cipher)
  if (!association) return undefined
  return {
    association,
    content: readContent(association, body, auth, cipher),
    reqid: body.reqid,
    setMark: readSetMark(attributes),
    counters: body.curlft,
    keysHidden: hidesKeys(attributes),
    state,
  }
}

/**
 * An SA as the kernel's EXPIRE message shows it: without algorithms and keys.
 *
 * @returns `undefined` for anything that is not AH or ESP, and for larval states
 */
export function readBareState(state: State): SecurityAssociation | undefined {
  return associationOf(state, undefined, undefined)
}

function associationOf(
  state: State,
  auth: IdentifiedAlgorithm | undefined,
  cipher: IdentifiedAlgorithm | undefined,
): SecurityAssociation | undefined {
  const { body, attributes } = state
  const protocol = body.id.proto === proto.ESP ? 'esp' : body.id.proto === proto.AH ? 'ah' : undefined
  if (!protocol || body.id.spi === 0) return undefined
  return {
    protocol,
    spi: body.id.spi,
    source: readAddress(body.saddr, body.family),
    destination: readAddress(body.id.daddr, body.family),
    ...upperLayer(body),
    authAlgorithm: auth?.algorithm.number ?? 0,
    encrAlgorithm: cipher?.algorithm.number ?? 0,
    saltBits: cipher?.algorithm.saltBits ?? 0,
    ...keys(attributes),
    ...lifetimes(body),
    ...replay(state),
    ...encapsulation(attributes),
  }
}

function hasAlgorithm({ alg_auth, alg_auth_trunc, alg_crypt, alg_aead }: XfrmAttributes): boolean {
  return (alg_auth ?? alg_auth_trunc ?? alg_crypt ?? alg_aead) !== undefined
}

/** The kernel dumps one MAC as both attributes; the one with the truncation says more. */
function macOf({ alg_auth, alg_auth_trunc }: XfrmAttributes): AlgoAuth | undefined {
  return alg_auth_trunc ?? (alg_auth && { ...alg_auth, alg_trunc_len: 0 })
}

function identifyAuth(attributes: XfrmAttributes): IdentifiedAlgorithm | undefined {
  const mac = macOf(attributes)
  return mac && identify('auth', mac.alg_name, mac.alg_key_len, mac.alg_trunc_len)
}

function identifyCipher({ alg_crypt, alg_aead }: XfrmAttributes): IdentifiedAlgorithm | undefined {
  if (alg_aead) return identify('aead', alg_aead.alg_name, alg_aead.alg_key_len, alg_aead.alg_icv_len)
  return alg_crypt && identify('crypt', alg_crypt.alg_name, alg_crypt.alg_key_len, 0)
}

/** Under lockdown the kernel dumps as many zeros as the key has bytes. */
function isBlank(from: Pick<AlgoAead, 'alg_key' | 'alg_key_len'> | undefined): boolean {
  return from !== undefined && from.alg_key_len > 0 && from.alg_key.every((byte) => byte === 0)
}

function hidesKeys(attributes: XfrmAttributes): boolean {
  return [macOf(attributes), attributes.alg_aead, attributes.alg_crypt].some(isBlank)
}

function keys(attributes: XfrmAttributes): { authKey?: Secret; encrKey?: Secret } {
  const secret = (from: Pick<AlgoAead, 'alg_key' | 'alg_key_len'> | undefined) =>
    from && from.alg_key_len > 0 && !isBlank(from) ? new Secret(from.alg_key, from.alg_key_len) : undefined
  const authKey = secret(macOf(attributes))
  const encrKey = secret(attributes.alg_aead ?? attributes.alg_crypt)
  return { ...(authKey && { authKey }), ...(encrKey && { encrKey }) }
}

type UpperLayer = Pick<SecurityAssociation, 'upperProtocol' | 'sourcePort' | 'destinationPort'> & {
  inner?: InnerSelector
}

function upperLayer({ sel, mode: saMode, family }: UsersaInfo): UpperLayer {
  if (saMode !== mode.TUNNEL) {
    return { upperProtocol: sel.proto, sourcePort: sel.sport, destinationPort: sel.dport }
  }
  // Of a tunnel for both families (XFRM_STATE_AF_UNSPEC), addresses and prefixes are zero.
  const innerFamily = sel.family || family
  const inner: InnerSelector = {
    source: { ...readAddress(sel.saddr, innerFamily), length: sel.prefixlen_s },
    destination: { ...readAddress(sel.daddr, innerFamily), length: sel.prefixlen_d },
    sourcePort: sel.sport,
    destinationPort: sel.dport,
    protocol: sel.proto,
  }
  return { upperProtocol: 0, sourcePort: 0, destinationPort: 0, inner }
}

function lifetimes({ lft }: UsersaInfo): Pick<SecurityAssociation, 'soft' | 'hard' | 'idle'> {
  const limit = (value: bigint) => (value === INF ? 0n : value)
  const make = (bytes: bigint, addTime: bigint, useTime: bigint): Lifetime => ({
    allocations: 0n,
    bytes: limit(bytes),
    addTime,
    useTime,
  })
  return {
    soft: make(lft.soft_byte_limit, lft.soft_add_expires_seconds, lft.soft_use_expires_seconds),
    hard: make(lft.hard_byte_limit, lft.hard_add_expires_seconds, lft.hard_use_expires_seconds),
    idle: { addTime: 0n, useTime: 0n },
  }
}

function replay({ body, attributes }: State): Pick<SecurityAssociation, 'replayWindow' | 'replayValue'> {
  const { replay_esn_val: large, replay_val: classic } = attributes
  if (large) {
    const high = BigInt(Math.max(large.seq_hi, large.oseq_hi)) << 32n
    return { replayWindow: large.replay_window, replayValue: high + BigInt(Math.max(large.seq, large.oseq)) }
  }
  const sequence = classic ? Math.max(classic.seq, classic.oseq) : 0
  return { replayWindow: body.replay_window, replayValue: BigInt(sequence) }
}

/** As seen from the sender; which end is ours is for whoever knows the direction to say. */
function encapsulation({ encap }: XfrmAttributes): { encapsulation?: UdpEncapsulation } {
  if (encap?.encap_type !== encapType.ESPINUDP) return {}
  return { encapsulation: { localPort: encap.encap_sport, remotePort: encap.encap_dport } }
}

function readSetMark({ set_mark, set_mark_mask }: XfrmAttributes): KernelAssociation['setMark'] {
  return set_mark === undefined ? undefined : { value: set_mark, mask: set_mark_mask ?? 0xffff_ffff }
}

/** An algorithm without a number, or cut to another ICV length than its number promises, satisfies nothing. */
const NO_SUCH_ALGORITHM = -1

function readContent(
  sa: SecurityAssociation,
  { mode: saMode }: UsersaInfo,
  auth: IdentifiedAlgorithm | undefined,
  cipher: IdentifiedAlgorithm | undefined,
): SaContent {
  return {
    protocol: sa.protocol,
    encrAlgorithm: sa.protocol === 'ah' ? 0 : (cipher?.algorithm.number ?? NO_SUCH_ALGORITHM),
    encrBits: cipher?.keyBits ?? 0,
    authAlgorithm: auth ? (auth.standardIcv ? auth.algorithm.number : NO_SUCH_ALGORITHM) : 0,
    authBits: auth?.keyBits ?? 0,
    combined: cipher?.algorithm.kind === 'aead',
    unique: sa.upperProtocol !== 0 || sa.sourcePort !== 0 || sa.destinationPort !== 0,
    mode: saMode === mode.TUNNEL ? 'tunnel' : 'transport',
    source: sa.source,
    destination: sa.destination,
  }
}
