/**
 * Network namespaces as hosts, joined by veth pairs: real kernels' stacks, real packets, nothing of the machine's own
 * network touched. Needs root. Everything is taken down at the end of the test, also if it fails.
 *
 * @example
 * ```ts
 * const { left, right } = await twoHosts(t)
 * await right.tcpEcho(7)
 * const wire = await left.capture()
 * const { reply } = await left.tcpSend(right.address4, 7, 'hello')
 * t.equal(reply, 'hello')
 * for (const packet of await wire.stop()) t.equal(packet.protocol, 50)
 * ```
 *
 * @module
 */
import { execFile, spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { promisify } from 'node:util'
import { Capture, ipWithoutDiscovery } from './capture.ts'
import type { Send } from './peer.ts'
import { PeerClient } from './peer-client.ts'

/** The part of a tap test that is needed here. */
export interface Teardown {
  teardown(task: () => Promise<void> | void): void
}

/** How a command ended. */
export interface Outcome {
  readonly stdout: string
  readonly stderr: string
  readonly status: number | null
}

/** What came back to a sender: `reply`, or `error`: `timeout`, `closed` or a system error such as `ECONNREFUSED`. */
export interface Exchange {
  readonly reply?: string
  readonly error?: string
}

/** Milliseconds that a sender waits for an answer; what must be refused may be given less. */
const answerTime = 5000

export interface SendOptions {
  /** Milliseconds to wait for an answer. */
  readonly timeout?: number
  readonly from?: string
  readonly fromPort?: number
}

const run = promisify(execFile)

/** One command line of `ip`, split at blanks. */
const ip = (line: string): Promise<unknown> => run('ip', line.split(' '))

/** `nodad`: an IPv6 address is usable at once, there is nobody to ask whether it is taken. */
const addressLine = (address: string, device: string): string =>
  `address add ${address} dev ${device}${address.includes(':') ? ' nodad' : ''}`

/** A namespace with the interfaces that `TestNet.wire` gave it. */
export class Host {
  /** Name of the namespace, as `ip netns exec` and `--netns` take it. */
  readonly namespace: string
  /** Interface of the first wire. */
  device = 'lo'
  /** First address of each family, without the prefix length; loopback until there is a wire. */
  address4 = '127.0.0.1'
  address6 = '::1'
  readonly #folder: string
  readonly #captures: Capture[] = []
  #peer: PeerClient | undefined

  constructor(namespace: string, folder: string) {
    this.namespace = namespace
    this.#folder = folder
  }

  /** Runs a command in the namespace; a status other than 0 is an answer, not an error. */
  async exec(command: string, args: readonly string[] = [], input = ''): Promise<Outcome> {
    const child = spawn('ip', ['netns', 'exec', this.namespace, command, ...args])
    child.stdin.on('error', () => {}) // a command need not read its input
    child.stdin.end(input)
    const status = new Promise<number | null>((resolve, reject) =>
      child.on('exit', resolve).on('error', reject),
    )
    const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)])
    return { stdout, stderr, status: await status }
  }

  /**
   * Runs lines of `ip` in the namespace with one process, and gives their output. Fails if one line fails.
   *
   * @param lines - without the word `ip`; quotes group, as `ip -batch` reads them
   */
  async ip(...lines: string[]): Promise<string> {
    const child = spawn('ip', ['-n', this.namespace, '-batch', '-'])
    child.stdin.end(`${lines.join('\n')}\n`)
    const status = new Promise((resolve) => child.on('exit', resolve))
    const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)])
    if ((await status) !== 0) throw new Error(`ip -n ${this.namespace}: ${stderr.trim()}`)
    return stdout
  }

  /** Adds an address with its prefix length to an interface, usable at once. */
  async addAddress(address: string, device = this.device): Promise<void> {
    await this.ip(addressLine(address, device))
  }

  /** A service that sends back what it gets, on both families. */
  async tcpEcho(port: number): Promise<void> {
    await this.#ask({ op: 'tcpEcho', port })
  }

  async udpEcho(port: number): Promise<void> {
    await this.#ask({ op: 'udpEcho', port })
  }

  /** Everything that the echo services of `port` got: empty if all was dropped. */
  async received(port: number): Promise<string[]> {
    const { received } = await this.#ask({ op: 'received', port })
    return (received ?? []).map((data) => Buffer.from(data, 'base64').toString())
  }

  /** Connects, sends, and waits for as many bytes as it sent. */
  tcpSend(to: string, port: number, payload: string, options: SendOptions = {}): Promise<Exchange> {
    return this.#send('tcpSend', { to, port, payload, timeout: answerTime, ...options })
  }

  /** Sends one datagram and waits for one. */
  udpSend(to: string, port: number, payload: string, options: SendOptions = {}): Promise<Exchange> {
    return this.#send('udpSend', { to, port, payload, timeout: answerTime, ...options })
  }

  async #send(op: 'tcpSend' | 'udpSend', send: Send): Promise<Exchange> {
    const payload = Buffer.from(send.payload).toString('base64')
    const { reply, error } = await this.#peerClient().request({ op, ...send, payload })
    return reply === undefined
      ? { error: error ?? 'no answer' }
      : { reply: Buffer.from(reply, 'base64').toString() }
  }

  /** True if an echo request is answered within the time. */
  async ping(to: string, { timeout = answerTime, size = 56 } = {}): Promise<boolean> {
    const seconds = String(Math.max(1, Math.round(timeout / 1000)))
    const { status } = await this.exec('ping', ['-n', '-q', '-c', '1', '-W', seconds, '-s', String(size), to])
    return status === 0
  }

  /** Captures on an interface from now on; see `Capture`. */
  async capture(filter = ipWithoutDiscovery, device = this.device): Promise<Capture> {
    const file = join(this.#folder, `${this.namespace}-${this.#captures.length}.pcap`)
    const capture = await Capture.start(this.namespace, device, file, filter)
    this.#captures.push(capture)
    return capture
  }

  /** Ends what runs in the namespace. */
  async close(): Promise<void> {
    for (const capture of this.#captures) capture.kill()
    await this.#peer?.close()
  }

  #peerClient(): PeerClient {
    this.#peer ??= new PeerClient(this.namespace)
    return this.#peer
  }

  async #ask(request: Parameters<PeerClient['request']>[0]) {
    const answer = await this.#peerClient().request(request)
    if (answer.error) throw new Error(`${request.op}: ${answer.error}`)
    return answer
  }
}

/** Namespaces of this process that stand; an abrupt end of the test removes them too. */
const standing = new Set<string>()
process.once('exit', () => {
  for (const namespace of standing) spawnSync('ip', ['netns', 'delete', namespace])
})

let created = 0

/** A set of hosts that lives as long as a test. */
export class TestNet {
  readonly #folder = mkdtempSync(join(tmpdir(), 'solipsec-net-'))
  readonly #hosts: Host[] = []
  readonly #devices = new Map<Host, number>()

  constructor(t: Teardown) {
    t.teardown(() => this.close())
  }

  /** A new host: loopback up, no other interface. */
  async host(namespace = `sol-${process.pid}-${++created}`): Promise<Host> {
    standing.add(namespace)
    const host = new Host(namespace, this.#folder)
    this.#hosts.push(host)
    await ip(`netns add ${namespace}`)
    await host.ip('link set lo up')
    return host
  }

  /**
   * Joins two hosts by a veth pair. No link-local addresses are made, so that the wire is silent until a test speaks.
   *
   * @param ofLeft - addresses with prefix length for the left end; the first wire's name the host
   */
  async wire(left: Host, right: Host, ofLeft: readonly string[], ofRight: readonly string[]): Promise<void> {
    const [leftDevice, rightDevice] = [this.#nextDevice(left), this.#nextDevice(right)]
    await left.ip(`link add ${leftDevice} type veth peer name ${rightDevice} netns ${right.namespace}`)
    await this.#configure(left, leftDevice, ofLeft)
    await this.#configure(right, rightDevice, ofRight)
  }

  #nextDevice(host: Host): string {
    const number = this.#devices.get(host) ?? 0
    this.#devices.set(host, number + 1)
    return `eth${number}`
  }

  async #configure(host: Host, device: string, addresses: readonly string[]): Promise<void> {
    const add = addresses.map((address) => addressLine(address, device))
    await host.ip(`link set ${device} addrgenmode none`, ...add, `link set ${device} up`)
    if (host.device !== 'lo') return
    host.device = device
    host.address4 = addresses.find((address) => !address.includes(':'))?.split('/')[0] ?? host.address4
    host.address6 = addresses.find((address) => address.includes(':'))?.split('/')[0] ?? host.address6
  }

  /** Takes everything down; called by the test's teardown. */
  async close(): Promise<void> {
    for (const host of this.#hosts) {
      await host.close()
      await run('ip', ['netns', 'delete', host.namespace]).catch(() => {}) // never made, or gone already
      standing.delete(host.namespace)
    }
    rmSync(this.#folder, { recursive: true, force: true })
  }
}

/** Two hosts on one wire: 192.0.2.1 and 2001:db8::1 on the left, 192.0.2.2 and 2001:db8::2 on the right. */
export async function twoHosts(t: Teardown): Promise<{ net: TestNet; left: Host; right: Host }> {
  const net = new TestNet(t)
  const [left, right] = [await net.host(), await net.host()]
  await net.wire(left, right, ['192.0.2.1/24', '2001:db8::1/64'], ['192.0.2.2/24', '2001:db8::2/64'])
  return { net, left, right }
}
