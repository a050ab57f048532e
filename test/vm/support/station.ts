/**
 * A host of a test with the commands of this package run on it, in this process: Node starts slowly under emulation.
 *
 * @module
 */
import {
  closeSync,
  existsSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { DataPathKind } from '../../../agent/datapath/data-path.ts'
import { openStatistics, readStatistics } from '../../../agent/datapath/software/service/client.ts'
import { servicePlace } from '../../../agent/datapath/software/service/place.ts'
import { Store } from '../../../agent/reconcile/store.ts'
import { run as runIpsecconf } from '../../../compat/commands/ipsecconf.ts'
import { run as runIpseckey } from '../../../compat/commands/ipseckey.ts'
import type { Run } from '../../../compat/commands/support/io.ts'
import { enterNetns, openNetns, withNetns } from '../../../netlink/libc/netns.ts'
import { NetlinkError } from '../../../netlink/socket/error.ts'
import type { NetlinkSocket } from '../../../netlink/socket/socket.ts'
import { captureIo } from '../../compat/commands/support/capture-io.ts'
import type { Host, Teardown, TestNet } from '../../support/namespaces.ts'
import { until } from './sockets.ts'

/** What a command did. */
export interface Outcome {
  readonly code: number
  readonly out: string
  readonly err: string
}

/** A command refused what a test needs. */
export class CommandFailed extends Error {
  constructor(command: string, { code, out, err }: Outcome) {
    super(`${command} ended with ${code}:\n${err}${out}`)
    this.name = 'CommandFailed'
  }
}

/** What has ended, but was not looked after by its parent yet, does not run. */
function isRunning(id: number): boolean {
  try {
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${id}/status`, 'utf8'))
  } catch {
    return false
  }
}

/** A host that has policy and keys. */
export class Station {
  readonly host: Host
  /** Who carries this host's packets. */
  readonly dataPath: DataPathKind
  readonly #folder = mkdtempSync(join(tmpdir(), 'solipsec-'))
  readonly #home = openSync('/proc/thread-self/ns/net', 'r')
  readonly #netns: number
  #stateFolder: string | undefined
  /** To the software data path, for its counters; opened when first asked for. */
  #service: NetlinkSocket | undefined
  /** XFRM's counters of the namespace: they are made anew at each read from the start. */
  readonly #statistics: number

  private constructor(host: Host, dataPath: DataPathKind) {
    this.host = host
    this.dataPath = dataPath
    this.#netns = openNetns(host.namespace)
    this.#statistics = this.visit(() => openSync('/proc/thread-self/net/xfrm_stat', 'r'))
  }

  /** Adds hosts to a network. */
  static async make(t: Teardown, net: TestNet, count: 1): Promise<[Station]>
  static async make(t: Teardown, net: TestNet, count: 2): Promise<[Station, Station]>
  static async make(t: Teardown, net: TestNet, count: 4): Promise<[Station, Station, Station, Station]>
  static async make(t: Teardown, net: TestNet, count: number): Promise<Station[]> {
    const stations: Station[] = []
    for (let i = 0; i < count; i++) stations.push(await Station.#add(t, net, 'kernel'))
    return stations
  }

  /** Adds a host whose packets the software data path carries. */
  static makeSoftware(t: Teardown, net: TestNet): Promise<Station> {
    return Station.#add(t, net, 'software')
  }

  static async #add(t: Teardown, net: TestNet, dataPath: DataPathKind): Promise<Station> {
    const station = new Station(await net.host(), dataPath)
    t.teardown(() => station.#close())
    return station
  }

  /** The state folder of this host. */
  get folder(): string {
    this.#stateFolder ??= this.visit(() => Store.open().folder)
    return this.#stateFolder
  }

  /** Number of the process that is the software data path of this host; `undefined` where none runs. */
  get serviceId(): number | undefined {
    const path = servicePlace(this.folder).lock
    const id = existsSync(path) ? Number(readFileSync(path, 'utf8')) : 0
    return id > 0 && isRunning(id) ? id : undefined
  }

  /** Ends the program of the software data path. */
  endService(signal: 'SIGTERM' | 'SIGKILL'): void {
    const id = this.serviceId
    if (id === undefined) return
    process.kill(id, signal)
    if (!until(() => (isRunning(id) ? undefined : true), 5000)) throw new Error('the service lives on')
  }

  #close(): void {
    this.#service?.close()
    this.endService('SIGKILL')
    for (const fd of [this.#netns, this.#home, this.#statistics]) closeSync(fd)
    rmSync(this.#folder, { recursive: true, force: true })
  }

  /** Runs something that is synchronous in this host's namespace. */
  visit<T>(what: () => T): T {
    return withNetns(this.#netns, what)
  }

  /** Sets a value under /proc/sys/net. */
  sysctl(path: string, value: number): void {
    this.visit(() => writeFileSync(join('/proc/sys/net', path), `${value}\n`))
  }

  /** What XFRM counted: how often each kind of refusal happened. */
  refusals(): ReadonlyMap<string, number> {
    if (this.dataPath === 'software') return this.#serviceRefusals()
    const buffer = Buffer.alloc(4096)
    const length = readSync(this.#statistics, buffer, 0, buffer.length, 0)
    const text = buffer.toString('latin1', 0, length)
    return new Map(
      [...text.matchAll(/^(\w+)\s+(\d+)$/gm)].map(([, name = '', count]) => [name, Number(count)]),
    )
  }

  /** While the program does not run, what it counted cannot be asked for, and nothing is counted. */
  #serviceRefusals(): ReadonlyMap<string, number> {
    try {
      this.#service ??= openStatistics(this.folder)
      return readStatistics(this.#service)
    } catch (error) {
      if (!(error instanceof NetlinkError)) throw error
      this.#service?.close()
      this.#service = undefined
      return new Map()
    }
  }

  /** `ipsecconf` with these arguments. */
  ipsecconf(args: readonly string[], stdin = ''): Promise<Outcome> {
    return this.#command(runIpsecconf, args, stdin)
  }

  /** `ipseckey` with these arguments. */
  ipseckey(args: readonly string[], stdin = ''): Promise<Outcome> {
    return this.#command(runIpseckey, args, stdin)
  }

  /**
   * Replaces this host's whole policy; no text: none.
   *
   * @throws CommandFailed
   */
  async policy(text: string, ...options: string[]): Promise<void> {
    const load = text.trim() === '' ? ['-F'] : ['-F', '-a', '-']
    const outcome = await this.ipsecconf(['-q', ...options, ...load], `${text}\n`)
    if (outcome.code !== 0) throw new CommandFailed('ipsecconf', outcome)
  }

  /**
   * Replaces all of this host's SAs by those of a key file.
   *
   * @throws CommandFailed
   */
  async keys(text: string): Promise<void> {
    const file = join(this.#folder, 'keys')
    writeFileSync(file, `flush\n${text}`, { mode: 0o600 })
    const outcome = await this.ipseckey(['-f', file])
    if (outcome.code !== 0) throw new CommandFailed('ipseckey', outcome)
  }

  async #command(run: Run, args: readonly string[], stdin: string): Promise<Outcome> {
    const io = captureIo({ stdin })
    try {
      const where = ['--netns', this.host.namespace, '--datapath', this.dataPath]
      const code = await run([...where, ...args], io)
      return { code, out: io.out(), err: io.err() }
    } finally {
      // `--netns` moves the thread for good, since a command ends soon after.
      enterNetns(this.#home)
    }
  }
}
