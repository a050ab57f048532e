/**
 * Captures on a device of a test namespace.
 *
 * @module
 */
import { type ChildProcessByStdio, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import type { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { type Packet, parsePcap } from './pcap.ts'

/** All IP but neighbour discovery (ICMPv6 133–137) and multicast listener reports (behind a hop-by-hop header). */
export const ipWithoutDiscovery =
  '(ip or (ip6 and ip6[6] != 0)) and not (icmp6 and ip6[40] >= 133 and ip6[40] <= 137)'

/** Milliseconds that tcpdump may take to listen or to catch up, generous for an emulated processor. */
const patience = 30_000

/** So many answers with the same counts: there is nothing left to read. */
const ANSWERS = 50

/** A running tcpdump. */
export class Capture {
  readonly file: string
  readonly #child: ChildProcessByStdio<null, null, Readable>
  #said = ''

  private constructor(namespace: string, device: string, file: string, filter: string) {
    this.file = file
    // Each packet takes the room of the longest: by default there is room for eight.
    const room = ['-s', '65536', '-B', '16384']
    const options = ['-i', device, '-n', '-U', '--immediate-mode', ...room, '-Z', 'root', '-w', file]
    this.#child = spawn('ip', ['netns', 'exec', namespace, 'tcpdump', ...options, filter], {
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    this.#child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#said += text
    })
  }

  /** Starts a capture; what is sent after the promise is fulfilled is in it. */
  static async start(namespace: string, device: string, file: string, filter: string): Promise<Capture> {
    const capture = new Capture(namespace, device, file, filter)
    await capture.#until(/listening on/)
    return capture
  }

  /** The packets so far: all that were on the wire before this call. */
  async packets(): Promise<Packet[]> {
    await this.#catchUp()
    return parsePcap(readFileSync(this.file))
  }

  /** Ends the capture with everything in the file; returns its packets. */
  async stop(): Promise<Packet[]> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      const packets = await this.packets()
      const exit = once(this.#child, 'exit')
      this.#child.kill('SIGINT')
      await exit
      return packets
    }
    return parsePcap(readFileSync(this.file))
  }

  /** Ends tcpdump at once; for taking down. */
  kill(): void {
    this.#child.kill('SIGKILL')
  }

  /**
   * The kernel hands packets over with a delay: asks tcpdump for its counts until it has written what came in. Packets that
   * came before its filter was there count as received, too, but it throws them away: they are not waited for.
   */
  async #catchUp(): Promise<void> {
    let [last, same] = ['', 0]
    for (const end = Date.now() + patience; Date.now() < end; await sleep(5)) {
      this.#said = ''
      this.#child.kill('SIGUSR1')
      await this.#until(/dropped by kernel/)
      const [, captured, arrived] = /(\d+) packets? captured, (\d+) packets? received/.exec(this.#said) ?? []
      if (captured !== undefined && captured === arrived) return
      // It reads what there is between two answers.
      const counts = `${captured} of ${arrived}`
      same = counts === last ? same + 1 : 0
      last = counts
      if (same >= ANSWERS) return
    }
    throw new Error(`tcpdump does not catch up: ${this.#said}`)
  }

  async #until(words: RegExp): Promise<void> {
    for (const end = Date.now() + patience; !words.test(this.#said); await sleep(5))
      if (this.#child.exitCode !== null || Date.now() > end) throw new Error(`tcpdump: ${this.#said}`)
  }
}

/**
 * Fields of the packets of a capture file as tshark sees them, a row a packet, a column a field; a field that occurs
 * several times in a packet (outer and inner header) gives its values with a comma between.
 *
 * @param fields - display filter names (`esp.spi`, `ip.src`)
 * @param options - more arguments, such as `-Y FILTER`, `-o esp.enable_encryption_decode:TRUE`, `-o uat:esp_sa:…`
 */
export async function tshark(file: string, fields: string[], options: string[] = []): Promise<string[][]> {
  const columns = fields.flatMap((field) => ['-e', field])
  const { stdout } = await promisify(execFile)('tshark', [
    '-n',
    '-r',
    file,
    '-T',
    'fields',
    ...columns,
    ...options,
  ])
  return stdout
    .split('\n')
    .slice(0, -1)
    .map((line) => line.split('\t'))
}
