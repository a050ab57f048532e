/**
 * SAs as lines of a batch file of `ip`, made from the message that would add them to the kernel.
 *
 * @module
 */
import type { SecurityAssociation } from '../../../agent/model/association.ts'
import { INF, mode, stateFlag } from '../../../netlink/xfrm/constants.ts'
import type { XfrmMessage } from '../../../netlink/xfrm/messages.ts'
import type { LifetimeCfg } from '../../../netlink/xfrm/structs.ts'
import { address, hex, keyDigits, protocolWord } from '../kernel/words.ts'
import { exactSelectors, markWords, selectorWords } from './words.ts'

const NO_INTERFACES = new Map<number, string>()
const NO_KEY = '""'

/** One line; it holds the keys. @param state sayable, see {@link unsayableOf} */
export function stateLine({ body, attributes }: XfrmMessage<'NEWSA'>): string {
  const { set_mark, set_mark_mask = 0xffff_ffff, encap } = attributes
  return [
    ...['xfrm', 'state', 'add'],
    ...['src', address(body.saddr, body.family), 'dst', address(body.id.daddr, body.family)],
    ...['proto', protocolWord(body.id.proto), 'spi', hex(body.id.spi)],
    ...algorithmWords(attributes),
    ...['mode', body.mode === mode.TUNNEL ? 'tunnel' : 'transport', 'reqid', hex(body.reqid)],
    ...replayWords(body.replay_window, attributes),
    ...((body.flags & stateFlag.ALIGN4) !== 0 ? ['flag', 'align4'] : []),
    ...['sel', ...selectorWords(body.sel, NO_INTERFACES)],
    ...limitWords(body.lft),
    ...(encap ? ['encap', 'espinudp', String(encap.encap_sport), String(encap.encap_dport), '0.0.0.0'] : []),
    ...(set_mark === undefined ? [] : markWords('output-mark', { v: set_mark, m: set_mark_mask })),
  ].join(' ')
}

function algorithmWords({
  alg_auth_trunc,
  alg_crypt,
  alg_aead,
}: XfrmMessage<'NEWSA'>['attributes']): string[] {
  const words: string[] = []
  if (alg_auth_trunc) {
    const { alg_name, alg_key, alg_trunc_len } = alg_auth_trunc
    words.push('auth-trunc', alg_name, keyDigits(alg_key, NO_KEY), String(alg_trunc_len))
  }
  if (alg_crypt) words.push('enc', alg_crypt.alg_name, keyDigits(alg_crypt.alg_key, NO_KEY))
  if (alg_aead) {
    words.push('aead', alg_aead.alg_name, keyDigits(alg_aead.alg_key, NO_KEY), String(alg_aead.alg_icv_len))
  }
  return words
}

function replayWords(
  window: number,
  { replay_val, replay_esn_val }: XfrmMessage<'NEWSA'>['attributes'],
): string[] {
  const numbers = replay_esn_val ?? replay_val
  const size = replay_esn_val?.replay_window ?? window
  return [
    ...(size > 0 ? ['replay-window', String(size)] : []),
    ...(numbers && numbers.seq > 0 ? ['replay-seq', hex(numbers.seq)] : []),
    ...(numbers && numbers.oseq > 0 ? ['replay-oseq', hex(numbers.oseq)] : []),
  ]
}

const LIMITS = [
  ['byte-soft', 'soft_byte_limit'],
  ['byte-hard', 'hard_byte_limit'],
  ['time-soft', 'soft_add_expires_seconds'],
  ['time-hard', 'hard_add_expires_seconds'],
  ['time-use-soft', 'soft_use_expires_seconds'],
  ['time-use-hard', 'hard_use_expires_seconds'],
] as const

function limitWords(limits: LifetimeCfg): string[] {
  return LIMITS.flatMap(([word, name]) => {
    const value = limits[name]
    return value === 0n || value === INF ? [] : ['limit', word, String(value)]
  })
}

/** Why `ip xfrm` cannot add this SA as it is meant; `undefined` where it can. */
export function unsayableOf(sa: SecurityAssociation, outboundOnly: boolean): string | undefined {
  if (sa.replayValue > 0xffff_ffffn) return 'the replay value has more than 32 bits'
  if (sa.replayValue > 0n && sa.replayWindow > 0 && !outboundOnly) {
    return 'ip xfrm cannot say that the packets up to replay_value were received: they could be replayed'
  }
  const { inner } = sa
  const [protocol, source, destination] = inner
    ? [inner.protocol, inner.sourcePort, inner.destinationPort]
    : [sa.upperProtocol, sa.sourcePort, sa.destinationPort]
  return portProblem(protocol, source, destination)
}

function portProblem(protocol: number, source: number, destination: number): string | undefined {
  if (source === 0 && destination === 0) return undefined
  if (protocol === 0) return 'ip xfrm has no ports without a protocol'
  const [sport_mask, dport_mask] = [source === 0 ? 0 : 0xffff, destination === 0 ? 0 : 0xffff]
  const sel = { ...NO_SELECTOR, proto: protocol, sport: source, sport_mask, dport: destination, dport_mask }
  const exact = exactSelectors(sel)
  return typeof exact === 'string' ? exact : undefined
}

const NO_SELECTOR = {
  daddr: new Uint8Array(16),
  saddr: new Uint8Array(16),
  prefixlen_d: 0,
  prefixlen_s: 0,
  family: 0,
  ifindex: 0,
  user: 0,
} as const
