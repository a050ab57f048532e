/** Tunnel interfaces that `solipsec apply` and the agent make, on a stock kernel, which has them all. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { defaultAlgorithmTable } from '../../../../../agent/model/default-algorithms.ts'
import type { TunnelInterface } from '../../../../../agent/model/tunnel.ts'
import { applySteps } from '../../../../../agent/reconcile/engine.ts'
import { flushRules } from '../../../../../agent/reconcile/policy-edit.ts'
import { Session } from '../../../../../agent/reconcile/session.ts'
import { Store } from '../../../../../agent/reconcile/store.ts'
import type { TunnelStep } from '../../../../../agent/reconcile/tunnel-plan.ts'
import { runTunnelSteps } from '../../../../../agent/reconcile/tunnel-steps.ts'
import { XfrmConnection } from '../../../../../netlink/xfrm/connection.ts'
import { violations } from '../../../../schemas/support.ts'
import { address } from '../../../../support/address.ts'
import { AgentProcess } from '../../../../support/agent-process.ts'
import { ConfigurationPlace, espPair } from '../../../../support/configuration-place.ts'
import { TestNet } from '../../../../support/namespaces.ts'
import { ownState } from '../../../../support/own-state.ts'
import { root } from '../../../../support/tiers.ts'
import { Station } from '../../../support/station.ts'
import { ping } from '../../../support/traffic.ts'
import { kindsOf, Wiretap } from '../../../support/wiretap.ts'

const PROTECT = { encryption: 'aes(128)', authentication: 'sha256' }
const [L, R] = ['192.0.2.1', '192.0.2.2']
const [L6, R6] = ['2001:db8::1', '2001:db8::2']

t.setTimeout(540_000)
ownState(t)
const net = new TestNet(t)
const [left, right] = await Station.make(t, net, 2)
await net.wire(left.host, right.host, [`${L}/24`, `${L6}/64`, '192.0.2.3/24'], [`${R}/24`, `${R6}/64`])
const here = new ConfigurationPlace(t, left)
const there = new ConfigurationPlace(t, right)
const wire = Wiretap.open(t, { station: left }, { station: right })

interface Form {
  readonly kind?: string
  readonly mode?: 'tunnel' | 'transport'
  readonly ends?: readonly [string, string]
  readonly inner?: readonly [string, string]
}

/** The document of one side: a tunnel, a rule about it, and SAs. The other side's is the mirror image. */
function document(
  { kind = 'ipip', mode = 'tunnel', ends = [L, R], inner = ['10.9.0.1', '10.9.0.2'] }: Form,
  isMirrored = false,
) {
  const bits = inner[0].includes(':') ? 64 : 30
  const [from, to] = isMirrored ? [1, 0] : [0, 1]
  const tunnel = {
    name: 'ip.tun0',
    kind,
    local: ends[from],
    remote: ends[to],
    addresses: [`${inner[from]}/${bits}`],
  }
  const selected = mode === 'tunnel' ? { local: inner[from], remote: inner[to] } : {}
  const [out, back] = espPair(0x1000, ...ends) as [object, object]
  // SAs for the tunnel's own packets are of their protocol.
  const upperProtocol = kind.endsWith('gre') ? 47 : inner[0].includes(':') ? 41 : 4
  const within = (source: string, destination: string) =>
    mode === 'tunnel' ? { inner: { source, destination } } : { upperProtocol }
  return {
    tunnels: [tunnel],
    policies: [{ tunnel: { name: 'ip.tun0', mode }, ...selected, protect: PROTECT }],
    associations: [
      { ...out, ...within(inner[0], inner[1]) },
      { ...back, ...within(inner[1], inner[0]) },
    ],
  }
}

const NOTHING = { tunnels: [], policies: [], associations: [] }

async function both(form: Form): Promise<void> {
  await here.apply(document(form))
  await there.apply(document(form, true))
}

/** The tunnel interfaces of the host, but for those that modules make by themselves. */
async function tunnels(): Promise<string[]> {
  const said = async (words: string) => (await left.host.exec('ip', words.split(' '))).stdout
  const text = (await said('-o -d link show')) + (await said('-o addr show'))
  const made = [
    ...text.matchAll(
      /^(\d+): (\S+?)[@:].*? (mtu \d+).*?(ipip|gre|ip6tnl|ip6gre) .*?remote (\S+) local (\S+)/gm,
    ),
  ]
  return made
    .filter(([, , , , , remote]) => remote !== 'any')
    .map(([line = '', number, name = '', mtu, kind, remote, local]) => {
      const own = [...text.matchAll(/^(\d+): \S+\s+inet6? (\S+)(?: peer \S+)?.* scope (?:global|host)/gm)]
      const addresses = own.filter(([, of]) => of === number).map(([, , address]) => address)
      const state = /[<,]UP[,>]/.test(line) ? 'up' : 'down'
      return [name, kind, local, remote, state, mtu, ...addresses].join(' ')
    })
}

function pending(): string[] {
  const folder = left.folder
  return readdirSync(folder).filter((name) => name.includes('pending'))
}

function crossing(form: Form): string {
  const { inner: [from, to] = ['10.9.0.1', '10.9.0.2'] } = form
  wire.take()
  const { delivered } = ping({ station: left, address: from }, { station: right, address: to })
  return `${delivered ? 'delivered' : 'lost'} ${kindsOf(wire.take())}`
}

t.test('what passes a tunnel that was made is protected, of every kind and mode', async (t) => {
  const forms: Form[] = [
    { kind: 'ipip' },
    { kind: 'ipip', mode: 'transport' },
    { kind: 'gre', mode: 'transport' },
    { kind: 'ip6tnl', mode: 'transport', ends: [L6, R6], inner: ['fd09::1', 'fd09::2'] },
    { kind: 'ip6gre', ends: [L6, R6], inner: ['fd09::1', 'fd09::2'] },
  ]
  for (const form of forms) {
    await both(form)
    t.equal(crossing(form), 'delivered esp', JSON.stringify(form))
    t.match(await here.command('diff', document(form)), { code: 0, out: '' })
  }
  await here.apply(NOTHING)
  await there.apply(NOTHING)
  t.same(await tunnels(), [])
})

t.test('plan, apply and diff tell of it', async (t) => {
  const one = document({})
  const plan = await here.command('plan', one)
  t.match(plan, {
    code: 0,
    out: /^Tunnels\n {2}\+ ip\.tun0 ipip 192\.0\.2\.1 -> 192\.0\.2\.2 10\.9\.0\.1\/30\n/,
  })
  t.same(await tunnels(), [], 'and nothing is made')
  t.match(await here.command('diff', one), { code: 1, out: /^\+ ip\.tun0 ipip/m })
  await here.apply(one)
  t.same(await tunnels(), ['ip.tun0 ipip 192.0.2.1 192.0.2.2 up mtu 1480 10.9.0.1/30'])
  const again = await here.command('plan --json', one)
  t.same(violations('solipsec-plan.schema.json', again.out), [])
  t.match(JSON.parse(again.out), {
    tunnels: { add: [], change: [], remove: [], untouched: 1 },
    counts: { untouched: 4 },
  })
  await left.host.ip('route add 10.77.0.0/16 dev ip.tun0')
  const other = document({ ends: ['192.0.2.3', R] })
  const changed = { ...other, tunnels: other.tunnels.map((tunnel) => ({ ...tunnel, mtu: 1400 })) }
  t.match(await here.command('plan', changed), { out: /~ ip\.tun0 .*# local, mtu; in place\n/ })
  const diff = await here.command('diff --json', changed)
  t.same(violations('solipsec-diff.schema.json', diff.out), [])
  t.match(JSON.parse(diff.out), { same: false, tunnels: { change: [{ differences: ['local', 'mtu'] }] } })
  await here.apply(changed)
  t.same(await tunnels(), ['ip.tun0 ipip 192.0.2.3 192.0.2.2 up mtu 1400 10.9.0.1/30'])
  t.match(await left.host.ip('route show 10.77.0.0/16'), /ip\.tun0/, 'routes of others into it stay')
  t.match(await here.command('apply', { tunnels: [] }), {
    code: 1,
    err: /Cannot find tunnel interface ip\.tun0/,
  })
  t.same((await tunnels()).length, 1, 'while rules are about it')
  t.match(await here.command('plan', NOTHING), { out: /- ip\.tun0 ipip 192\.0\.2\.3/ })
  await here.apply(NOTHING)
  t.same(await tunnels(), [])
})

t.test('those of others', async (t) => {
  await left.host.ip(`link add ip.tun0 type ipip local ${L} remote 192.0.2.99`)
  const refused = await here.command('apply', document({}))
  t.match(refused, {
    code: 1,
    err: /\.json:1: ip\.tun0 is there, .*: its remote end is 192\.0\.2\.99, it has no address$/m,
  })
  t.match(await here.command('diff', document({})), { code: 2 })
  await left.host.ip('link delete ip.tun0', `link add ip.tun0 type ipip local ${L} remote ${R}`)
  await left.host.ip('address add 10.9.0.1/30 dev ip.tun0', 'link set ip.tun0 up')
  t.match(await here.command('plan', document({})), {
    out: /\nPlan: 3 to add, 0 to change, 0 to remove, 1 untouched\./,
  })
  await here.apply(document({}))
  await there.apply(document({}, true))
  t.equal(crossing({}), 'delivered esp', 'one that is as the document says is used')
  await here.apply(NOTHING)
  t.same((await tunnels()).length, 1, 'and not ours to remove')
  const twin = document({})
  const [tunnel] = twin.tunnels
  t.match(await here.command('apply', { ...twin, tunnels: [{ ...tunnel, name: 'twin0' }], policies: [] }), {
    code: 1,
    err: /twin0 cannot be made: .*\nhelp: another interface of kind ipip has the ends .*\nNothing was changed\.$/m,
  })
  await left.host.ip('link delete ip.tun0')
  t.same(await tunnels(), [])
  t.same(pending(), [])
})

t.test('never a moment in clear', async (t) => {
  await there.apply(document({}, true))
  // It ends where there is no way for its packets, and begins anew.
  const pings = 'while :; do ping -q -n -c 200 -i 0.002 -W 0.01 10.9.0.2; done'
  const child = spawn('ip', ['netns', 'exec', left.host.namespace, 'sh', '-c', pings], { stdio: 'ignore' })
  const kinds = new Set<string>()
  const look = () => {
    for (const kind of kindsOf(wire.take()).split(',')) kinds.add(kind)
  }
  try {
    wire.take()
    for (let i = 0; i < 2; i++) {
      for (const form of [{}, { ends: ['192.0.2.3', R] }, { kind: 'gre' }] as const) {
        await here.apply(document(form))
        await new Promise((resolve) => setTimeout(resolve, 100))
        look()
      }
      await here.apply(NOTHING)
      look()
    }
  } finally {
    child.kill()
  }
  // The other side answers what it cannot read.
  kinds.delete('icmp')
  kinds.delete('')
  t.same([...kinds], ['esp'])
  await there.apply(NOTHING)
})

/** Each of them a place to die at. */
type Act = () => void

t.test('broken off anywhere: the next command finds the old state', async (t) => {
  const old = document({})
  await here.apply(old)
  const before = await tunnels()
  const wanted: TunnelInterface[] = [
    tunnelOf('ip.tun0', { kind: 'ipip', local: '192.0.2.3', remote: R }),
    tunnelOf('gre.tun0', { kind: 'gre', local: L, remote: R }),
  ]
  for (const next of [wanted, wanted.slice(1), [{ ...wanted[1], name: 'ip.tun0' } as TunnelInterface]]) {
    const count = breakOff(next, Number.POSITIVE_INFINITY)
    await here.command('diff -q', old)
    for (let cut = 1; cut <= count; cut += 2) {
      breakOff(next, cut)
      t.same(pending(), ['policy.pending'])
      t.match(await here.command('diff', old), { code: 0, err: '' }, `after ${cut} of ${count}`)
      t.same(await tunnels(), before, `after ${cut} of ${count}`)
      t.same(pending(), [])
    }
  }
  await here.apply(NOTHING)
})

/** Carries so many steps of a change out, as a process that dies then. @returns how many there are */
function breakOff(next: readonly TunnelInterface[], cut: number): number {
  return left.visit(() => {
    const session = Session.open(defaultAlgorithmTable)
    const connection = XfrmConnection.open()
    try {
      const policy = next.some(({ name }) => name === 'ip.tun0')
        ? session.state
        : flushRules(session.state, { kind: 'all' })
      const { tunnels, reconciliation, next: state } = session.planAll({ policy, tunnels: next })
      if (!tunnels) throw new Error('tunnels are part of it')
      const step =
        (one: TunnelStep): Act =>
        () =>
          runTunnelSteps([one])
      const { steps, beforeTunnels } = reconciliation
      const acts: Act[] = [
        ...tunnels.early.map(step),
        () => applySteps(connection, steps.slice(0, beforeTunnels)),
        ...tunnels.middle.map(step),
        () => applySteps(connection, steps.slice(beforeTunnels)),
        ...tunnels.late.map(step),
      ]
      Store.open().writePendingPolicy(state)
      for (const act of acts.slice(0, cut)) act()
      return acts.length
    } finally {
      connection.close()
      session.close()
    }
  })
}

function tunnelOf(
  name: string,
  {
    kind,
    local,
    remote,
  }: { readonly kind: TunnelInterface['kind']; readonly local: string; readonly remote: string },
): TunnelInterface {
  return {
    name,
    kind,
    local: address(local),
    remote: address(remote),
    addresses: [{ ...address('10.9.0.5'), length: 30 }],
  }
}

t.test('killed, it is taken back or complete', async (t) => {
  const [one, other] = [document({}), document({ kind: 'gre' })]
  await here.apply(one)
  const file = here.file(other)
  const argv = ['apply', '--datapath', 'kernel', '--netns', left.host.namespace, file]
  const child = spawn(join(root, 'bin', 'solipsec'), argv, { stdio: 'ignore' })
  const ended = once(child, 'exit')
  while (child.exitCode === null && pending().length === 0)
    await new Promise((resolve) => setImmediate(resolve))
  child.kill('SIGKILL')
  await ended
  const codes = [await here.command('diff -q', one), await here.command('diff -q', other)].map(
    ({ code }) => code,
  )
  t.same(codes.sort(), [0, 1])
  await here.apply(one)
  t.same(pending(), [])
  await here.apply(NOTHING)
})

t.test('the agent keeps them', async (t) => {
  const file = here.file(document({}))
  const agent = await AgentProcess.start(t, left, '--config', file)
  await there.apply(document({}, true))
  const wanted = await tunnels()
  t.equal(wanted.length, 1)
  const status = await here.command('diff', document({}))
  t.equal(status.code, 0)
  for (const [line, said] of [
    ['link delete ip.tun0', /ip\.tun0 missing/],
    ['link set ip.tun0 down', /ip\.tun0 changed/],
    [`link set ip.tun0 type ipip local ${L} remote 192.0.2.99`, /ip\.tun0 changed/],
    ['address flush dev ip.tun0', /ip\.tun0 changed/],
  ] as const) {
    await left.host.ip(line)
    t.match(await agent.event('drift-mended'), { message: said, details: { tunnels: ['ip.tun0'] } }, line)
    t.same(await tunnels(), wanted)
    t.equal(crossing({}), 'delivered esp')
  }
  await left.host.ip('link delete ip.tun0', `link add ip.tun0 type ipip local ${L} remote 192.0.2.99`)
  t.match(await agent.event('drift'), { message: /In place of ours.*ip link delete ip\.tun0/ })
  await left.host.ip('link delete ip.tun0')
  await agent.event('drift-mended')
  t.same(await tunnels(), wanted)
  t.match(await agent.settle(), { state: 'online' })
  t.equal(await agent.stop(), 0)
  t.same(await tunnels(), wanted, 'they stay')
  const reporting = await AgentProcess.start(t, left, '--config', file, '--drift', 'report')
  await left.host.ip('link delete ip.tun0')
  t.match(await reporting.event('drift'), { message: /missing\. Nothing was done/ })
  t.same(await tunnels(), [])
  t.equal(await reporting.stop(), 0)
  await here.apply(NOTHING)
  await there.apply(NOTHING)
})

t.test('on the software data path', async (t) => {
  const soft = await Station.makeSoftware(t, net)
  await net.wire(soft.host, right.host, ['203.0.113.1/24'], ['203.0.113.2/24'])
  const place = new ConfigurationPlace(t, soft)
  const form: Form = { ends: ['203.0.113.1', '203.0.113.2'] }
  await there.apply(document(form, true))
  await place.apply(document(form))
  const tap = Wiretap.open(t, { station: soft }, { station: right, device: 'eth1' })
  const { delivered } = ping({ station: soft, address: '10.9.0.1' }, { station: right, address: '10.9.0.2' })
  t.ok(delivered)
  t.equal(kindsOf(tap.take()), 'esp')
  // Policies change while the interface is away: it is known again when it comes.
  await soft.host.ip('link delete ip.tun0')
  const { tunnels: own, policies } = document(form)
  await place.apply({
    policies: [...policies, { protocol: 'tcp', localPort: 22, direction: 'both', action: 'bypass' }],
  })
  await place.apply({ tunnels: own })
  await new Promise((resolve) => setTimeout(resolve, 300))
  t.ok(ping({ station: soft, address: '10.9.0.1' }, { station: right, address: '10.9.0.2' }).delivered)
  t.equal(kindsOf(tap.take()), 'esp')
  await place.apply(NOTHING)
  await there.apply(NOTHING)
})
