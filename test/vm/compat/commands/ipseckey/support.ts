/**
 * Runs `ipseckey` and `ipsecconf` in this process, on the kernel of a test namespace, and looks at that kernel.
 *
 * @module
 */
import { createHash } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { run as runIpsecconf } from '../../../../../compat/commands/ipsecconf.ts'
import { run as runIpseckey } from '../../../../../compat/commands/ipseckey.ts'
import { XfrmConnection } from '../../../../../netlink/xfrm/connection.ts'
import type { XfrmMessage } from '../../../../../netlink/xfrm/messages.ts'
import { type CaptureOptions, captureIo } from '../../../../compat/commands/support/capture-io.ts'
import { temporaryFolder } from '../../../../compat/commands/support/temporary.ts'
import type { Host, Teardown } from '../../../../support/namespaces.ts'

export interface Ended {
  readonly code: number
  readonly out: string
  readonly err: string
}

const used = new Set<string>()

/** A key of its own for each number, the same in every run. Up to 512 bits. */
export function key(number: number, bits = 128): string {
  const digits = createHash('sha512')
    .update(`key ${number}`)
    .digest('hex')
    .slice(0, bits / 4)
  for (let at = 0; at + 8 <= digits.length; at += 8) used.add(digits.slice(at, at + 8))
  return digits
}

/** The words of a text that are parts of keys. */
export function leaks(text: string): string[] {
  return [...used].filter((part) => text.toLowerCase().includes(part))
}

/** The commands as root of one namespace uses them. What they say on standard error is searched for keys. */
export class Commands {
  readonly #namespace: string
  readonly folder: string
  #files = 0

  constructor(t: Teardown, namespace: string) {
    this.#namespace = namespace
    this.folder = temporaryFolder(t)
    process.env.SOLIPSEC_RUN_DIR ??= temporaryFolder(t)
  }

  /** A file of its own, for root alone unless a mode is given. */
  file(text: string, mode = 0o600): string {
    this.#files += 1
    const path = join(this.folder, `file-${this.#files}`)
    writeFileSync(path, text, { mode })
    return path
  }

  ipseckey(words: string | readonly string[], options: CaptureOptions = {}): Promise<Ended> {
    return this.#run(runIpseckey, words, options)
  }

  /** `ipseckey -f` of a text. */
  keys(text: string, options: CaptureOptions = {}, mode = 0o600): Promise<Ended> {
    return this.ipseckey(['-f', this.file(text, mode)], options)
  }

  /** What has to work: gives standard output. */
  async done(words: string): Promise<string> {
    return worked(await this.ipseckey(words), words)
  }

  /** `keys` that has to work. */
  async loaded(text: string): Promise<void> {
    worked(await this.keys(text), 'ipseckey -f')
  }

  /** `ipsecconf -a` of a text, which has to work. */
  async policy(text: string): Promise<void> {
    worked(await this.#run(runIpsecconf, ['-q', '-a', this.file(text)], {}), 'ipsecconf -a')
  }

  async flushPolicy(): Promise<void> {
    worked(await this.#run(runIpsecconf, ['-q', '-f'], {}), 'ipsecconf -f')
  }

  /** The SAs of `dump --json` by SPI. */
  async dump(): Promise<Map<number, Record<string, unknown>>> {
    const all = JSON.parse(await this.done('--json dump')) as { spi: number }[]
    return new Map(all.map((one) => [one.spi, one]))
  }

  async spis(): Promise<number[]> {
    return [...(await this.dump()).keys()].sort((a, b) => a - b)
  }

  /** The kernel's SAs, by destination and SPI, without what time and traffic change. */
  states(): XfrmMessage<'NEWSA'>[] {
    const connection = XfrmConnection.open({ netns: this.#namespace })
    try {
      return connection.states().map(withoutCounters).sort(byIdentifier)
    } finally {
      connection.close()
    }
  }

  async #run(command: typeof runIpseckey, words: string | readonly string[], options: CaptureOptions) {
    const io = captureIo(options)
    const argv = typeof words === 'string' ? words.split(' ') : words
    const code = await command(['--netns', this.#namespace, ...argv], io)
    const ended = { code, out: io.out(), err: io.err() }
    const leaked = leaks(ended.err)
    if (leaked.length > 0) throw new Error(`${leaked.length} parts of keys on standard error`)
    return ended
  }
}

function worked({ code, out, err }: Ended, what: string): string {
  if (code !== 0) throw new Error(`${what} ended with ${code}: ${err}`)
  return out
}

function withoutCounters({ name, body, attributes }: XfrmMessage<'NEWSA'>): XfrmMessage<'NEWSA'> {
  const { curlft, stats, ...rest } = body
  const { lastused, ...kept } = attributes
  return { name, body: { ...rest, curlft: { ...curlft, add_time: 0n }, stats }, attributes: kept }
}

function byIdentifier({ body: a }: XfrmMessage<'NEWSA'>, { body: b }: XfrmMessage<'NEWSA'>): number {
  return Buffer.compare(a.id.daddr, b.id.daddr) || a.id.spi - b.id.spi || a.id.proto - b.id.proto
}

/**
 * An SA whose SPI another program has reserved: no SA to us, but in the way of one. When the kernel says so, all
 * that stands before it in a file has been done.
 */
export async function whatOnlyTheKernelRefuses(host: Host, ends: string): Promise<string> {
  await host.exec('sysctl', ['-qw', 'net.core.xfrm_acq_expires=600'])
  await host.ip(`xfrm state allocspi ${ends} proto esp min 2000 max 2000`)
  return `add esp spi 2000 ${ends} encr_alg aes encrkey ${key(2000)}\n`
}

/** Waits for what happens by itself; fails after a minute, for time goes slowly in an emulated machine. */
export async function until(what: string, happened: () => Promise<boolean> | boolean): Promise<void> {
  for (const end = Date.now() + 60_000; Date.now() < end; ) {
    if (await happened()) return
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  throw new Error(`it did not happen: ${what}`)
}
