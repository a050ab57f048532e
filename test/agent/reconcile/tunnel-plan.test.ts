import fc from 'fast-check'
import t from 'tap'
import { formatAddress, formatPrefix, type Prefix, parseAddress } from '../../../agent/model/address.ts'
import type { OwnTunnel, TunnelInterface } from '../../../agent/model/tunnel.ts'
import { emptyState } from '../../../agent/reconcile/policy-edit.ts'
import { decodeState, encodeState } from '../../../agent/reconcile/policy-state.ts'
import { networkWith } from '../../../agent/reconcile/tunnel-network.ts'
import {
  isEmptyTunnelPlan,
  planTunnels,
  stepsOut,
  type TunnelPlan,
  withOwnTunnels,
} from '../../../agent/reconcile/tunnel-plan.ts'
import { describedTunnel, type HostLink } from '../../../agent/translate/tunnel-interfaces.ts'
import { address } from '../../support/address.ts'
import { LinkTable } from './link-table.ts'

function prefix(text: string): Prefix {
  const [host = '', length] = text.split('/')
  const found = parseAddress(host)
  if (!found) throw new Error(`${text} is no prefix`)
  return { ...found, length: Number(length) }
}

const A: TunnelInterface = {
  name: 'ip.tun0',
  kind: 'ipip',
  local: address('192.0.2.1'),
  remote: address('198.51.100.1'),
  addresses: [prefix('10.0.0.1/30')],
}
const B: TunnelInterface = { ...A, name: 'ip.tun1', remote: address('198.51.100.2'), addresses: [] }

const ETH: HostLink = { name: 'eth0', ifindex: 2, isUp: true, mtu: 1500, addresses: [prefix('192.0.2.1/24')] }

function steps({ early, middle, late }: TunnelPlan): string[] {
  const text = (list: TunnelPlan['early']) => list.map(({ kind, tunnel }) => `${kind} ${tunnel.name}`)
  return [...text(early), '|', ...text(middle), '|', ...text(late)]
}

/** Makes it so. */
function make(table: LinkTable, wanted: readonly TunnelInterface[], owned: readonly OwnTunnel[]): TunnelPlan {
  const plan = planTunnels(wanted, owned, table.links)
  for (const step of [...plan.early, ...plan.middle, ...plan.late]) table.run(step)
  return plan
}

t.test('a new one comes down, and up when all is done', async (t) => {
  const plan = planTunnels([A], [], [ETH])
  t.same(steps(plan), ['create ip.tun0', 'add-address ip.tun0', '|', '|', 'up ip.tun0'])
  t.match(plan, { add: [A], change: [], remove: [], untouched: 0, own: [{ ...A, ifindex: 1_000_001 }] })
  const table = new LinkTable([ETH])
  const { own } = make(table, [A, B], [])
  t.ok(isEmptyTunnelPlan(planTunnels([A, B], own, table.links)))
  t.match(planTunnels([A, B], own, table.links), { untouched: 2, own })
})

t.test('what goes does so in the middle, and its number and name are free again', async (t) => {
  const table = new LinkTable([ETH])
  const { own } = make(table, [A, B], [])
  const plan = planTunnels([B], own, table.links)
  t.same(steps(plan), ['|', 'delete ip.tun0', '|'])
  const other: TunnelInterface = { ...A, name: 'gate0' }
  const renamed = planTunnels([other, B], own, table.links)
  t.same(
    steps(renamed),
    ['|', 'delete ip.tun0', 'create gate0', 'add-address gate0', '|', 'up gate0'],
    'of two with the same ends the old one goes first',
  )
  make(table, [other, B], own)
  t.same(
    table.links.map(({ name }) => name),
    ['eth0', 'ip.tun1', 'gate0'],
  )
})

t.test('what can be changed in place is', async (t) => {
  const table = new LinkTable([ETH])
  const { own } = make(table, [A], [])
  const other = { ...A, remote: address('198.51.100.9'), addresses: [prefix('10.0.0.5/30')], mtu: 1400 }
  const plan = planTunnels([other], own, table.links)
  t.match(plan.change, [{ differences: ['remote', 'addresses', 'mtu'], manner: 'updated' }])
  t.same(steps(plan), [
    '|',
    'ends ip.tun0',
    'mtu ip.tun0',
    'delete-address ip.tun0',
    'add-address ip.tun0',
    '|',
  ])
  const { own: next } = make(table, [other], own)
  t.match(
    planTunnels([A], next, table.links).change,
    [{ manner: 'replaced' }],
    'only a new one finds its MTU',
  )
  const gre = { ...A, kind: 'gre' } as const
  t.match(planTunnels([gre], own, table.links).change, [{ differences: ['kind'], manner: 'replaced' }])
})

t.test('addresses that others have added stay', async (t) => {
  const table = new LinkTable([])
  const { own } = make(table, [A], [])
  const [tunnel] = own
  if (!tunnel) throw new Error('it was made')
  table.run({ kind: 'add-address', tunnel, address: prefix('fe80::1/64') })
  t.ok(isEmptyTunnelPlan(planTunnels([A], own, table.links)))
})

t.test('drift: gone, down, renamed', async (t) => {
  const table = new LinkTable([ETH])
  const { own } = make(table, [A], [])
  const [tunnel] = own
  if (!tunnel) throw new Error('it was made')
  t.same(planTunnels(own, own, [ETH]).add, own, 'it comes again under its number')
  table.run({ kind: 'down', tunnel })
  t.match(planTunnels(own, own, table.links).change, [{ differences: ['state'], manner: 'updated' }])
  const renamed = table.links.map((one) => (one.ifindex === 2 ? one : { ...one, name: 'x' }))
  t.match(planTunnels(own, own, renamed).change, [{ differences: ['name', 'state'], manner: 'replaced' }])
})

t.test('those of others are used, or in the way', async (t) => {
  const { kind, local, remote, addresses } = A
  const foreign: HostLink = {
    name: A.name,
    ifindex: 7,
    isUp: false,
    mtu: 1480,
    tunnel: { kind, local, remote },
    addresses,
  }
  t.match(planTunnels([A], [], [foreign]), {
    untouched: 1,
    own: [],
    blocked: [],
    early: [],
    middle: [],
    late: [],
  })
  const own: OwnTunnel = { ...A, ifindex: 1_000_001 }
  t.match(planTunnels([A], [own], [foreign]), { own: [], remove: [], blocked: [] }, 'ours is no more')
  t.match(planTunnels([], [], [foreign]), { remove: [], middle: [] }, 'it is not ours to remove')
  const others = [
    [{ ...foreign, tunnel: { kind, local, remote: address('198.51.100.7') } }, ['remote']],
    [{ ...foreign, tunnel: { kind: 'gre', local, remote } }, ['kind']],
    [{ ...foreign, addresses: [] }, ['addresses']],
    [{ ...ETH, name: A.name }, ['kind', 'addresses']],
  ] as const
  for (const [found, differences] of others) {
    const plan = planTunnels([A], [own], [found])
    t.match(plan, { blocked: [{ differences }], own: [], untouched: 0, early: [], middle: [] })
  }
  t.match(planTunnels([{ ...A, mtu: 1400 }], [], [foreign]).blocked, [{ differences: ['mtu'] }])
})

t.test('the record', async (t) => {
  const empty = emptyState(0xff00_0000)
  const { own } = planTunnels([A, { ...B, mtu: 1400, line: 3 }], [], [])
  const plan = planTunnels([A], [], [])
  const state = withOwnTunnels(undefined, empty, { ...plan, own })
  if (!state) throw new Error('there is a change')
  t.same(decodeState(encodeState(state)), state)
  t.equal(withOwnTunnels(undefined, state, { ...plan, own }), undefined, 'nothing to record')
  const { ownTunnels: _, ...old } = JSON.parse(encodeState(empty))
  t.same(decodeState(JSON.stringify(old)), empty, 'a record from before there were any')
})

t.test('the host as it will be', async (t) => {
  const [before] = planTunnels([A], [], []).own
  const [after] = planTunnels(
    [{ ...A, remote: address('198.51.100.9'), addresses: [prefix('10.0.0.5/30')] }],
    [],
    [],
  ).own
  if (!before || !after) throw new Error('they are planned')
  const table = new LinkTable([
    ETH,
    { ...ETH, name: 'dummy0', ifindex: 3, addresses: [prefix('10.0.0.1/32')] },
  ])
  make(table, [A], [])
  const here = {
    localAddresses: table.links.flatMap(({ addresses }) =>
      addresses.map(({ family, bytes }) => ({ family, bytes })),
    ),
    tunnels: new Map([[A.name, describedTunnel(before, before.ifindex)]]),
    routedMarks: 0,
  }
  const shown = (list: readonly OwnTunnel[]) => {
    const { localAddresses, tunnels } = networkWith(here, table.links, [before], list)
    return {
      addresses: localAddresses.map(formatAddress),
      ends: [...tunnels.values()].map((one) => formatAddress(one.endpoints.remote)),
    }
  }
  t.same(shown([before]), { addresses: ['192.0.2.1', '10.0.0.1', '10.0.0.1'], ends: ['198.51.100.1'] })
  t.same(shown([after]), { addresses: ['192.0.2.1', '10.0.0.1', '10.0.0.5'], ends: ['198.51.100.9'] })
  t.same(shown([]), { addresses: ['192.0.2.1', '10.0.0.1'], ends: [] })
})

const wanted = fc
  .uniqueArray(
    fc
      .record({
        name: fc.constantFrom('a', 'b', 'c'),
        kind: fc.constantFrom('ipip', 'gre'),
        remote: fc.constantFrom('198.51.100.1', '198.51.100.2', '198.51.100.3').map(address),
        addresses: fc
          .uniqueArray(fc.constantFrom('10.0.0.1/30', '10.0.0.5/30', 'fd00::1/64'), { maxLength: 2 })
          .map((list) => list.map(prefix)),
        mtu: fc.option(fc.constantFrom(1300, 1400), { nil: undefined }),
      })
      .map(
        ({ mtu, ...rest }): TunnelInterface => ({
          ...rest,
          local: A.local,
          ...(mtu !== undefined && { mtu }),
        }),
      ),
    { selector: ({ name }) => name, maxLength: 3 },
  )
  .filter(
    (list) =>
      new Set(list.map(({ kind, remote }) => `${kind} ${formatAddress(remote)}`)).size === list.length,
  )

/** What of the table matters; numbers do not. */
function picture(links: readonly HostLink[]): string[] {
  return links
    .map(({ name, isUp, mtu, tunnel, addresses }) =>
      [
        name,
        isUp,
        mtu,
        tunnel?.kind,
        tunnel && formatAddress(tunnel.remote),
        ...addresses.map(formatPrefix).sort(),
      ].join(' '),
    )
    .sort()
}

t.test('from anything to anything; broken off anywhere, the way back is found', async (t) => {
  fc.assert(
    fc.property(wanted, wanted, fc.nat(), (first, second, moment) => {
      const table = new LinkTable([ETH])
      const { own: before } = make(table, first, [])
      const old = picture(table.links)
      const plan = planTunnels(second, before, table.links)
      const all = [...plan.early, ...plan.middle, ...plan.late]
      const broken = new LinkTable(table.links)
      for (const step of all) table.run(step)
      const fresh = new LinkTable([ETH])
      make(fresh, second, [])
      t.same(picture(table.links), picture(fresh.links), 'as if it had been made at once')
      t.ok(isEmptyTunnelPlan(planTunnels(second, plan.own, table.links)))

      for (const step of all.slice(0, moment % (all.length + 1))) broken.run(step)
      const known = [...before, ...plan.own]
      for (const step of stepsOut(planTunnels(before, known, broken.links))) broken.run(step)
      make(broken, before, known)
      t.same(picture(broken.links), old)
      return true
    }),
    { seed: 20261121, numRuns: 300 },
  )
})
