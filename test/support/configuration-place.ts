/**
 * `solipsec plan`, `apply` and `diff` at work on a host of a test.
 *
 * @module
 */
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { run } from '../../compat/commands/solipsec.ts'
import { enterNetns } from '../../netlink/libc/netns.ts'
import { captureIo } from '../compat/commands/support/capture-io.ts'
import { keyOf } from '../vm/support/keys.ts'
import type { Station } from '../vm/support/station.ts'
import type { Teardown } from './namespaces.ts'

/** An SA of a document: AES with 128 bits and HMAC-SHA-256. */
export function espSa(spi: number, source: string, destination: string, more: object = {}): object {
  const key = (purpose: 'cipher' | 'integrity', bits: number) => keyOf(spi, purpose, bits).toString('hex')
  return {
    protocol: 'esp',
    spi,
    source,
    destination,
    encryption: { algorithm: 'aes', key: key('cipher', 128) },
    authentication: { algorithm: 'sha256', key: key('integrity', 256) },
    ...more,
  }
}

/** A pair of them: `spi` from `left` to `right`, and the next one back. */
export function espPair(spi: number, left: string, right: string): object[] {
  return [espSa(spi, left, right), espSa(spi + 1, right, left)]
}

/** Files and commands for one station. */
export class ConfigurationPlace {
  readonly folder = mkdtempSync(join(tmpdir(), 'solipsec-configuration-'))
  readonly #station: Station
  readonly #home = openSync('/proc/thread-self/ns/net', 'r')
  #files = 0

  constructor(t: Teardown, station: Station) {
    this.#station = station
    t.teardown(() => {
      closeSync(this.#home)
      rmSync(this.folder, { recursive: true, force: true })
    })
  }

  /** A file for root alone. */
  file(content: object | string, name = `file-${++this.#files}.json`): string {
    const path = join(this.folder, name)
    writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content), { mode: 0o600 })
    return path
  }

  /** The words of the command line, the file last. */
  async command(words: string, content: object | string) {
    const io = captureIo()
    const [subcommand = '', ...options] = words.split(' ')
    const path = typeof content === 'string' && content.startsWith('/') ? content : this.file(content)
    const { dataPath, host } = this.#station
    const where = ['--netns', host.namespace, '--datapath', dataPath]
    const code = await run([subcommand, ...where, ...options, path], io)
    // `--netns` moves the thread for good, since a command ends soon after.
    enterNetns(this.#home)
    const output = io.out() + io.err()
    if (/[0-9a-f]{24}/.test(output.replaceAll(this.folder, ''))) throw new Error('a key was shown')
    return { code, out: io.out(), err: io.err() }
  }

  /** `solipsec apply` that has to work. */
  async apply(content: object | string): Promise<string> {
    const { code, out, err } = await this.command('apply', content)
    if (code !== 0) throw new Error(`solipsec apply: ${code}\n${err}`)
    return out
  }
}
