/**
 * Holds a packet of the wire against policy: did it have the protection that the policy asks for, which the data path
 * would find for it?
 *
 * @module
 */
import { action, family as af, dir, proto } from '../../netlink/xfrm/constants.ts'
import type { Cover, Frame, Verdict } from '../capture/frame.ts'
import type { ViewedSa } from '../capture/viewed-sa.ts'
import { type Protector, satisfiesTemplates } from '../datapath/software/policy/templates.ts'
import { newFlow } from '../packet/flow.ts'
import { readFlow } from '../packet/flow-of.ts'
import { type IpHeader, newIpHeader, parseIp } from '../packet/ip-header.ts'
import { read32 } from '../packet/octets.ts'
import { IPPROTO_AH, IPPROTO_ESP, IPPROTO_UDP, V4_LENGTH, V6_LENGTH } from '../packet/protocols.ts'
import { FragmentPorts } from './fragment-ports.ts'
import { judgeArrived, judgeSent } from './protection.ts'
import { interfaceOf, isHere, type Route, routeOf } from './route.ts'
import type { Snapshot } from './snapshot.ts'
import type { Category, Judgement } from './verdict.ts'
import { spiText } from './words.ts'

const IPPROTO_COMP = 108
const IKE_PORT = 500
const UDP_HEADER = 8
/** RFC 3948 section 2.3. */
const KEEPALIVE = 0xff

const NOT_OURS: Judgement = { category: 'notOurs' }
const NO_PATH: readonly Protector[] = []

type Failure = Exclude<Verdict, 'opened'>

const UNOPENED: Readonly<Record<Failure, readonly [Category, string]>> = {
  'no key': ['unknownSa', 'an SPI that no SA here has'],
  'wrong ICV': ['wrongIcv', 'not authentic: another key, or changed on its way'],
  malformed: ['malformed', 'no whole packet, or none inside'],
  unsupported: ['notChecked', 'an algorithm or mode that is not known here'],
}

/** A packet, and what became of it when its protection was taken off. */
export interface Seen {
  /** As it was on the wire. */
  readonly frame: Frame
  /** Without AH and ESP. */
  readonly inside: Frame
  /** The SAs that were taken off, outermost first. */
  readonly path: readonly ViewedSa[]
}

export class Judge {
  /** Of the last packet: what policy was asked about. */
  readonly flow = newFlow()
  /** Of the last packet that was opened or is in clear: its header in `inside`. */
  readonly ip = newIpHeader()
  /** Of the last packet, as it was on the wire. */
  readonly outer = newIpHeader()
  readonly #isEncapsulationPort: (port: number) => boolean
  readonly #fragments = new FragmentPorts()

  /** @param isEncapsulationPort whether ESP may stand in UDP of this port */
  constructor(isEncapsulationPort: (port: number) => boolean) {
    this.#isEncapsulationPort = isEncapsulationPort
  }

  judge(seen: Seen, snapshot: Snapshot): Judgement {
    const { frame, inside } = seen
    const { outer } = this
    if (frame.ipAt < 0) return NOT_OURS
    if (!parseIp(frame.bytes, frame.ipAt, frame.end, outer)) return this.#cut(seen, snapshot)
    const route = routeOf(frame, outer, snapshot)
    if (!route) return NOT_OURS
    const { way, isPassing } = route
    const last = inside.covers.at(-1)
    const isOpened = inside.covers[0]?.verdict === 'opened'
    const found =
      last === undefined || (isPassing && !isOpened)
        ? this.#clear(frame, route, snapshot)
        : last.verdict === 'opened'
          ? this.#opened(seen, route, snapshot)
          : this.#unopened(seen, route, last, last.verdict, snapshot)
    return found.category === 'notOurs' ? found : { ...found, way, ...(isPassing && { isPassing }) }
  }

  /** No whole packet. */
  #cut({ frame: { bytes, ipAt, end }, inside }: Seen, snapshot: Snapshot): Judgement {
    const { flow } = this
    const version = (bytes[ipAt] ?? 0) >> 4 === 4 ? 4 : 6
    if (end - ipAt < (version === 4 ? V4_LENGTH : V6_LENGTH)) return NOT_OURS
    const [sourceAt, destinationAt] = version === 4 ? [ipAt + 12, ipAt + 16] : [ipAt + 8, ipAt + 24]
    const isOut = snapshot.isLocal(bytes, sourceAt, version)
    if (!isOut && !snapshot.isLocal(bytes, destinationAt, version)) return NOT_OURS
    const length = version === 4 ? 4 : 16
    Object.assign(flow, {
      family: version === 4 ? af.INET : af.INET6,
      protocol: 0,
      sport: 0,
      dport: 0,
      ifindex: 0,
    })
    flow.source.fill(0).set(bytes.subarray(sourceAt, sourceAt + length))
    flow.destination.fill(0).set(bytes.subarray(destinationAt, destinationAt + length))
    const way = isOut ? 'out' : 'in'
    const cover = inside.covers.at(-1)
    if (cover) return { category: 'malformed', way, cover, seen: 'shorter than it says' }
    return { category: 'notChecked', way, seen: 'no whole IP packet' }
  }

  #clear(frame: Frame, { way, isPassing }: Route, snapshot: Snapshot): Judgement {
    const { ip, flow } = this
    parseIp(frame.bytes, frame.ipAt, frame.end, ip)
    readFlow(frame.bytes, ip, flow)
    const { protocol } = flow
    let hasPorts = true
    if (ip.isFragment) {
      if (protocol === IPPROTO_ESP || protocol === IPPROTO_AH) return { category: 'fragment' }
      hasPorts = this.#fragments.complete(frame.bytes, ip, flow)
      const isEncapsulated = this.#isEncapsulationPort(flow.sport) || this.#isEncapsulationPort(flow.dport)
      if (protocol === IPPROTO_UDP && isEncapsulated) return { category: 'fragment' }
    }
    if (protocol === IPPROTO_COMP) return { category: 'notChecked', seen: 'compressed' }
    const isOut = way === 'out'
    if (isOut) flow.ifindex = interfaceOf(frame)
    // What the software data path does not send itself, it does not hold against outbound policy.
    if (isOut && isPassing && snapshot.facts.dataPath === 'software') return { category: 'clear' }
    const direction = isOut ? dir.OUT : isPassing ? dir.FWD : dir.IN
    const policy = snapshot.lookup(direction, flow, isOut && isPassing ? snapshot.forwardedMark : 0, 0)
    if (!policy) return { category: 'clear' }
    const isAllowed = policy.info.action !== action.BLOCK
    if (isAllowed && satisfiesTemplates(policy.templates, NO_PATH, 0)) return { category: 'clear', policy }
    if (this.#isExempt(frame.bytes, ip, snapshot)) return { category: 'clear', policy }
    const asksForEsp = policy.templates.some(({ id }) => id.proto === proto.ESP)
    const seen = 'in clear'
    if (!hasPorts) return { category: 'notChecked', policy, seen: 'a fragment in clear, of unknown ports' }
    if (snapshot.isOffloaded || (!isOut && asksForEsp && snapshot.facts.hasEarlyInput)) {
      return { category: 'notChecked', policy, seen: 'in clear, but ESP may be out of sight (offload)' }
    }
    return { category: isOut ? 'leak' : 'arrivedInClear', policy, seen }
  }

  /** Keepalives are part of ESP in UDP; a key manager's sockets have a policy of their own, which is not told apart. */
  #isExempt(bytes: Uint8Array, { transportAt, end }: IpHeader, { hasExemptSockets }: Snapshot): boolean {
    const { protocol, sport, dport } = this.flow
    if (protocol !== IPPROTO_UDP) return false
    const isEncapsulation = this.#isEncapsulationPort(sport) || this.#isEncapsulationPort(dport)
    const payloadAt = transportAt + UDP_HEADER
    if (isEncapsulation && end === payloadAt + 1 && bytes[payloadAt] === KEEPALIVE) return true
    const isIke = isEncapsulation
      ? end >= payloadAt + 4 && read32(bytes, payloadAt) === 0
      : sport === IKE_PORT || dport === IKE_PORT
    return hasExemptSockets && isIke
  }

  /** @param cover the innermost, which could not be taken off */
  #unopened(seen: Seen, route: Route, cover: Cover, verdict: Failure, snapshot: Snapshot): Judgement {
    const { inside } = seen
    const { ip } = this
    if (!parseIp(inside.bytes, inside.ipAt, inside.end, ip)) return this.#cut(seen, snapshot)
    readFlow(inside.bytes, ip, this.flow)
    const isOurs = snapshot.isLocal(
      inside.bytes,
      route.way === 'out' ? ip.sourceAt : ip.destinationAt,
      ip.version,
    )
    // AH or ESP between other hosts, inside of ours, is data to us; what is sent to a group may be for others.
    if (!isOurs) return inside.covers.length > 1 ? this.#opened(seen, route, snapshot) : NOT_OURS
    const { protocol, spi } = cover
    const name = {
      family: this.flow.family,
      id: { daddr: this.flow.destination, spi, proto: protocol === 'esp' ? proto.ESP : proto.AH },
    }
    const sa = snapshot.protector(name, timeOf(seen.frame))
    const what = `${protocol.toUpperCase()} SPI ${spiText(spi)}`
    if (sa?.attributes.offload_dev) {
      return { category: 'notChecked', cover, seen: `${what}: the network card encrypts it (offload)` }
    }
    if (sa && verdict === 'no key') {
      return { category: 'notChecked', cover, seen: `${what}: the kernel does not tell the keys of this SA` }
    }
    const [category, why] = UNOPENED[verdict]
    return { category, cover, seen: `${what}: ${why}` }
  }

  #opened(seen: Seen, route: Route, snapshot: Snapshot): Judgement {
    const { inside, frame, path: taken } = seen
    const { flow, ip } = this
    const [cover] = inside.covers
    const about = cover && { cover }
    if (!parseIp(inside.bytes, inside.ipAt, inside.end, ip)) {
      Object.assign(ip, this.outer)
      readFlow(frame.bytes, ip, flow)
      return { category: 'malformed', ...about, seen: 'no IP packet inside' }
    }
    readFlow(inside.bytes, ip, flow)
    if (ip.isFragment) this.#fragments.complete(inside.bytes, ip, flow)
    const path: Protector[] = []
    for (const { body } of taken) {
      const sa = snapshot.protector(body, timeOf(frame))
      if (!sa)
        return {
          category: 'unknownSa',
          ...about,
          seen: `SPI ${spiText(body.id.spi)}: an SA that was deleted`,
        }
      path.push(sa)
    }
    if (flow.protocol === IPPROTO_COMP) return { category: 'notChecked', ...about, seen: 'compressed' }
    const { bytes, covers } = inside
    const isFromHere = snapshot.isLocal(bytes, ip.sourceAt, ip.version)
    const isForHere = isHere(bytes, ip.destinationAt, ip.version, snapshot)
    const packet = { flow, path, covers, ifindex: interfaceOf(frame), isFromHere, isForHere }
    return { ...about, ...(route.way === 'out' ? judgeSent : judgeArrived)(packet, snapshot) }
  }
}

/** Milliseconds since 1970. */
export function timeOf({ time }: Frame): number {
  return Number(time / 1_000_000n)
}
