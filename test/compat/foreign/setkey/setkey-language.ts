/**
 * Reads scripts of setkey as setkey(8) and ipsec_set_policy(3) of ipsec-tools have the language, and nothing else, and
 * tells what the kernel's PF_KEY makes of them.
 *
 * @module
 */
import type { Address } from '../../../../agent/model/address.ts'
import { address } from '../../../support/address.ts'

/** One `spdadd`. */
export interface SpokenPolicy {
  readonly source: Range
  readonly destination: Range
  /** As in PF_KEY: 255 = any. */
  readonly protocol: number
  readonly direction: 'in' | 'out' | 'fwd'
  /** The kernel's number. */
  readonly priority: number
  readonly verdict: 'discard' | 'none' | 'ipsec'
  readonly requests: readonly Request[]
}

/** Addresses with a port, or an ICMP type (of the source) or code (of the destination); 0 = any. */
export interface Range {
  readonly address: Address
  readonly length: number
  readonly port: number
}

export interface Request {
  readonly protocol: 'esp' | 'ah'
  readonly mode: 'transport' | 'tunnel'
  readonly ends?: readonly [Address, Address]
  readonly unique: number
}

/** One `add`. */
export interface SpokenState {
  readonly source: Address
  readonly destination: Address
  /** Present for esp-udp. */
  readonly ports?: readonly [number, number]
  readonly protocol: 'esp' | 'ah'
  readonly spi: number
  readonly mode: 'transport' | 'tunnel'
  readonly reqid: number
  readonly window: number
  /** Absent: none was said. */
  readonly hard?: Limit
  readonly soft?: Limit
  readonly cipher?: Algorithm
  readonly integrity?: Algorithm
}

export interface Limit {
  readonly time: bigint
  readonly bytes: bigint
}

export interface Algorithm {
  readonly word: string
  readonly key: string
}

/** @throws Error where a line is not in the language */
export function readScript(lines: readonly string[]): {
  readonly policies: readonly SpokenPolicy[]
  readonly states: readonly SpokenState[]
} {
  const commands = lines.filter((line) => !line.startsWith('#'))
  return {
    policies: commands.filter((line) => line.startsWith('spdadd ')).map(readPolicy),
    states: commands.filter((line) => !line.startsWith('spdadd ')).map(readState),
  }
}

const POLICY =
  /^spdadd (?<source>\S+) (?<destination>\S+) (?<protocol>\d+|any)(?: (?<type>\d+),(?<code>\d+))? -P (?<direction>in|out|fwd) prio high (?<sign>[+-]) (?<offset>\d+) (?<verdict>discard|none|ipsec)(?<requests>(?: \S+)*) ;$/

function readPolicy(line: string): SpokenPolicy {
  const found = POLICY.exec(line)?.groups
  if (!found) throw new Error(`not in the language: ${line}`)
  const protocol = found.protocol === 'any' ? 255 : Number(found.protocol)
  const [source, destination] = [readRange(found.source ?? ''), readRange(found.destination ?? '')]
  if (source.address.family !== destination.address.family) throw new Error(line)
  if (found.type !== undefined && protocol !== 1 && protocol !== 58) throw new Error(line)
  const offset = Number(found.offset)
  if (offset > (found.sign === '+' ? 0x4000_0000 : 0x3fff_ffff)) throw new Error(line)
  const requests = (found.requests ?? '').split(' ').filter(Boolean).map(readRequest)
  if ((found.verdict === 'ipsec') !== requests.length > 0) throw new Error(line)
  return {
    source: found.type === undefined ? source : { ...source, port: Number(found.type) },
    destination: found.code === undefined ? destination : { ...destination, port: Number(found.code) },
    protocol,
    direction: found.direction as SpokenPolicy['direction'],
    priority: 0x4000_0000 + (found.sign === '+' ? -offset : offset),
    verdict: found.verdict as SpokenPolicy['verdict'],
    requests,
  }
}

function readRange(text: string): Range {
  const [, host = '', length, port = '0'] =
    /^([A-Za-z0-9:][A-Za-z0-9:%.-]*)\/(\d{1,3})(?:\[(\d{1,5})\])?$/.exec(text) ?? []
  return { address: address(host), length: Number(length), port: inRange(Number(port), 0, 65535) }
}

const REQUEST =
  /^(?<protocol>esp|ah)\/(?:transport\/|tunnel\/(?<source>[a-z0-9:.]+)-(?<destination>[a-z0-9:.]+))\/unique:(?<number>\d+)$/

function readRequest(text: string): Request {
  const found = REQUEST.exec(text)?.groups
  if (!found) throw new Error(`no request: ${text}`)
  const { source, destination } = found
  return {
    protocol: found.protocol as Request['protocol'],
    ...(source === undefined || destination === undefined
      ? { mode: 'transport' }
      : { mode: 'tunnel', ends: [address(source), address(destination)] }),
    // IPSEC_MANUAL_REQID_MAX: the kernel would take a number of its own for a larger one.
    unique: inRange(Number(found.number), 1, 0x3fff),
  }
}

const STATE =
  /^add (?<source>[^\s[]+)(?:\[(?<sport>\d+)\])? (?<destination>[^\s[]+)(?:\[(?<dport>\d+)\])? (?<protocol>esp|esp-udp|ah) (?<spi>0x[0-9a-f]+) -m (?<mode>transport|tunnel) -u (?<reqid>\d+)(?: -r (?<window>\d+))?(?<limits>(?: -[lb][hs] \d+)*)(?: -E (?<cipher>[a-z0-9-]+)(?: 0x(?<cipherKey>[0-9a-f]+))?)?(?: -A (?<integrity>[a-z0-9-]+) 0x(?<integrityKey>[0-9a-f]+))? ;$/

function readState(line: string): SpokenState {
  const found = STATE.exec(line)?.groups
  if (!found) throw new Error(`not in the language: ${line}`)
  const { sport, dport, cipher, integrity } = found
  if ((found.protocol === 'ah') !== (cipher === undefined)) throw new Error(line)
  if ((found.protocol === 'esp-udp') !== (sport !== undefined && dport !== undefined)) throw new Error(line)
  const limits = readLimits(found.limits ?? '')
  // The kernel refuses one of them alone.
  if ((limits.hard === undefined) !== (limits.soft === undefined)) throw new Error(line)
  return {
    source: address(found.source ?? ''),
    destination: address(found.destination ?? ''),
    ...(sport && dport && { ports: [inRange(Number(sport), 1, 65535), inRange(Number(dport), 1, 65535)] }),
    protocol: found.protocol === 'ah' ? 'ah' : 'esp',
    spi: inRange(Number(found.spi), 1, 0xffff_ffff),
    mode: found.mode as SpokenState['mode'],
    reqid: inRange(Number(found.reqid), 1, 0xffff_ffff),
    window: inRange(Number(found.window ?? 0), 0, 32),
    ...limits,
    ...(cipher !== undefined && { cipher: algorithm(CIPHERS, cipher, found.cipherKey ?? '') }),
    ...(integrity !== undefined && { integrity: algorithm(INTEGRITY, integrity, found.integrityKey ?? '') }),
  }
}

function readLimits(text: string): { hard?: Limit; soft?: Limit } {
  const said = new Map(
    [...text.matchAll(/-([lb][hs]) (\d+)/g)].map(([, word = '', value = '']) => [word, value]),
  )
  const limit = (which: string): Limit | undefined =>
    said.has(`l${which}`) || said.has(`b${which}`)
      ? { time: BigInt(said.get(`l${which}`) ?? 0), bytes: BigInt(said.get(`b${which}`) ?? 0) }
      : undefined
  const [hard, soft] = [limit('h'), limit('s')]
  return { ...(hard && { hard }), ...(soft && { soft }) }
}

/** What PF_KEY takes a word for: its number, the kernel's name, bits of the key, bits of the value for integrity. */
export interface Meaning {
  readonly number: number
  readonly name: string
  readonly least: number
  readonly most: number
  readonly icvBits: number
}

function cipherMeaning(number: number, name: string, least: number, most: number): Meaning {
  return { number, name, least, most, icvBits: 0 }
}

function integrityMeaning(number: number, name: string, bits: number, icvBits: number): Meaning {
  return { number, name, least: bits, most: bits, icvBits }
}

export const CIPHERS: Readonly<Record<string, Meaning>> = {
  'des-cbc': cipherMeaning(2, 'cbc(des)', 64, 64),
  '3des-cbc': cipherMeaning(3, 'cbc(des3_ede)', 192, 192),
  'cast128-cbc': cipherMeaning(6, 'cbc(cast5)', 40, 128),
  'blowfish-cbc': cipherMeaning(7, 'cbc(blowfish)', 40, 448),
  null: cipherMeaning(11, 'ecb(cipher_null)', 0, 0),
  'aes-cbc': cipherMeaning(12, 'cbc(aes)', 128, 256),
  'aes-ctr': cipherMeaning(13, 'rfc3686(ctr(aes))', 160, 288),
  'camellia-cbc': cipherMeaning(22, 'cbc(camellia)', 128, 256),
  'twofish-cbc': cipherMeaning(253, 'cbc(twofish)', 128, 256),
}

export const INTEGRITY: Readonly<Record<string, Meaning>> = {
  'hmac-md5': integrityMeaning(2, 'hmac(md5)', 128, 96),
  'hmac-sha1': integrityMeaning(3, 'hmac(sha1)', 160, 96),
  'hmac-sha256': integrityMeaning(5, 'hmac(sha256)', 256, 96),
  'hmac-sha384': integrityMeaning(6, 'hmac(sha384)', 384, 192),
  'hmac-sha512': integrityMeaning(7, 'hmac(sha512)', 512, 256),
  'hmac-ripemd160': integrityMeaning(8, 'hmac(rmd160)', 160, 96),
  'aes-xcbc-mac': integrityMeaning(9, 'xcbc(aes)', 128, 96),
}

function algorithm(table: Readonly<Record<string, Meaning>>, word: string, key: string): Algorithm {
  const meaning = table[word]
  if (!meaning || key.length % 2 !== 0) throw new Error(`no algorithm: ${word}`)
  inRange(key.length * 4, meaning.least, meaning.most)
  return { word, key }
}

function inRange(value: number, least: number, most: number): number {
  if (!(value >= least && value <= most)) throw new RangeError(`${value} is not in ${least}..${most}`)
  return value
}
