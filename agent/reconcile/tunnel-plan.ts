/**
 * The difference between the tunnel interfaces that should be and those that are, as steps for the kernel. Pure.
 *
 * An interface is ours where we have made one with its number. Others are looked at only: one that is as a configuration
 * says is used as it is, one that is not is in the way.
 *
 * @module
 */
import { formatPrefix, type Prefix, sameAddress } from '../model/address.ts'
import type { OwnTunnel, TunnelInterface } from '../model/tunnel.ts'
import type { HostLink } from '../translate/tunnel-interfaces.ts'
import type { PolicyState } from './policy-state.ts'
import { encodeOwnTunnel } from './stored-tunnels.ts'

/** What is otherwise than it is to be; `state`: the interface is down. */
export type TunnelDifference = 'name' | 'kind' | 'local' | 'remote' | 'addresses' | 'mtu' | 'state'

export interface TunnelChange {
  readonly to: OwnTunnel
  readonly differences: readonly TunnelDifference[]
  /** `updated`: it stays, with the routes into it; `replaced`: it is made anew. */
  readonly manner: 'updated' | 'replaced'
}

/** An interface that is not ours has the name of one that is wanted. */
export interface BlockedTunnel {
  readonly wanted: TunnelInterface
  readonly found: HostLink
  readonly differences: readonly TunnelDifference[]
}

export type TunnelStep =
  | { readonly kind: 'create' | 'delete' | 'ends' | 'mtu' | 'up' | 'down'; readonly tunnel: OwnTunnel }
  | {
      readonly kind: 'add-address' | 'delete-address'
      readonly tunnel: OwnTunnel
      readonly address: Prefix
    }

export interface TunnelPlan {
  readonly add: readonly OwnTunnel[]
  readonly change: readonly TunnelChange[]
  readonly remove: readonly OwnTunnel[]
  /** Those of others that are used as they are count, too. */
  readonly untouched: number
  readonly blocked: readonly BlockedTunnel[]
  /** Those of ours that there will be. */
  readonly own: readonly OwnTunnel[]
  /**
   * In three parts. What is new comes, down, before policies change: most of what can fail is there. What goes, or gets
   * other ends, does so when new policies are there and old ones still are. What is new comes up when all is done.
   */
  readonly early: readonly TunnelStep[]
  readonly middle: readonly TunnelStep[]
  readonly late: readonly TunnelStep[]
}

/**
 * Numbers of our interfaces, from here on. The kernel counts from 1, and does not come this far; so numbers are known
 * before the interfaces are there, whatever the kernel makes by itself (its modules for tunnels make one each).
 */
const FIRST_NUMBER = 1_000_001

/**
 * Steps from what is there to what is wanted.
 *
 * @param owned all that we have made, or may have begun to make; where two have a number, the first is the one to return to
 */
export function planTunnels(
  wanted: readonly TunnelInterface[],
  owned: readonly OwnTunnel[],
  present: readonly HostLink[],
): TunnelPlan {
  const links = new Map(present.map((link) => [link.ifindex, link]))
  const { add, kept, own, blocked } = match(wanted, owned, links)
  const stay = new Set(own.map(({ ifindex }) => ifindex))
  const leaving = new Map(owned.filter((one) => !stay.has(one.ifindex)).map((one) => [one.ifindex, one]))
  const remove = [...leaving.values()].filter(({ ifindex }) => links.get(ifindex)?.tunnel)
  const change = kept.flatMap(({ to, found }): TunnelChange[] => {
    if (found.differences.length === 0) return []
    const holder = present.find((link) => link.ifindex !== to.ifindex && hasEnds(link, to))
    const isHeld = holder !== undefined && stay.has(holder.ifindex) && differsInEnds(found.differences)
    return [{ to, differences: found.differences, manner: isHeld || found.isAnew ? 'replaced' : 'updated' }]
  })
  const going = new Set([...remove, ...change.map(({ to }) => to)].map(({ ifindex }) => ifindex))
  const waits = (tunnel: OwnTunnel) =>
    present.some((link) => going.has(link.ifindex) && (link.name === tunnel.name || hasEnds(link, tunnel)))
  const replaced = change.filter(({ manner }) => manner === 'replaced').map(({ to }) => to)
  const updated = change.filter(({ manner }) => manner === 'updated')
  return {
    add,
    change,
    remove,
    untouched: wanted.length - blocked.length - add.length - change.length,
    blocked,
    own,
    early: add.filter((one) => !waits(one)).flatMap(createSteps),
    middle: [
      ...[...remove, ...replaced].map((tunnel): TunnelStep => ({ kind: 'delete', tunnel })),
      ...updated.flatMap((one) => updateSteps(one, owned, links)),
      ...[...replaced, ...add.filter(waits)].flatMap(createSteps),
    ],
    late: [
      ...add,
      ...replaced,
      ...updated.filter(({ differences }) => differences.includes('state')).map(({ to }) => to),
    ].map((tunnel): TunnelStep => ({ kind: 'up', tunnel })),
  }
}

/** What is wanted, by what there is in its place. */
interface Match extends Pick<TunnelPlan, 'add' | 'own' | 'blocked'> {
  /** Those that are there and ours. */
  readonly kept: readonly { readonly to: OwnTunnel; readonly found: Found }[]
}

/** @param links what is there, by number */
function match(
  wanted: readonly TunnelInterface[],
  owned: readonly OwnTunnel[],
  links: ReadonlyMap<number, HostLink>,
): Match {
  const names = new Map([...links.values()].map((link) => [link.name, link]))
  const ourNumbers = new Set(owned.map(({ ifindex }) => ifindex))
  const taken = new Set([...links.keys(), ...ourNumbers])
  const add: OwnTunnel[] = []
  const own: OwnTunnel[] = []
  const blocked: BlockedTunnel[] = []
  const kept: Match['kept'][number][] = []
  for (const tunnel of wanted) {
    const known = owned.find(({ name }) => name === tunnel.name)
    const link = known && links.get(known.ifindex)
    const named = names.get(tunnel.name)
    if (named && !(ourNumbers.has(named.ifindex) && named.tunnel)) {
      const differences = differencesOf(tunnel, named).filter((one) => one !== 'state')
      if (differences.length > 0) blocked.push({ wanted: tunnel, found: named, differences })
    } else if (known && link?.tunnel) {
      const to = numbered(tunnel, known.ifindex)
      kept.push({ to, found: compare(to, link, owned) })
      own.push(to)
    } else {
      const to = numbered(tunnel, known && !link ? known.ifindex : freeNumber(taken))
      add.push(to)
      own.push(to)
    }
  }
  return { add, kept, own, blocked }
}

/** With the interfaces of a plan in the record. Those that go are not remembered: rules about them have none. */
export function withOwnTunnels(
  asked: PolicyState | undefined,
  before: PolicyState,
  { own, remove }: TunnelPlan,
): PolicyState | undefined {
  const text = (list: readonly OwnTunnel[]) => JSON.stringify(list.map(encodeOwnTunnel))
  if (text(own) === text(before.ownTunnels)) return asked
  const next = asked ?? before
  const gone = new Set(remove.map(({ ifindex }) => ifindex))
  const tunnels = new Map([...next.tunnels].filter(([, { ifindex }]) => !gone.has(ifindex)))
  return { ...next, tunnels, ownTunnels: own }
}

/** True where there is nothing to do. */
export function isEmptyTunnelPlan({ add, change, remove }: TunnelPlan): boolean {
  return add.length + change.length + remove.length === 0
}

/**
 * The beginning of the way back to what was, before policies change: what is not to be there goes, and what has other ends
 * goes down. What is left is planned anew behind it, for an interface that is down has lost its IPv6 addresses.
 */
export function stepsOut({ middle, change }: TunnelPlan): TunnelStep[] {
  const others = change.filter(
    ({ differences, manner }) => manner === 'updated' && differsInEnds(differences),
  )
  return [
    ...middle.filter(({ kind }) => kind === 'delete'),
    ...others.map(({ to: tunnel }): TunnelStep => ({ kind: 'down', tunnel })),
  ]
}

interface Found {
  readonly differences: readonly TunnelDifference[]
  readonly isAnew: boolean
}

/** How one of ours is otherwise than it is to be. */
function compare(to: OwnTunnel, link: HostLink, owned: readonly OwnTunnel[]): Found {
  const had = owned.filter(({ ifindex }) => ifindex === to.ifindex)
  // What the kernel finds, it finds when an interface is made.
  const losesMtu = to.mtu === undefined && had.some(({ mtu }) => mtu !== undefined)
  const differences = new Set(differencesOf(to, link))
  if (surplusAddresses(to, link, owned).length > 0) differences.add('addresses')
  if (losesMtu) differences.add('mtu')
  if (link.name !== to.name) differences.add('name')
  return {
    differences: ORDER.filter((one) => differences.has(one)),
    isAnew: losesMtu || differences.has('name') || differences.has('kind'),
  }
}

const ORDER: readonly TunnelDifference[] = ['name', 'kind', 'local', 'remote', 'addresses', 'mtu', 'state']

function differencesOf(wanted: TunnelInterface | OwnTunnel, link: HostLink): TunnelDifference[] {
  const { kind, local, remote, mtu, addresses } = wanted
  const { tunnel } = link
  const found: (TunnelDifference | false)[] = [
    tunnel?.kind !== kind && 'kind',
    tunnel?.kind === kind && !sameAddress(tunnel.local, local) && 'local',
    tunnel?.kind === kind && !sameAddress(tunnel.remote, remote) && 'remote',
    !addresses.every((one) => hasAddress(link, one)) && 'addresses',
    mtu !== undefined && link.mtu !== mtu && 'mtu',
    !link.isUp && 'state',
  ]
  return found.filter((one) => one !== false)
}

function differsInEnds(differences: readonly TunnelDifference[]): boolean {
  return differences.includes('local') || differences.includes('remote')
}

function hasEnds({ tunnel }: HostLink, { kind, local, remote }: OwnTunnel): boolean {
  return tunnel?.kind === kind && sameAddress(tunnel.local, local) && sameAddress(tunnel.remote, remote)
}

function hasAddress({ addresses }: Pick<HostLink, 'addresses'>, address: Prefix): boolean {
  const text = formatPrefix(address)
  return addresses.some((one) => formatPrefix(one) === text)
}

/** Addresses that we have given it and that are not wanted any more. */
function surplusAddresses(to: OwnTunnel, link: HostLink, owned: readonly OwnTunnel[]): Prefix[] {
  const given = owned.filter(({ ifindex }) => ifindex === to.ifindex).flatMap(({ addresses }) => addresses)
  return link.addresses.filter((one) => hasAddress({ addresses: given }, one) && !hasAddress(to, one))
}

function createSteps(tunnel: OwnTunnel): TunnelStep[] {
  return [{ kind: 'create', tunnel }, ...addressSteps(tunnel, tunnel.addresses)]
}

function addressSteps(tunnel: OwnTunnel, addresses: readonly Prefix[]): TunnelStep[] {
  return addresses.map((address): TunnelStep => ({ kind: 'add-address', tunnel, address }))
}

function updateSteps(
  { to: tunnel, differences }: TunnelChange,
  owned: readonly OwnTunnel[],
  links: ReadonlyMap<number, HostLink>,
): TunnelStep[] {
  const link = links.get(tunnel.ifindex)
  if (!link) return []
  const missing = tunnel.addresses.filter((one) => !hasAddress(link, one))
  return [
    ...(differsInEnds(differences) ? [{ kind: 'ends', tunnel } as const] : []),
    ...(tunnel.mtu !== undefined && differences.includes('mtu') ? [{ kind: 'mtu', tunnel } as const] : []),
    ...surplusAddresses(tunnel, link, owned).map(
      (address): TunnelStep => ({ kind: 'delete-address', tunnel, address }),
    ),
    ...addressSteps(tunnel, missing),
  ]
}

function numbered(
  { name, kind, local, remote, addresses, mtu }: TunnelInterface,
  ifindex: number,
): OwnTunnel {
  return { name, kind, local, remote, addresses, ...(mtu !== undefined && { mtu }), ifindex }
}

function freeNumber(taken: Set<number>): number {
  let number = FIRST_NUMBER
  while (taken.has(number)) number++
  taken.add(number)
  return number
}
