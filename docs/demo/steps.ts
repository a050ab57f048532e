/**
 * The steps of the demo, one function each.
 *
 * @module
 */
import { chmodSync, copyFileSync, mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { capture, type PacketSummary, summary } from './capture.ts'
import { type Host, left, on, removeHosts, right } from './hosts.ts'
import { ROOT } from './place.ts'
import { mustRun, run } from './processes.ts'
import { print, showCommand, showFact, showPacket, showText, waitingFor } from './screen.ts'
import { LineServer, ping, sendLine } from './traffic.ts'

const POLICY_FILE = 'docs/demo/ipsecinit.conf'
const KEY_FILE = 'docs/demo/ipseckeys'
const SECRET = 'The treasure lies under the old oak.'
const PINGS = 3

/** Seconds: for an answer that must come, and for one that must not. */
const ANSWER_S = 10
const REFUSAL_S = 2

const DUMP = ['-n', '-p', 'dump', 'esp']

/** What the steps share. */
export interface Stage {
  /** Temporary files: the keys, and the state of the commands. */
  readonly folder: string
  readonly server: LineServer
  /** How many bytes each SA of the right host had protected when it was last asked, by SPI. */
  counters: ReadonlyMap<string, number>
}

interface Step {
  readonly title: string
  readonly show: (stage: Stage) => Promise<void>
}

export const steps: readonly Step[] = [
  { title: 'Two files from a Solaris host', show: showFiles },
  { title: 'Two hosts without IPsec: everybody on the way can read', show: talkInClear },
  { title: 'Both hosts load policy and keys', show: load },
  { title: 'What the kernel does now, in the order in which it asks', show: list },
  { title: 'The same words again, protected', show: talkProtected },
  { title: 'Who does not protect is not heard', show: refuse },
  { title: 'Everything goes away again', show: takeDown },
]

/** The connected hosts must be there. */
export async function makeStage(): Promise<Stage> {
  const folder = mkdtempSync(join(tmpdir(), 'solipsec-demo-'))
  return { folder, server: await LineServer.start(right), counters: new Map() }
}

async function showFiles(): Promise<void> {
  for (const file of [POLICY_FILE, KEY_FILE]) {
    showCommand(['cat', file])
    showText(readFileSync(join(ROOT, file), 'utf8'), /^#/)
  }
}

async function talkInClear({ server }: Stage): Promise<void> {
  print(`${left.name} (${left.address}) sends a line to a TCP server on ${right.name} (${right.address}).`)
  const packets = await capture(left, () => say(server))
  const packet = packets.find((one) => one.includes(SECRET))
  check(packet !== undefined, 'the line was not found on the wire')
  show(packet)
  showFact('The line is on the wire, for all to read.')
}

async function load(stage: Stage): Promise<void> {
  const keys = join(stage.folder, 'ipseckeys')
  copyFileSync(join(ROOT, KEY_FILE), keys)
  chmodSync(keys, 0o600) // as ipseckey(8) demands of keys that are not public
  await onBoth(stage, 'ipsecconf', ['-q', '-a', POLICY_FILE])
  await onBoth(stage, 'ipseckey', ['-f', keys])
  showFact('The files are the same on both hosts, as they came from Solaris.')
}

async function list(stage: Stage): Promise<void> {
  const both = [command(stage, 'ipsecconf', left, ['-n', '-l']), command(stage, 'ipseckey', right, DUMP)]
  const [listing = '', dump = ''] = await waitingFor('both tell', Promise.all(both))
  stage.counters = protectedBytes(dump)
  check(stage.counters.size === 2, 'there are not two SAs')
  showText(listing, /^#INDEX/)
  const entries = listing.split('\n').filter((line) => line.startsWith('{'))
  check(entries.length > 0, 'the kernel has no policy')
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
  let replies = ''
  const packets = await capture(left, async () => {
    replies = await waitingFor('ping', ping(left, right, PINGS))
    await say(stage.server)
  })
  print(`ping: ${replies}`)
  check(replies.includes(` ${PINGS} received`), 'not every ping was answered')
  const seen = packets.map((packet) => ({ packet, about: summary(packet) }))
  check(
    seen.every(({ about }) => about.protocol === 'ESP'),
    'something else than ESP was on the wire',
  )
  check(!packets.some((packet) => packet.includes(SECRET)), 'the line can be read on the wire')
  const sent = seen.filter(({ about }) => about.source === left.address).map(({ packet }) => packet)
  const largest = sent.reduce((a, b) => (b.length > a.length ? b : a))
  print('The largest of the packets that were sent, the one with the line in it:')
  show(largest)
  showFact(`All ${packets.length} packets on the wire were ESP, and the line is in none of them.`)
  const dump = await waitingFor('ipseckey', command(stage, 'ipseckey', right, DUMP))
  showText(excerpt(dump))
  for (const [spi, bytes] of protectedBytes(dump)) {
    const before = stage.counters.get(spi) ?? 0
    check(bytes > before, `the counter of SA ${spi} stands still`)
    showFact(`SA ${spi} has protected ${bytes} bytes, up from ${before}.`)
  }
}

async function refuse(stage: Stage): Promise<void> {
  print(`${left.name} drops its policy and tries again, in clear:`)
  await waitingFor('ipsecconf', command(stage, 'ipsecconf', left, ['-q', '-F']))
  const heard = stage.server.received.length
  const before = await refusals(right)
  let answer: string | undefined
  const packets = await capture(left, async () => {
    answer = await waitingFor('an answer would come now', sendLine(left, right, SECRET, REFUSAL_S))
  })
  const seen = packets.map(summary)
  const isFrom = (host: Host) => (about: PacketSummary) => about.source === host.address
  for (const { text } of seen) print(`  ${text}`)
  check(
    seen.some((about) => isFrom(left)(about) && about.protocol === 'TCP'),
    'nothing was sent in clear',
  )
  check(answer === undefined && !seen.some(isFrom(right)), `${right.name} has answered`)
  check(stage.server.received.length === heard, 'the server has heard something')
  showFact(`${right.name} does not answer.`)
  const after = await refusals(right)
  if (before === undefined || after === undefined) return
  check(after > before, 'the kernel has not counted a refusal')
  showFact(
    `Its kernel counts what lacks the protection that policy asks for: ${before} before, ${after} now.`,
  )
}

async function takeDown(stage: Stage): Promise<void> {
  stage.server.stop()
  removeHosts()
  const { stdout } = await run('ip', ['netns', 'list'])
  check(!stdout.includes(left.name) && !stdout.includes(right.name), 'a network namespace is still there')
  showFact('Policies and SAs went with the hosts. Nothing on this machine has changed.')
}

function check(isTrue: boolean, otherwise: string): asserts isTrue {
  if (!isTrue) throw new Error(otherwise)
}

async function say(server: LineServer): Promise<void> {
  const answer = await waitingFor('the line is sent', sendLine(left, right, SECRET, ANSWER_S))
  check(answer !== undefined, 'the server did not answer')
  check(server.received.at(-1)?.trimEnd() === SECRET, 'the server has heard something else')
  print(`sent: "${SECRET}"  answer: "${answer}"`)
}

function show(packet: Buffer): void {
  print(summary(packet).text)
  showPacket(packet, SECRET)
}

/** Runs one of ours on a host. @returns what it printed */
async function command(stage: Stage, name: string, host: Host, words: readonly string[]): Promise<string> {
  const options = ['--netns', host.name, ...words]
  showCommand([`./bin/${name}`, ...options])
  const env = { ...process.env, SOLIPSEC_RUN_DIR: join(stage.folder, 'run') }
  const node = [join(ROOT, 'bin', name), ...options]
  return mustRun(process.execPath, node, env)
}

async function onBoth(stage: Stage, name: string, words: readonly string[]): Promise<void> {
  const both = [left, right].map((host) => command(stage, name, host, words))
  await waitingFor(name, Promise.all(both))
}

/** How many bytes each SA of a dump has protected, by SPI. */
function protectedBytes(dump: string): Map<string, number> {
  return new Map(
    associations(dump).map((block) => {
      const spi = /spi=(0x[0-9a-f]+)/.exec(block)?.[1] ?? ''
      return [spi, Number(/CLT: (\d+) bytes/.exec(block)?.[1])]
    }),
  )
}

function associations(dump: string): string[] {
  return dump.split('\n\n').filter((block) => block.includes('SADB_ASSOC'))
}

/** What is most telling of the first SA of a dump. */
function excerpt(dump: string): string {
  const lines = associations(dump)[0]?.split('\n') ?? []
  return [...lines.filter((line) => /^(SA: |SRC: AF|DST: AF|AKY: X|EKY: X|CLT: )/.test(line)), '…'].join('\n')
}

/** Packets that a host's kernel has refused for want of protection, where it counts them (xfrm_proc). */
async function refusals(host: Host): Promise<number | undefined> {
  const { stdout } = await run('ip', on(host, ['cat', '/proc/net/xfrm_stat']))
  const count = /^XfrmInTmplMismatch\s+(\d+)$/m.exec(stdout)?.[1]
  return count === undefined ? undefined : Number(count)
}
