/**
 * The steps of the demo, one function each.
 *
 * @module
 */
import { chmodSync, copyFileSync, existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { STEERING_TABLE } from '../../agent/datapath/software/service/steering/table.ts'
import type { Host } from '../../test/support/namespaces.ts'
import type { Packet } from '../../test/support/pcap.ts'
import { describe, PROTOCOL_ESP, PROTOCOL_TCP } from './packets.ts'
import { ROOT } from './place.ts'
import { print, showCommand, showFact, showPacket, showText, waitingFor } from './screen.ts'
import { SERVER_PORT, type Stage } from './stage.ts'

const POLICY_FILE = 'docs/demo/ipsecinit.conf'
const KEY_FILE = 'docs/demo/ipseckeys'
const LINE = 'The treasure lies under the old oak.'

const DUMP = ['-n', '-p', 'dump', 'esp']

/** Milliseconds to wait for an answer that must not come: enough for a second try. */
const REFUSAL = { timeout: 2000 }

export const steps: readonly { readonly title: string; readonly show: (stage: Stage) => Promise<void> }[] = [
  { title: 'Two files from a Solaris host', show: showFiles },
  { title: 'Two hosts without IPsec: everybody on the way can read', show: talkInClear },
  { title: 'Both hosts load policy and keys', show: load },
  { title: 'What holds now, in the order in which it is asked', show: list },
  { title: 'The same words again, protected', show: talkProtected },
  { title: 'Who does not protect is not heard', show: refuse },
  { title: 'Everything goes away again', show: takeDown },
]

async function showFiles(): Promise<void> {
  for (const file of [POLICY_FILE, KEY_FILE]) {
    showCommand(['cat', file])
    showText(readFileSync(join(ROOT, file), 'utf8'), /^#/)
  }
}

async function talkInClear({ left, right }: Stage): Promise<void> {
  print(`${nameOf(left)} sends a line to a TCP server on ${nameOf(right)}.`)
  const capture = await left.capture()
  await exchange(left, right)
  const packet = (await capture.stop()).find(({ bytes }) => bytes.includes(LINE))
  check(packet !== undefined, 'the line was not found on the wire')
  show(packet)
  showFact('The line is on the wire, for all to read.')
}

async function load(stage: Stage): Promise<void> {
  const keys = join(stage.folder, 'ipseckeys')
  copyFileSync(join(ROOT, KEY_FILE), keys)
  chmodSync(keys, 0o600) // as ipseckey(8) wants it of keys that are not public
  await waitingFor('policy is loaded', stage.commandOnBoth('ipsecconf', ['-q', '-a', POLICY_FILE]))
  await waitingFor('keys are loaded', stage.commandOnBoth('ipseckey', ['-f', keys]))
  showFact('The files are the same on both hosts, as they came from Solaris.')
  if (stage.isSoftware) {
    showFact('This kernel has no ESP: the software data path, a program for each host, does its work.')
  }
}

async function list(stage: Stage): Promise<void> {
  const listing = await waitingFor('it is listed', stage.command('ipsecconf', stage.left, ['-n', '-l']))
  showText(listing, /^#INDEX/)
  const entries = listing.split('\n').filter((line) => line.startsWith('{'))
  for (const action of ['ipsec', 'pass', 'drop']) {
    check(
      entries.some((line) => line.includes(`} ${action} {`)),
      `no entry says ${action}`,
    )
  }
  showFact(
    `${entries.length} entries: each rule in each direction, for IPv4 and IPv6 where it is about both.`,
  )
}

async function talkProtected(stage: Stage): Promise<void> {
  const { left, right } = stage
  const before = dumpedCounters(await stage.unseen(['./bin/ipseckey', '--netns', left.namespace, ...DUMP]))
  const capture = await left.capture()
  await exchange(left, right)
  const sent = (await capture.packets()).filter(({ source }) => source === left.address4)
  print('The first packets open the connection; this one has the line in it:')
  show(sent.reduce((a, b) => (b.bytes.length > a.bytes.length ? b : a)))
  check(await waitingFor('ping', left.ping(right.address4)), 'ping had no answer')
  showFact(`${nameOf(right)} answers to ping, too.`)
  const packets = await capture.stop()
  check(
    packets.every(({ protocol }) => protocol === PROTOCOL_ESP),
    'something else than ESP was on the wire',
  )
  check(!packets.some(({ bytes }) => bytes.includes(LINE)), 'the line can be read on the wire')
  showFact(`All ${packets.length} packets on the wire were ESP, and the line is in none of them.`)
  const dump = await waitingFor('it is counted', stage.command('ipseckey', left, DUMP))
  showText(excerpt(dump))
  const now = dumpedCounters(dump)
  check(now.size === 2, 'there are not two SAs')
  for (const [spi, bytes] of now) {
    check(bytes > (before.get(spi) ?? bytes), `the counter of SA ${spi} stands still`)
    showFact(`SA 0x${spi.toString(16)} has protected ${bytes} bytes, up from ${before.get(spi)}.`)
  }
}

async function refuse(stage: Stage): Promise<void> {
  const { left, right } = stage
  print(`${nameOf(left)} drops its policy and tries again, in clear:`)
  await waitingFor('policy is removed', stage.command('ipsecconf', left, ['-q', '-F']))
  const heard = (await right.received(SERVER_PORT)).length
  const before = await refusals(right, stage.isSoftware)
  const capture = await left.capture()
  const sending = left.tcpSend(right.address4, SERVER_PORT, LINE, REFUSAL)
  const { reply } = await waitingFor('an answer would come now', sending)
  const packets = await capture.stop()
  for (const packet of packets) print(`  ${describe(packet)}`)
  check(
    packets.some(({ source, protocol }) => source === left.address4 && protocol === PROTOCOL_TCP),
    'nothing was sent in clear',
  )
  check(reply === undefined && packets.every(({ source }) => source === left.address4), 'there was an answer')
  check((await right.received(SERVER_PORT)).length === heard, 'the server has heard something')
  showFact(`${nameOf(right)} does not answer.`)
  const after = await refusals(right, stage.isSoftware)
  if (before === undefined || after === undefined) return
  check(after > before, 'no refusal was counted')
  showFact(`It counts what lacks the protection that policy asks for: ${before} before, ${after} now.`)
}

async function takeDown(stage: Stage): Promise<void> {
  await stage.close()
  for (const { namespace } of [stage.left, stage.right]) {
    check(!existsSync(`/run/netns/${namespace}`), `network namespace ${namespace} is still there`)
  }
  showFact('Policies and SAs went with the hosts. Nothing on this machine has changed.')
}

function check(isTrue: boolean, otherwise: string): asserts isTrue {
  if (!isTrue) throw new Error(otherwise)
}

function nameOf({ namespace, address4 }: Host): string {
  return `${namespace} (${address4})`
}

/** Sends the line over TCP. */
async function exchange(from: Host, to: Host): Promise<void> {
  const { reply, error } = await waitingFor('the line is sent', from.tcpSend(to.address4, SERVER_PORT, LINE))
  check(reply === LINE, `the server did not answer: ${error ?? 'it said something else'}`)
  print(`sent: "${LINE}"\nback: "${reply}"`)
}

function show(packet: Packet): void {
  print(describe(packet))
  showPacket(packet.bytes, LINE)
}

/** How many bytes each SA of a dump has protected, by SPI. */
function dumpedCounters(dump: string): Map<number, number> {
  const found = dump.matchAll(/SADB_ASSOC spi=(0x[0-9a-f]+).*?CLT: (\d+) bytes/gs)
  return new Map([...found].map(([, spi, bytes]) => [Number(spi), Number(bytes)]))
}

/** What is most telling of the first SA of a dump. */
function excerpt(dump: string): string {
  const lines = dump.split('\n\n')[0]?.split('\n') ?? []
  return [...lines.filter((line) => /^(SA: |SRC: AF|DST: AF|AKY: X|EKY: X|CLT: )/.test(line)), '…'].join('\n')
}

/** Packets that a host has refused for want of protection, where somebody counts them (xfrm_proc, nftables). */
async function refusals(host: Host, isSoftware: boolean): Promise<number | undefined> {
  if (isSoftware) {
    const { stdout } = await host.exec('nft', ['list', 'counters', 'table', 'inet', STEERING_TABLE])
    const counts = [...stdout.matchAll(/counter (?:clear|refused)_in \{\s+packets (\d+)/g)]
    return counts.reduce((sum, [, count]) => sum + Number(count), 0)
  }
  const { stdout } = await host.exec('cat', ['/proc/net/xfrm_stat'])
  const count = /^XfrmInTmplMismatch\s+(\d+)$/m.exec(stdout)?.[1]
  return count === undefined ? undefined : Number(count)
}
