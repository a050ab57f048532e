/**
 * A host of a test: a network namespace with the commands of this package run in it, in this process.
 *
 * @module
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { run as ipsecconf } from '../../../compat/commands/ipsecconf.ts'
import { run as ipseckey } from '../../../compat/commands/ipseckey.ts'
import type { Run } from '../../../compat/commands/support/io.ts'
import { enterNetns, openNetns, withNetns } from '../../../netlink/libc/netns.ts'
import { captureIo } from '../../compat/commands/support/capture-io.ts'

/** Why tests that need root cannot run; `false` where they can. Fits tap's `skip`. */
export const skip: string | false =
  process.getuid?.() === 0 ? false : 'needs root, for network namespaces of its own'

interface Test {
  teardown(clean: () => void): unknown
}

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

/** One namespace with a loopback interface that is up. Gone, with all that is in it, when the test ends. */
export class Host {
  readonly name: string
  readonly #netns: number
  readonly #home: number
  readonly #folder: string

  private constructor(name: string) {
    this.name = name
    this.#folder = mkdtempSync(join(tmpdir(), 'solipsec-'))
    this.#home = openSync('/proc/thread-self/ns/net', 'r')
    this.#netns = openNetns(name)
  }

  /** Makes hosts with these names before a number of their own: two test files may run at once. */
  static make(t: Test, ...titles: string[]): Host[] {
    return titles.map((title) => {
      const name = `${title}-${process.pid}`
      execFileSync('ip', ['netns', 'add', name])
      const host = new Host(name)
      t.teardown(() => host.#remove())
      host.ip('link set lo up')
      return host
    })
  }

  #remove(): void {
    closeSync(this.#netns)
    closeSync(this.#home)
    rmSync(this.#folder, { recursive: true, force: true })
    spawnSync('ip', ['netns', 'delete', this.name])
  }

  /** Runs something that is synchronous in this host's namespace. */
  visit<T>(what: () => T): T {
    return withNetns(this.#netns, what)
  }

  /** `ip -batch` lines in this host. */
  ip(...lines: string[]): void {
    execFileSync('ip', ['-n', this.name, '-batch', '-'], { input: `${lines.join('\n')}\n`, stdio: 'pipe' })
  }

  /** A program run in this host: its standard output. */
  exec(program: string, args: readonly string[], input = ''): string {
    return this.visit(() => execFileSync(program, args, { input, encoding: 'utf8', stdio: 'pipe' }))
  }

  /** Sets a value under /proc/sys/net. */
  sysctl(path: string, value: number): void {
    this.visit(() => writeFileSync(join('/proc/sys/net', path), `${value}\n`))
  }

  /** What XFRM counted: how often each kind of refusal happened. */
  refusals(): Map<string, number> {
    const text = this.visit(() => readFileSync('/proc/thread-self/net/xfrm_stat', 'utf8'))
    const rows = text
      .trim()
      .split('\n')
      .map((line) => line.split(/\s+/))
    return new Map(rows.map(([name = '', count]) => [name, Number(count)]))
  }

  /** `ipsecconf` with these arguments. */
  ipsecconf(args: readonly string[], stdin = ''): Promise<Outcome> {
    return this.#command(ipsecconf, args, stdin)
  }

  /** Replaces this host's whole policy. No text: none. @throws CommandFailed */
  async policy(text: string, ...options: string[]): Promise<void> {
    const load = text.trim() === '' ? ['-F'] : ['-F', '-a', '-']
    const outcome = await this.ipsecconf(['-q', ...options, ...load], text)
    if (outcome.code !== 0) throw new CommandFailed('ipsecconf', outcome)
  }

  /** Replaces all of this host's SAs by those of a key file. @throws CommandFailed */
  async keys(text: string): Promise<void> {
    const file = join(this.#folder, 'keys')
    writeFileSync(file, `flush\n${text}`, { mode: 0o600 })
    const outcome = await this.#command(ipseckey, ['-f', file], '')
    if (outcome.code !== 0) throw new CommandFailed('ipseckey', outcome)
  }

  async #command(run: Run, args: readonly string[], stdin: string): Promise<Outcome> {
    const io = captureIo({ stdin })
    try {
      const code = await run(['--netns', this.name, ...args], io)
      return { code, out: io.out(), err: io.err() }
    } finally {
      // `--netns` moves the thread for good, since a command ends soon after.
      enterNetns(this.#home)
    }
  }
}

/** Joins two hosts by a wire: an interface of this name at both ends. */
export function connectHosts(a: Host, b: Host, wireAtA: string, wireAtB = wireAtA): void {
  a.ip(`link add name ${wireAtA} type veth peer name ${wireAtB} netns ${b.name}`)
  for (const [host, wire] of [
    [a, wireAtA],
    [b, wireAtB],
  ] as const) {
    host.sysctl(`ipv6/conf/${wire}/accept_dad`, 0)
    host.sysctl(`ipv6/conf/${wire}/router_solicitations`, 0)
    host.ip(`link set ${wire} up`)
  }
}
