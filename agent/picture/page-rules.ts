/**
 * Rules as the page has them, and the decision among them. The functions here are put into the page as they are compiled:
 * each must stand alone, without anything from outside of it.
 *
 * @module
 */
import type { Candidate } from '../explain/order.ts'
import type { Prefix } from '../model/address.ts'

/** Bytes of an address, and how many bits of it count. */
export interface PagePrefix {
  readonly bytes: readonly number[]
  readonly length: number
}

/** One address pair of a rule. What is absent is any. */
export interface PageRule {
  readonly index: number
  readonly direction: 'in' | 'out' | 'both'
  /** Name of the tunnel whose own set it is of; absent: the host's. */
  readonly set?: string
  readonly local?: PagePrefix
  readonly remote?: PagePrefix
  readonly protocol?: number
  readonly localPort?: number
  readonly remotePort?: number
  readonly type?: readonly [number, number]
  readonly code?: readonly [number, number]
  /** Alternatives in words. */
  readonly actions: readonly string[]
  /** What clear ICMP is held against. */
  readonly isProtecting: boolean
}

/** A packet as the form of the page has it. */
export interface PagePacket {
  readonly way: 'in' | 'out'
  readonly local: readonly number[]
  readonly remote: readonly number[]
  readonly protocol: number
  readonly localPort: number
  readonly remotePort: number
  readonly type: number
  readonly code: number
  /** Name of the tunnel that it goes through; empty: none. */
  readonly tunnel: string
}

export interface PageDecision {
  /** Place of the rule in the list; -1: none. */
  readonly rule: number
  readonly exception: 'own' | 'key management' | 'link' | 'multicast routing' | ''
  /** How many rules of the set were asked before. */
  readonly asked: number
  /** It comes in in clear although the rule asks for protection. */
  readonly isClearIcmp: boolean
}

export function pageRule({ rule, pair, index }: Candidate, actions: readonly string[]): PageRule {
  const { protocol, localPort, remotePort, icmpType, icmpCode } = rule.selector
  const isOfTunnel = rule.tunnel?.mode === 'tunnel'
  const firstDrop = rule.actions.findIndex(({ kind }) => kind === 'drop')
  const reachable = firstDrop < 0 ? rule.actions : rule.actions.slice(0, firstDrop)
  const isClear = reachable.some(({ kind }) => kind === 'bypass')
  return {
    index,
    direction: rule.direction,
    ...(isOfTunnel && { set: rule.tunnel.name }),
    ...(pair.local && { local: prefix(pair.local) }),
    ...(pair.remote && { remote: prefix(pair.remote) }),
    ...(protocol !== undefined && { protocol }),
    ...(localPort && { localPort }),
    ...(remotePort && { remotePort }),
    ...(icmpType && { type: [icmpType.from, icmpType.to] as const }),
    ...(icmpCode && { code: [icmpCode.from, icmpCode.to] as const }),
    actions,
    isProtecting: !isClear && reachable.length > 0,
  }
}

function prefix({ bytes, length }: Prefix): PagePrefix {
  return { bytes: [...bytes], length }
}

/**
 * Which rule decides. Stands alone: see above.
 *
 * @param rules in the order of asking, those of each set together
 * @param own addresses of this host
 */
export function decideInPage(
  rules: readonly PageRule[],
  own: readonly (readonly number[])[],
  packet: PagePacket,
): PageDecision {
  const { way, local, remote, protocol, localPort, remotePort, type, code, tunnel } = packet
  const covers = (wanted: PagePrefix | undefined, address: readonly number[]): boolean => {
    if (!wanted) return true
    if (wanted.bytes.length !== address.length) return false
    for (let bit = 0; bit < wanted.length; bit++) {
      const mask = 128 >> (bit & 7)
      if (((wanted.bytes[bit >> 3] ?? 0) & mask) !== ((address[bit >> 3] ?? 0) & mask)) return false
    }
    return true
  }
  const isIn = (range: readonly [number, number] | undefined, value: number): boolean =>
    !range || range[0] === 255 || (value >= range[0] && value <= range[1])
  const isIcmp = protocol === 1 || protocol === 58
  const hasPorts = [6, 17, 33, 132, 136].includes(protocol)
  const isAbout = (rule: PageRule): boolean =>
    (rule.direction === 'both' || rule.direction === way) &&
    covers(rule.local, local) &&
    covers(rule.remote, remote) &&
    (rule.protocol === undefined || rule.protocol === protocol) &&
    ((!rule.localPort && !rule.remotePort) || hasPorts) &&
    (!rule.localPort || rule.localPort === localPort) &&
    (!rule.remotePort || rule.remotePort === remotePort) &&
    ((!rule.type && !rule.code) || isIcmp) &&
    isIn(rule.type, type) &&
    isIn(rule.code, code)
  const isOwn = (address: readonly number[]): boolean =>
    (address.length === 4 && address[0] === 127) || own.some((one) => one.join() === address.join())
  const isV6 = local.length === 16
  const set = rules.some((rule) => rule.set === tunnel) ? tunnel : ''
  let exception: PageDecision['exception'] = ''
  if (set === '') {
    const isLink = isV6 && protocol === 58 && [130, 131, 132, 133, 134, 135, 136, 137, 143].includes(type)
    if (isOwn(local) && isOwn(remote)) exception = 'own'
    else if (protocol === 17 && (localPort === 500 || localPort === 4500)) exception = 'key management'
    else if (isLink) exception = 'link'
    else if (!isV6 && way === 'in' && (protocol === 2 || protocol === 103)) exception = 'multicast routing'
  }
  let asked = 0
  for (let i = 0; i < rules.length; i++) {
    const rule = rules[i]
    if (!rule || (rule.set ?? '') !== set) continue
    asked++
    if (!isAbout(rule)) continue
    const tolerated = isV6
      ? protocol === 58 && [1, 2, 3, 129].includes(type)
      : protocol === 1 && ([0, 4, 9, 11, 14, 16].includes(type) || (type === 3 && [0, 1, 4].includes(code)))
    const isClearIcmp = way === 'in' && set === '' && rule.isProtecting && tolerated
    return { rule: exception ? -1 : i, exception, asked: exception ? 0 : asked, isClearIcmp }
  }
  return { rule: -1, exception, asked: exception ? 0 : asked, isClearIcmp: false }
}

/**
 * Bytes of a numeric address; `undefined` where the text is none. Stands alone: see above.
 */
export function readAddressInPage(text: string): number[] | undefined {
  const quad = (part: string): number[] | undefined => {
    const words = part.split('.')
    const isRight =
      words.length === 4 && words.every((word) => /^(0|[1-9]\d{0,2})$/.test(word) && Number(word) < 256)
    return isRight ? words.map(Number) : undefined
  }
  if (!text.includes(':')) return quad(text)
  const halves = text.split('::')
  if (halves.length > 2) return undefined
  const sides: number[][] = []
  for (const [i, half] of halves.entries()) {
    const bytes: number[] = []
    const words = half === '' ? [] : half.split(':')
    for (const [k, word] of words.entries()) {
      const isLast = k === words.length - 1 && i === halves.length - 1
      const four = isLast && word.includes('.') ? quad(word) : undefined
      if (four) bytes.push(...four)
      else if (/^[0-9a-f]{1,4}$/i.test(word)) {
        const value = Number.parseInt(word, 16)
        bytes.push(value >> 8, value & 255)
      } else return undefined
    }
    sides.push(bytes)
  }
  const [head = [], tail = []] = sides
  const gap = 16 - head.length - tail.length
  if (halves.length === 1) return gap === 0 ? head : undefined
  return gap >= 2 ? [...head, ...new Array<number>(gap).fill(0), ...tail] : undefined
}
