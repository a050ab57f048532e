/**
 * Policies of sockets with real traffic: what is on the wire, and what arrives.
 */
import { randomBytes } from 'node:crypto'
import t from 'tap'
import { sendParcel } from '../../../../netlink/libc/descriptors.ts'
import { SystemError } from '../../../../netlink/libc/errno.ts'
import { close, send } from '../../../../netlink/libc/socket.ts'
import type { Teardown } from '../../../support/namespaces.ts'
import { type Answer, receive as receiveAnswer, SocketAgent } from '../../../support/socket-agent.ts'
import { check } from '../../support/check.ts'
import { AES_SHA256, pairOf, type TestSa } from '../../support/keys.ts'
import {
  accept,
  bound,
  connect,
  listen,
  receive,
  SOCK_DGRAM,
  SOCK_STREAM,
  sockaddr,
  trySend,
  until,
} from '../../support/sockets.ts'
import { type Addresses, ESP, INET, INET6, TwoStations } from '../../support/two-stations.ts'
import { kindsOf, Wiretap } from '../../support/wiretap.ts'

t.setTimeout(600_000)

const PROTECT_ESP = { protect: { encryption: 'aes', authentication: 'sha256' } }
const PROTECT_ANY = { protect: { encryption: 'any' } }
const PROTECT_AH = { protect: { ah: 'sha256' } }
const PROTECT_BOTH = { protect: { ah: 'sha256', encryption: 'aes', authentication: 'sha256' } }
const BYPASS = { action: 'bypass' }
const QUERY = { action: 'query' }
const BOTH = [INET, INET6] as const

/** Milliseconds that something that must not arrive is waited for. */
const SILENCE = 150
const PATIENCE = 10_000

/** Two hosts, each with the service. */
class Scene {
  readonly two: TwoStations
  readonly leftAgent: SocketAgent
  readonly rightAgent: SocketAgent
  readonly #wire: Wiretap
  readonly #open = new Set<number>()

  private constructor(t: Teardown, two: TwoStations, agents: readonly [SocketAgent, SocketAgent]) {
    this.two = two
    ;[this.leftAgent, this.rightAgent] = agents
    this.#wire = Wiretap.open(t, { station: two.left }, { station: two.right })
    t.teardown(() => {
      for (const fd of this.#open) close(fd)
    })
  }

  static async make(t: Teardown): Promise<Scene> {
    const two = await TwoStations.make(t)
    const agents = [
      await SocketAgent.start(t, two.left.host),
      await SocketAgent.start(t, two.right.host),
    ] as const
    return new Scene(t, two, agents)
  }

  /** As it was made: no rules, shared SAs. */
  async begin(): Promise<void> {
    for (const station of [this.two.left, this.two.right]) await station.policy('')
    await this.two.keys(this.two.sharedSas())
  }

  /** A bound socket; with a policy where one is asked for. @throws where that is refused */
  socket(side: 'left' | 'right', type: number, address: string, port: number, request?: object): number {
    const station = this.two[side]
    const fd = this.keep(station.visit(() => bound(type, 0, address, port)))
    if (request) {
      const { errno, reason } = this.ask(side, request, fd)
      if (errno !== 0) throw new Error(reason)
    }
    return fd
  }

  keep(fd: number): number {
    this.#open.add(fd)
    return fd
  }

  drop(fd: number): void {
    this.#open.delete(fd)
    close(fd)
  }

  ask(side: 'left' | 'right', request: object, fd: number): Answer {
    return this[side === 'left' ? 'leftAgent' : 'rightAgent'].request(request, fd)
  }

  /** One datagram: what is on the wire, and `lost` where it does not arrive; or the sender's error. */
  datagram(sender: number, receiver: number, to: string, port: number): string {
    const marker = randomBytes(24)
    const refused = () => [...this.two.right.refusals().values()].reduce((sum, count) => sum + count, 0)
    const before = refused()
    this.#wire.take()
    try {
      send(sender, marker, 0, sockaddr(to, port))
    } catch (error) {
      if (error instanceof SystemError) return error.code
      throw error
    }
    const end = until(() => {
      if (marker.equals(receive(receiver) ?? NOTHING)) return 'here'
      return refused() > before ? 'lost' : undefined
    }, PATIENCE)
    return `${kindsOf(this.#wire.take())}${end === 'here' ? '' : ' lost'}`
  }

  /** A connection with a few bytes each way: what is on the wire; `lost` where it does not come to be. */
  stream(client: number, listener: number, to: string, port: number): { wire: string; child?: number } {
    this.#wire.take()
    try {
      connect(client, to, port)
    } catch (error) {
      if (error instanceof SystemError) return { wire: error.code }
      throw error
    }
    const child = until(() => accept(listener), SILENCE * 4)
    if (child === undefined) return { wire: `${kindsOf(this.#wire.take())} lost` }
    this.keep(child)
    const both = this.exchange(client, child)
    return { wire: `${kindsOf(this.#wire.take())}${both ? '' : ' lost'}`, child }
  }

  /** A few bytes each way over a connection. */
  exchange(client: number, child: number): boolean {
    return [
      [client, child],
      [child, client],
    ].every(([from = 0, to = 0]) => {
      const bytes = randomBytes(16)
      until(() => (trySend(from, bytes) ? true : undefined), PATIENCE)
      return until(() => (bytes.equals(receive(to) ?? NOTHING) ? true : undefined), PATIENCE)
    })
  }

  /** {@link exchange}, and what it was on the wire. */
  exchanged(client: number, child: number): string {
    this.#wire.take()
    return `${this.exchange(client, child) ? '' : 'lost '}${kindsOf(this.#wire.take())}`
  }

  /** A listening socket. */
  listener(address: string, port: number, request?: object): number {
    const fd = this.socket('right', SOCK_STREAM, address, port, request)
    listen(fd)
    return fd
  }
}

const NOTHING = new Uint8Array()
/** To make one takes long in a virtual machine. */
const scene = await Scene.make(t)
let nextPort = 20_000

t.test('datagrams of sockets that are protected, and of others', async (t) => {
  await scene.begin()
  for (const { L, R, family } of BOTH) {
    const pair = (mine: object | undefined, theirs: object | undefined) => () => {
      const port = nextPort++
      const receiver = scene.socket('right', SOCK_DGRAM, R, port, theirs)
      return scene.datagram(scene.socket('left', SOCK_DGRAM, L, 0, mine), receiver, R, port)
    }
    check(t, family, {
      neither: [pair(undefined, undefined), 'udp'],
      'both by ESP': [pair(PROTECT_ESP, PROTECT_ESP), 'esp'],
      'both by whatever there is': [pair(PROTECT_ANY, PROTECT_ANY), 'esp'],
      'both by AH': [pair(PROTECT_AH, PROTECT_AH), 'ah'],
      'both by AH around ESP': [pair(PROTECT_BOTH, PROTECT_BOTH), 'ah'],
      'the sender alone': [pair(PROTECT_ESP, undefined), 'esp'],
      'the receiver alone': [pair(undefined, PROTECT_ESP), 'udp lost'],
      'AH for one that wants both': [pair(PROTECT_AH, PROTECT_BOTH), 'ah lost'],
      'ESP for one that wants AH': [pair(PROTECT_ESP, PROTECT_AH), 'esp lost'],
    })
  }
})

t.test('connections, and that accepted ones inherit', async (t) => {
  await scene.begin()
  for (const { L, R, family } of BOTH) {
    const port = nextPort++
    const listener = scene.listener(R, port, PROTECT_ESP)
    const open = scene.socket('left', SOCK_STREAM, L, 0)
    t.equal(scene.stream(open, listener, R, port).wire, 'tcp lost', `${family}: in clear, nobody is heard`)
    // It would go on trying.
    scene.drop(open)
    const client = scene.socket('left', SOCK_STREAM, L, 0, PROTECT_ESP)
    const { wire, child } = scene.stream(client, listener, R, port)
    t.equal(wire, 'esp', family)
    if (child === undefined) continue
    t.match(scene.ask('right', QUERY, child), { inherited: true, policy: { protect: {} } })
    t.match(scene.ask('right', BYPASS, child), { code: 'EINVAL' }, 'and keeps it')
    t.equal(scene.exchanged(client, child), 'esp')
  }
})

t.test('in clear by root, whatever the rules say; not by others', async (t) => {
  await scene.begin()
  const { left, right } = scene.two
  for (const station of [left, right]) await station.policy(`{} ipsec {${ESP}}`)
  for (const { L, R, family } of BOTH) {
    const pair = (mine?: object, theirs?: object) => () => {
      const port = nextPort++
      const receiver = scene.socket('right', SOCK_DGRAM, R, port, theirs)
      return scene.datagram(scene.socket('left', SOCK_DGRAM, L, 0, mine), receiver, R, port)
    }
    check(t, family, {
      'the rule': [pair(), 'esp'],
      'both in clear': [pair(BYPASS, BYPASS), 'udp'],
      'the sender alone': [pair(BYPASS), 'udp lost'],
      'a policy that says the same': [pair(PROTECT_ESP, PROTECT_ESP), 'esp'],
    })
  }
  const code = `
import json, socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for q in sys.argv[2:]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as a:
        a.connect(sys.argv[1])
        socket.send_fds(a, [q.encode()], [s.fileno()])
        print(json.loads(a.recv(65536)).get("code", "done"))
`
  await left.host.exec('chmod', ['755', new URL('.', `file://${scene.leftAgent.path}`).pathname])
  const requests = [BYPASS, PROTECT_ESP, { action: 'none' }].map((one) => JSON.stringify(one))
  const { stdout, stderr } = await left.host.exec('setpriv', [
    ...['--reuid', '65534', '--regid', '65534', '--clear-groups'],
    ...['/usr/bin/python3', '-c', code, scene.leftAgent.path, ...requests],
  ])
  t.equal(stderr, '')
  t.same(stdout.trim().split('\n'), ['EPERM', 'done', 'done'])
})

t.test('rules and SAs come and go; open sockets keep working', async (t) => {
  await scene.begin()
  const { left, right } = scene.two
  const { L, R } = INET
  const port = nextPort++
  const listener = scene.listener(R, port, PROTECT_ANY)
  const client = scene.socket('left', SOCK_STREAM, L, 0, PROTECT_ANY)
  const { wire, child } = scene.stream(client, listener, R, port)
  t.equal(wire, 'esp')
  if (child === undefined) return
  const receiver = scene.socket('right', SOCK_DGRAM, R, port)
  const sender = scene.socket('left', SOCK_DGRAM, L, 0)
  const rules = async (text: string) => {
    for (const station of [left, right]) await station.policy(text)
  }
  await rules(`{} ipsec {${ESP}}`)
  t.equal(scene.exchanged(client, child), 'esp', 'a rule for the same SAs')
  t.equal(scene.datagram(sender, receiver, R, port), 'esp', 'which is in force')
  await rules('{} ipsec {encr_algs aes(128..256) encr_auth_algs any} or ipsec {auth_algs any}')
  t.equal(scene.exchanged(client, child), 'esp', 'rules that ask for more kinds')
  t.equal(scene.datagram(sender, receiver, R, port), 'esp')
  await rules('{} drop {}')
  t.equal(scene.exchanged(client, child), 'esp', 'one that drops')
  await rules('')
  t.equal(scene.exchanged(client, child), 'esp', 'no rules')
  t.equal(scene.datagram(sender, receiver, R, port), 'udp')
  await scene.two.keys(scene.two.sharedSas().map((sa) => ({ ...sa, spi: sa.spi + 0x1000 })))
  t.equal(scene.exchanged(client, child), 'esp', 'new SAs')
  const late = scene.socket('left', SOCK_DGRAM, L, 0, PROTECT_ESP)
  await scene.two.keys([])
  t.equal(scene.datagram(late, receiver, R, port), 'EAGAIN', 'none')
})

t.test('SAs that come later', async (t) => {
  await scene.begin()
  const { L, R } = INET
  await scene.two.keys([])
  const sender = scene.socket('left', SOCK_DGRAM, L, 0)
  t.match(scene.ask('left', PROTECT_ESP, sender), { code: 'EAGAIN' }, 'three key lengths would do')
  const connection = scene.keep(scene.leftAgent.open())
  sendParcel(connection, Buffer.from(JSON.stringify({ ...PROTECT_ESP, wait: 60 })), [sender])
  await scene.two.keys(scene.two.sharedSas())
  const answer = receiveAnswer(connection) ?? new Uint8Array()
  t.match(JSON.parse(Buffer.from(answer).toString()), { errno: 0, associations: [/aes-cbc 128/] })
  const port = nextPort++
  t.equal(scene.datagram(sender, scene.socket('right', SOCK_DGRAM, R, port), R, port), 'esp')
})

t.test('the kind of SAs that there are to the peer', async (t) => {
  await scene.begin()
  const { L, L2, R, R2 } = INET
  const long = { ...AES_SHA256, cipher: { name: 'aes', bits: 256 } } as const
  const pairs = (spi: number, destination: string, transform: Pick<TestSa, 'protocol'>): TestSa[] =>
    [L, L2].flatMap((source, i) => pairOf({ ...transform, spi: spi + 2 * i, source, destination }))
  await scene.two.keys([...pairs(0x3000, R, AES_SHA256), ...pairs(0x4000, R2, long)])
  const port = nextPort++
  for (const [address, bits] of [
    [R, 128],
    [R2, 256],
  ] as const) {
    const receiver = scene.socket('right', SOCK_DGRAM, address, port)
    const sender = scene.socket('left', SOCK_DGRAM, L, 0)
    t.match(scene.ask('left', { ...PROTECT_ANY, peer: address }, sender), {
      associations: [new RegExp(` ${bits},`)],
    })
    t.equal(scene.datagram(sender, receiver, address, port), 'esp', address)
  }
})

t.test('unique: SAs of the flow alone', async (t) => {
  await scene.begin()
  for (const { L, R, family } of BOTH) {
    const unique = { protect: { ...PROTECT_ESP.protect, associations: 'unique' } }
    const [mine, other, port] = [nextPort++, nextPort++, nextPort++]
    const sender = scene.socket('left', SOCK_DGRAM, L, mine)
    await scene.two.keys(scene.two.sharedSas())
    t.match(scene.ask('left', unique, sender), { code: 'EAGAIN' }, `${family}: shared ones will not do`)
    await scene.two.keys([
      ...scene.two.sharedSas(),
      ...flowSas(family === 'IPv4' ? 0x5000 : 0x6000, { L, R }, mine, port),
    ])
    t.match(scene.ask('left', unique, sender), { errno: 0, associations: [/for one flow/] })
    const receiver = scene.socket('right', SOCK_DGRAM, R, port, unique)
    t.equal(scene.datagram(sender, receiver, R, port), 'esp', family)
    const second = scene.socket('left', SOCK_DGRAM, L, other, unique)
    t.equal(scene.datagram(second, receiver, R, port), 'EAGAIN', 'another flow has none')
    const shared = scene.socket('left', SOCK_DGRAM, L, 0, PROTECT_ESP)
    t.equal(scene.datagram(shared, receiver, R, port), 'esp lost', 'and a shared one is not accepted')
  }
})

/** SAs for the datagrams between two ports. */
function flowSas(spi: number, { L, R }: Pick<Addresses, 'L' | 'R'>, own: number, other: number): TestSa[] {
  const [there, back] = pairOf({ ...AES_SHA256, spi, source: L, destination: R })
  return [
    { ...there, more: `ulp 17 sport ${own} dport ${other}` },
    { ...back, more: `ulp 17 sport ${other} dport ${own}` },
  ]
}

t.test('self-encapsulation: a tunnel between the same addresses', async (t) => {
  await scene.begin()
  const tunnels = BOTH.flatMap(({ L, R }, i) =>
    pairOf({
      ...AES_SHA256,
      spi: 0x7000 + 2 * i,
      source: L,
      destination: R,
      inner: { source: L, destination: R },
    }),
  )
  for (const { L, R, family } of BOTH) {
    const inTunnel = { ...PROTECT_ESP, selfEncapsulation: true }
    const port = nextPort++
    const receiver = scene.socket('right', SOCK_DGRAM, R, port)
    const sender = scene.socket('left', SOCK_DGRAM, L, 0)
    await scene.two.keys(scene.two.sharedSas())
    t.match(scene.ask('left', inTunnel, sender), { code: 'EDESTADDRREQ' }, `${family}: the peer is not known`)
    t.match(
      scene.ask('left', { ...inTunnel, peer: R }, sender),
      { code: 'EAGAIN' },
      'transport mode will not do',
    )
    await scene.two.keys([...scene.two.sharedSas(), ...tunnels])
    t.match(scene.ask('left', { ...inTunnel, peer: R }, sender), {
      errno: 0,
      associations: [/in tunnel mode/],
    })
    t.match(scene.ask('right', { ...inTunnel, peer: L }, receiver), { errno: 0 })
    t.equal(scene.datagram(sender, receiver, R, port), 'esp', family)
    const plain = scene.socket('left', SOCK_DGRAM, L, 0, PROTECT_ESP)
    t.equal(scene.datagram(plain, receiver, R, port), 'esp lost', 'transport mode is not accepted')
    const connected = scene.socket('left', SOCK_DGRAM, L, 0)
    connect(connected, R, port)
    t.match(scene.ask('left', inTunnel, connected), { errno: 0 }, 'a connected socket has a peer')
    t.equal(scene.datagram(connected, receiver, R, port), 'esp')
  }
})
