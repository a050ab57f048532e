/**
 * Two hosts of which only the left one has policy: the right one takes everything, and sends in clear. So the wire
 * tells what the left one protects, and what arrives tells what it accepts.
 *
 * @module
 */
import { type Teardown, TestNet } from '../../support/namespaces.ts'
import { AES_SHA256, AH_SHA256, keyFile, pairOf, type TestSa } from './keys.ts'
import { Station } from './station.ts'
import { type IcmpType, icmp, type Ports, tcp, udp, type Verdict } from './traffic.ts'
import { kindsOf, Wiretap } from './wiretap.ts'

/** What the SAs of these hosts can do: a rule's properties. */
export const ESP = 'encr_algs aes(128) encr_auth_algs sha256'
export const AH = 'auth_algs sha256'

/** Addresses of one family: two at each host, all on one link. */
export interface Addresses {
  readonly family: 'IPv4' | 'IPv6'
  readonly L: string
  readonly L2: string
  readonly R: string
  readonly R2: string
  /** Holds L, L2 and R, but not R2. */
  readonly NET: string
}

export const INET: Addresses = {
  family: 'IPv4',
  L: '10.1.0.1',
  L2: '10.1.0.3',
  R: '10.1.0.2',
  R2: '10.1.0.4',
  NET: '10.1.0.0/30',
}
export const INET6: Addresses = {
  family: 'IPv6',
  L: 'fd01::1',
  L2: 'fd01::3',
  R: 'fd01::2',
  R2: 'fd01::4',
  NET: 'fd01::/126',
}

/** Where a probe goes: L and R, port 7, unless said otherwise. */
export interface Where extends Ports {
  readonly local?: string
  readonly remote?: string
}

export class TwoStations {
  readonly net: TestNet
  readonly left: Station
  readonly right: Station
  readonly #leftEnd: Wiretap

  private constructor(net: TestNet, left: Station, right: Station, leftEnd: Wiretap) {
    this.net = net
    this.left = left
    this.right = right
    this.#leftEnd = leftEnd
  }

  /** Hosts with ESP and AH between every two addresses. */
  static async make(t: Teardown): Promise<TwoStations> {
    const net = new TestNet(t)
    const [left, right] = await Station.make(t, net, 2)
    const prefixed = ({ family }: Addresses, ...list: string[]) =>
      list.map((address) => `${address}/${family === 'IPv4' ? 24 : 64}`)
    const both = [INET, INET6]
    await net.wire(
      left.host,
      right.host,
      both.flatMap((on) => prefixed(on, on.L, on.L2)),
      both.flatMap((on) => prefixed(on, on.R, on.R2)),
    )
    const two = new TwoStations(net, left, right, Wiretap.open(t, { station: left }))
    await two.keys(two.sharedSas())
    return two
  }

  /** ESP and AH between every two addresses, both ways. */
  sharedSas(): TestSa[] {
    let spi = 0x1000
    return [INET, INET6].flatMap(({ L, L2, R, R2 }) =>
      [L, L2].flatMap((source) =>
        [R, R2].flatMap((destination) =>
          [AES_SHA256, AH_SHA256].flatMap((transform) => {
            spi += 2
            return pairOf({ ...transform, spi, source, destination })
          }),
        ),
      ),
    )
  }

  /** Replaces the SAs of both. */
  async keys(sas: readonly TestSa[]): Promise<void> {
    for (const station of [this.left, this.right]) await station.keys(keyFile(sas))
  }

  /** What the left host makes of a datagram that it sends: what is on the wire, or the error. */
  out(on: Addresses, where: Where = {}): string {
    return this.#outWord((from, to) => udp(from, to, where), on, where)
  }

  /** The same for the packets of a TCP connection. */
  outTcp(on: Addresses, where: Where = {}): string {
    return this.#outWord((from, to) => tcp(from, to, where), on, where)
  }

  outIcmp(on: Addresses, type: IcmpType, where: Where = {}): string {
    return this.#outWord((from, to) => icmp(from, to, type), on, where)
  }

  /** What the left host makes of a clear datagram that comes in. */
  in(on: Addresses, where: Where = {}): string {
    return inWord(udp(this.#right(on, where), this.#left(on, where), where))
  }

  inTcp(on: Addresses, where: Where = {}): string {
    return inWord(tcp(this.#right(on, where), this.#left(on, where), where))
  }

  inIcmp(on: Addresses, type: IcmpType, where: Where = {}): string {
    return inWord(icmp(this.#right(on, where), this.#left(on, where), type))
  }

  #outWord(
    probe: (from: ReturnType<TwoStations['end']>, to: ReturnType<TwoStations['end']>) => Verdict,
    on: Addresses,
    where: Where,
  ): string {
    this.#leftEnd.take()
    const { delivered, error, refusals } = probe(this.#left(on, where), this.#right(on, where))
    const kinds = kindsOf(this.#leftEnd.take())
    if (kinds !== '') return isClear(kinds) ? 'clear' : kinds
    return delivered ? 'delivered unseen' : (error ?? refusals.join(' '))
  }

  end(station: Station, address: string): { station: Station; address: string } {
    return { station, address }
  }

  #left(on: Addresses, { local = on.L }: Where) {
    return this.end(this.left, local)
  }

  #right(on: Addresses, { remote = on.R }: Where) {
    return this.end(this.right, remote)
  }
}

function isClear(kinds: string): boolean {
  return ['udp', 'tcp', 'icmp', 'icmp6'].includes(kinds)
}

function inWord({ delivered, refusals }: Verdict): string {
  return delivered ? 'accepted' : refusals.length > 0 ? 'refused' : 'lost'
}
