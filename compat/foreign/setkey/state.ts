/**
 * SAs as `add` of setkey(8).
 *
 * @module
 */
import { type Address, formatAddress } from '../../../agent/model/address.ts'
import { PROTOCOL_AH } from '../../../agent/model/algorithm.ts'
import type { Lifetime, SecurityAssociation } from '../../../agent/model/association.ts'
import { kernelAlgorithm } from '../../../agent/translate/kernel-algorithms.ts'
import { hex, keyDigits } from '../kernel/words.ts'
import { cipherWord, integrityOf } from './algorithms.ts'

/** Of the kernel's PF_KEY, which has one number of eight bits for it. */
const WIDEST_WINDOW = 32
/** 64 ones are no limit to the kernel. */
const NO_LIMIT = String(2n ** 64n - 1n)

/**
 * One line; it holds the keys.
 *
 * @param sa sayable, see {@link unsayableOf}
 * @param number reqid
 */
export function stateLine(sa: SecurityAssociation, number: number): string {
  const { protocol, source, destination, encapsulation, spi, replayWindow } = sa
  return [
    'add',
    end(source, encapsulation?.localPort),
    end(destination, encapsulation?.remotePort),
    encapsulation ? 'esp-udp' : protocol,
    hex(spi),
    ...['-m', sa.inner ? 'tunnel' : 'transport'],
    ...['-u', String(number)],
    ...(replayWindow > 0 ? ['-r', String(replayWindow)] : []),
    ...limitWords(sa),
    ...algorithmWords(sa),
    ';',
  ].join(' ')
}

function end(address: Address, port: number | undefined): string {
  return port === undefined ? formatAddress(address) : `${formatAddress(address)}[${port}]`
}

/** Hard and soft limits: the kernel refuses the one without the other. */
function limitWords({ soft, hard }: SecurityAssociation): string[] {
  if (isUnlimited(soft) && isUnlimited(hard)) return []
  return [...limitsOf('h', hard), ...limitsOf('s', soft)]
}

function limitsOf(which: 'h' | 's', limit: Lifetime): string[] {
  if (isUnlimited(limit)) return [`-b${which}`, NO_LIMIT]
  return [
    ...(limit.addTime === 0n ? [] : [`-l${which}`, String(limit.addTime)]),
    ...(limit.bytes === 0n ? [] : [`-b${which}`, String(limit.bytes)]),
  ]
}

function isUnlimited({ bytes, addTime }: Lifetime): boolean {
  return bytes === 0n && addTime === 0n
}

function algorithmWords(sa: SecurityAssociation): string[] {
  const words: string[] = []
  if (sa.protocol === 'esp') {
    words.push('-E', cipherWord(sa.encrAlgorithm) ?? '')
    if (sa.encrKey) words.push(keyDigits(sa.encrKey.reveal(), ''))
  }
  if (sa.authAlgorithm !== 0) {
    words.push('-A', integrityOf(sa.authAlgorithm)?.word ?? '')
    if (sa.authKey) words.push(keyDigits(sa.authKey.reveal(), ''))
  }
  return words.filter((word) => word !== '')
}

/** Why setkey cannot add this SA as it is meant; `undefined` where it can. */
export function unsayableOf(sa: SecurityAssociation): string | undefined {
  const { inner, encapsulation, soft, hard } = sa
  const reason = algorithmProblem(sa)
  if (reason !== undefined) return reason
  if (inner && inner.source.family !== sa.destination.family) {
    return 'setkey has no tunnels for packets of the other IP version'
  }
  const carries = inner
    ? [inner.protocol, inner.sourcePort, inner.destinationPort, inner.source.length, inner.destination.length]
    : [sa.upperProtocol, sa.sourcePort, sa.destinationPort]
  if (carries.some((one) => one !== 0)) return 'setkey cannot say which packets an SA is for'
  if (soft.useTime !== 0n || hard.useTime !== 0n) return 'setkey has no limits of the time since first use'
  if (sa.replayWindow > WIDEST_WINDOW)
    return `setkey has no replay window of more than ${WIDEST_WINDOW} packets`
  if (sa.replayValue !== 0n) return 'setkey cannot say where sequence numbers go on: they would begin anew'
  if (encapsulation && (encapsulation.localPort === 0 || encapsulation.remotePort === 0)) {
    return 'ESP in UDP takes both ports'
  }
  return undefined
}

function algorithmProblem({
  protocol,
  destination,
  encrAlgorithm,
  authAlgorithm,
  authKey,
}: SecurityAssociation): string | undefined {
  if (protocol === 'esp' && cipherWord(encrAlgorithm) === undefined)
    return 'setkey has no word for the cipher'
  if (authAlgorithm === 0) return undefined
  const said = integrityOf(authAlgorithm)
  if (!said) return 'setkey has no word for the algorithm of integrity'
  const wanted = kernelAlgorithm(PROTOCOL_AH, authAlgorithm)?.icvBits
  if (said.icvBits !== wanted) {
    return `Linux cuts ${said.word} of setkey to ${said.icvBits} bits, not ${wanted}: less protection, and no peer agrees`
  }
  if (authKey?.bits !== said.keyBits) return `setkey takes keys of ${said.keyBits} bits for ${said.word}`
  // Fixed part of AH: 12 bytes. RFC 4302 section 3.3.3.2.1: the length is a multiple of 4 in IPv4, of 8 in IPv6.
  if (protocol === 'ah' && destination.family === 'inet' && (12 + said.icvBits / 8) % 8 !== 0) {
    return `Linux pads AH of setkey to 8 bytes with ${said.word}, not to 4 as RFC 4302 says: no peer agrees`
  }
  return undefined
}
