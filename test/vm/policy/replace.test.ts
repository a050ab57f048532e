/**
 * Policy is replaced under a flood of packets: what both the old and the new policy protect never leaves in clear.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import t from 'tap'
import { pause } from '../support/sockets.ts'
import { AH, ESP, INET, INET6, TwoStations } from '../support/two-stations.ts'
import { kindOf, Wiretap } from '../support/wiretap.ts'

t.setTimeout(600_000)

const SWAPS = 6
const RULES = 500

const two = await TwoStations.make(t)
const { left, right } = two

/** Rules that have nothing to do with the flood, different in every set. */
function others(set: number): string[] {
  return Array.from(
    { length: RULES },
    (_, i) => `{laddr 10.1.0.1 raddr 10.${100 + set}.${i >> 8}.${i & 255} ulp tcp} ipsec {${ESP}}`,
  )
}

/** Two policies that protect the flood, each in its own way. */
const SETS = [
  [...others(0), ...[INET, INET6].map(({ R }) => `{raddr ${R}} ipsec {${ESP}}`)],
  [...[INET, INET6].map(({ NET }) => `{raddr ${NET}} ipsec {${AH}} or ipsec {${ESP}}`), ...others(1)],
].map((lines) => lines.join('\n'))

/** Datagrams from the left host as fast as a shell makes them beside the replacing, and echo requests. */
function flood(): ChildProcess[] {
  const datagrams = [INET.R, INET6.R].map((to) => `echo flood >/dev/udp/${to}/9`).join('; ')
  const inLeft = (command: string, ...args: string[]) =>
    spawn('nice', ['ip', 'netns', 'exec', left.host.namespace, command, ...args], { stdio: 'ignore' })
  return [
    inLeft('bash', '-c', `while :; do ${datagrams}; done 2>/dev/null`),
    inLeft('ping', '-n', '-q', '-i', '0.005', INET.R),
    inLeft('ping', '-n', '-q', '-i', '0.005', INET6.R),
  ]
}

t.test('no packet of a flow that both sets protect is seen in clear', async (t) => {
  await left.policy(SETS[0] ?? '')
  const wire = Wiretap.open(t, { station: left })
  const floods = flood()
  t.teardown(() => {
    for (const child of floods) child.kill('SIGKILL')
  })
  const counts = new Map<string, number>()
  const clear = new Set<string>()
  const look = () => {
    for (const packet of wire.take()) {
      const kind = kindOf(packet)
      counts.set(kind, (counts.get(kind) ?? 0) + 1)
      if (kind !== 'esp' && kind !== 'ah') clear.add(`${kind} ${packet.source} > ${packet.destination}`)
    }
  }
  for (let swap = 1; swap <= SWAPS; swap++) {
    pause(300)
    await left.policy(SETS[swap % SETS.length] ?? '')
    look()
  }
  pause(300)
  for (const child of floods) {
    child.kill('SIGTERM')
    await once(child, 'exit')
  }
  look()
  t.same([...clear], [], 'nothing in clear')
  t.ok((counts.get('esp') ?? 0) > 100 && (counts.get('ah') ?? 0) > 100, 'under both sets')
  t.comment(`on the wire: ${[...counts].map(([kind, count]) => `${count} ${kind}`).join(', ')}`)
  await left.policy('')
  look()
  two.out(INET)
  t.same(
    wire
      .take()
      .map(kindOf)
      .filter((kind) => kind === 'udp'),
    ['udp'],
    'and what would be in clear is seen',
  )
  t.equal(right.refusals().get('XfrmInPolBlock'), 0)
})
