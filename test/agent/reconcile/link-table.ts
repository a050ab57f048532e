/**
 * The kernel's table of interfaces in memory: what steps for tunnel interfaces do to it.
 *
 * @module
 */
import { type Address, formatPrefix, sameAddress } from '../../../agent/model/address.ts'
import type { OwnTunnel } from '../../../agent/model/tunnel.ts'
import type { TunnelStep } from '../../../agent/reconcile/tunnel-plan.ts'
import type { HostLink } from '../../../agent/translate/tunnel-interfaces.ts'

/** What a kernel finds for an MTU by itself. */
export const FOUND_MTU = 1480

export class LinkTable {
  #links: HostLink[]

  constructor(links: readonly HostLink[] = []) {
    this.#links = [...links]
  }

  get links(): readonly HostLink[] {
    return this.#links
  }

  /** Refuses what the kernel refuses. @throws Error */
  run(step: TunnelStep): void {
    const { tunnel } = step
    const { ifindex, mtu = FOUND_MTU } = tunnel
    switch (step.kind) {
      case 'create': {
        const isTaken = this.#links.some((one) => one.ifindex === ifindex || one.name === tunnel.name)
        if (isTaken || this.#hasEnds(tunnel)) throw new Error('EEXIST')
        this.#links.push({
          name: tunnel.name,
          ifindex,
          isUp: false,
          mtu,
          tunnel: endsOf(tunnel),
          addresses: [],
        })
        break
      }
      case 'delete':
        this.#links = this.#links.filter((one) => one !== this.#find(ifindex))
        break
      case 'ends':
        if (this.#find(ifindex).tunnel?.kind !== tunnel.kind) throw new Error('EINVAL')
        if (this.#hasEnds(tunnel)) throw new Error('EEXIST')
        this.#change(ifindex, { tunnel: endsOf(tunnel) })
        break
      case 'mtu':
        this.#change(ifindex, { mtu })
        break
      case 'up':
        this.#change(ifindex, { isUp: true })
        break
      case 'down': {
        const { addresses } = this.#find(ifindex)
        this.#change(ifindex, {
          isUp: false,
          addresses: addresses.filter(({ family }) => family === 'inet'),
        })
        break
      }
      case 'add-address':
        this.#change(ifindex, { addresses: [...this.#find(ifindex).addresses, step.address] })
        break
      case 'delete-address': {
        const gone = formatPrefix(step.address)
        const addresses = this.#find(ifindex).addresses.filter((one) => formatPrefix(one) !== gone)
        this.#change(ifindex, { addresses })
        break
      }
    }
  }

  #find(ifindex: number): HostLink {
    const found = this.#links.find((one) => one.ifindex === ifindex)
    if (!found) throw new Error('ENODEV')
    return found
  }

  #change(ifindex: number, change: Partial<HostLink>): void {
    const found = this.#find(ifindex)
    this.#links = this.#links.map((one) => (one === found ? { ...one, ...change } : one))
  }

  #hasEnds({ kind, local, remote, ifindex }: OwnTunnel): boolean {
    const same = (a: Address, b: Address | undefined) => b !== undefined && sameAddress(a, b)
    return this.#links.some(
      (one) =>
        one.ifindex !== ifindex &&
        one.tunnel?.kind === kind &&
        same(local, one.tunnel.local) &&
        same(remote, one.tunnel.remote),
    )
  }
}

function endsOf({ kind, local, remote }: OwnTunnel): NonNullable<HostLink['tunnel']> {
  return { kind, local, remote }
}
