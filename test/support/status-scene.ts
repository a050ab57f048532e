/**
 * Two hosts with traffic between them of which the numbers are known, good and bad; and the commands that tell them.
 *
 * @module
 */
import { closeSync, openSync } from 'node:fs'
import type { StatusReport } from '../../agent/status/report.ts'
import { run as runNdd } from '../../compat/commands/ndd.ts'
import { run as runSolipsec } from '../../compat/commands/solipsec.ts'
import type { Run } from '../../compat/commands/support/io.ts'
import { enterNetns } from '../../netlink/libc/netns.ts'
import { captureIo } from '../compat/commands/support/capture-io.ts'
import { violations } from '../schemas/support.ts'
import { AES_SHA256, keyFile, pairOf } from '../vm/support/keys.ts'
import type { Station } from '../vm/support/station.ts'
import { udp } from '../vm/support/traffic.ts'
import { Wiretap } from '../vm/support/wiretap.ts'
import { espPacket, ipv4Packet, sendPackets } from './frames.ts'
import type { Teardown } from './namespaces.ts'
import { until } from './until.ts'

export const [L, R] = ['10.1.0.1', '10.1.0.2']
export const ESP = 'encr_algs aes(128) encr_auth_algs sha256'
/** SPI from left to right; the way back has the next one. */
export const SPI = 0x1000
/** Datagrams that went from left to right as they should. */
export const GOOD = 5

/** Runs subcommands in this process; none of them may show a key. */
export class Commands {
  readonly #home = openSync('/proc/thread-self/ns/net', 'r')

  constructor(t: Teardown) {
    t.teardown(() => closeSync(this.#home))
  }

  run(station: Station, subcommand: string, ...argv: string[]) {
    return this.#run(runSolipsec, [subcommand, '--netns', station.host.namespace, ...argv])
  }

  ndd(station: Station, ...argv: string[]) {
    return this.#run(runNdd, ['--netns', station.host.namespace, ...argv])
  }

  async #run(run: Run, argv: readonly string[]) {
    const io = captureIo()
    const code = await run(argv, io)
    // `--netns` moves the thread for good, since a command ends soon after.
    enterNetns(this.#home)
    if (/[0-9a-f]{24}/.test(io.out() + io.err())) throw new Error('a key was shown')
    return { code, out: io.out(), err: io.err() }
  }

  async report(station: Station, ...argv: string[]): Promise<StatusReport> {
    const { code, out, err } = await this.run(station, 'status', '--json', ...argv)
    if (code !== 0) throw new Error(err)
    const wrong = violations('solipsec-status.schema.json', out)
    if (wrong.length > 0) throw new Error(wrong.join('\n'))
    return JSON.parse(out)
  }

  /** `kstat -p` as a map. */
  async kstat(station: Station): Promise<Map<string, string>> {
    const { out } = await this.run(station, 'kstat', '-p')
    return new Map(out.split('\n').map((line) => line.split('\t') as [string, string]))
  }
}

/** Rules and SAs on both hosts: an SA lives an hour. */
export async function loadBoth(left: Station, right: Station): Promise<void> {
  await left.policy(`{laddr ${L} raddr ${R}} ipsec {${ESP}}\n{lport 99 ulp udp} drop {}`)
  await right.policy(`{laddr ${R} raddr ${L}} ipsec {${ESP}}`)
  const lives = 'replay 64 hard_addtime 3600 soft_addtime 3000 hard_bytes 1000000'
  const sas = pairOf({ ...AES_SHA256, spi: SPI, source: L, destination: R, more: lives })
  for (const station of [left, right]) await station.keys(keyFile(sas))
}

/**
 * {@link GOOD} datagrams that are delivered, one of them once more, one changed on its way, and one for an SPI that nobody
 * has. Returns when the right host has counted them all.
 */
export async function sendAll(t: Teardown, left: Station, right: Station): Promise<void> {
  const wire = Wiretap.open(t, { station: left })
  for (let i = 0; i < GOOD; i++) {
    const { delivered, refusals } = udp({ station: left, address: L }, { station: right, address: R })
    if (!delivered) throw new Error(`not delivered: ${refusals}`)
  }
  const seen = wire.take().filter(({ protocol }) => protocol === 50)
  const last = seen.at(-1)?.payload
  if (!last || seen.length !== GOOD) throw new Error(`${seen.length} packets of ESP on the wire`)
  const changed = Buffer.from(last)
  // A number that is still to come, but another one than the ICV was made of.
  changed.writeUInt32BE(changed.readUInt32BE(4) + 1, 4)
  const wrong = [last, changed].map((payload) => ipv4Packet(L, R, 50, payload))
  sendPackets(left, [...wrong, espPacket(L, R, 0x9999)])
  const counters = ['XfrmInStateSeqError', 'XfrmInStateProtoError', 'XfrmInNoStates']
  await until(async () => counters.every((name) => (right.refusals().get(name) ?? 0) > 0))
}
