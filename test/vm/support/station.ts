/**
 * A host of a test with the commands of this package run on it, in this process: Node starts slowly under emulation.
 *
 * @module
 */
import { closeSync, mkdtempSync, openSync, readSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { run as runIpsecconf } from '../../../compat/commands/ipsecconf.ts'
import { run as runIpseckey } from '../../../compat/commands/ipseckey.ts'
import type { Run } from '../../../compat/commands/support/io.ts'
import { enterNetns, openNetns, withNetns } from '../../../netlink/libc/netns.ts'
import { captureIo } from '../../compat/commands/support/capture-io.ts'
import type { Host, Teardown, TestNet } from '../../support/namespaces.ts'

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

/** A host that has policy and keys. */
export class Station {
  readonly host: Host
  readonly #folder = mkdtempSync(join(tmpdir(), 'solipsec-'))
  readonly #home = openSync('/proc/thread-self/ns/net', 'r')
  readonly #netns: number
  /** XFRM's counters of the namespace: they are made anew at each read from the start. */
  readonly #statistics: number

  private constructor(host: Host) {
    this.host = host
    this.#netns = openNetns(host.namespace)
    this.#statistics = this.visit(() => openSync('/proc/thread-self/net/xfrm_stat', 'r'))
  }

  /** Adds hosts to a network. */
  static async make(t: Teardown, net: TestNet, count: 1): Promise<[Station]>
  static async make(t: Teardown, net: TestNet, count: 2): Promise<[Station, Station]>
  static async make(t: Teardown, net: TestNet, count: 4): Promise<[Station, Station, Station, Station]>
  static async make(t: Teardown, net: TestNet, count: number): Promise<Station[]> {
    const stations: Station[] = []
    for (let i = 0; i < count; i++) {
      const station = new Station(await net.host())
      t.teardown(() => station.#close())
      stations.push(station)
    }
    return stations
  }

  #close(): void {
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
  refusals(): Map<string, number> {
    const buffer = Buffer.alloc(4096)
    const length = readSync(this.#statistics, buffer, 0, buffer.length, 0)
    const text = buffer.toString('latin1', 0, length)
    return new Map(
      [...text.matchAll(/^(\w+)\s+(\d+)$/gm)].map(([, name = '', count]) => [name, Number(count)]),
    )
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
      const code = await run(['--netns', this.host.namespace, ...args], io)
      return { code, out: io.out(), err: io.err() }
    } finally {
      // `--netns` moves the thread for good, since a command ends soon after.
      enterNetns(this.#home)
    }
  }
}
