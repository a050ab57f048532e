/**
 * A change of policy and SAs of which the kernel refuses any one message, or for which it has no memory. `SOLIPSEC_FUZZ=N`
 * has it done with 5,000 rules.
 */
import { constants } from 'node:os'
import t from 'tap'
import { RestoreError } from '../../../../agent/reconcile/take-back.ts'
import { NetlinkError } from '../../../../netlink/socket/error.ts'
import type { XfrmMessage } from '../../../../netlink/xfrm/messages.ts'
import { ownState } from '../../../support/own-state.ts'
import { failToSend, loseAnswers, spoilMessages } from './effects.ts'
import { CHANGES, NOTHING, Walk } from './walk.ts'
import { FaultWorld, isFull, type Target } from './world.ts'

t.setTimeout(0)
ownState(t)
const world = await FaultWorld.make(t, isFull ? 5000 : 32)
const walk = new Walk(world)

/** Each such run is looked at more closely. */
const THOROUGH_EVERY = 6

/** No such SA, and no such policy. */
const id = {
  daddr: new Uint8Array([192, 0, 2, 255, ...new Uint8Array(12)]),
  spi: 0x7fff_0000,
  family: 2,
  proto: 50,
}
const REFUSED: XfrmMessage = { name: 'DELSA', body: id, attributes: {} }

/** Does a change that must fail. @returns what it failed with */
function failing(change: (use: () => void) => void, from: Target, to: Target): unknown {
  try {
    change(() => world.change(from, to))
    return undefined
  } catch (error) {
    return error
  }
}

/** The places of `count` faults among `total`, the first and the last with them; where there are few, one comes again. */
const spread = (total: number, count: number): number[] =>
  Array.from({ length: count }, (_, i) => Math.floor((i * (total - 1)) / (count - 1)))

/** Messages in one datagram of a batch at most. */
const CHUNK = 128

/** Of each kind of change. */
const RUNS = isFull ? 26 : 14
let refusals = 0
for (const [name, from, to] of CHANGES) {
  t.test(`${name} is refused at the k-th message`, async (t) => {
    walk.goTo(from)
    const total = spoilMessages([], REFUSED, () => world.change(from, to))
    walk.present = to
    walk.goTo(from)
    const before = world.picture()
    let unrestored = 0
    for (const [run, at] of spread(total, RUNS).entries()) {
      walk.goTo(from)
      // Each third time, what takes the change back is refused something as well.
      const next = Math.min(total, (Math.floor(at / CHUNK) + 1) * CHUNK)
      const places = run % 3 === 2 ? [at, next + (run % 10)] : [at]
      const error = failing((use) => spoilMessages(places, REFUSED, use), from, to)
      refusals++
      if (!(error instanceof Error)) return t.fail(`it went well though message ${at} was refused`)
      if (error instanceof RestoreError) unrestored++
      else t.same(world.traces(), [], 'it has taken everything back by itself')
      const isThorough = run % THOROUGH_EVERY === 0
      const leaks = isThorough ? world.leaks(from, to, true) : []
      if (leaks.length > 0) t.same(leaks, [], `message ${at}: nothing passes in clear`)
      t.equal(world.heal(from, to, before, isThorough), 'old', `message ${at}`)
      walk.present = from
    }
    t.comment(`of ${total} messages; ${unrestored} times taken back by the next; ${refusals} refusals so far`)
  })
}

const noMemory = () => new NetlinkError({ operation: 'send', errno: constants.errno.ENOBUFS })
let failures = 0
for (const [name, from, to] of CHANGES) {
  t.test(`${name}: the kernel has no memory for the k-th datagram, or for its answer`, async (t) => {
    walk.goTo(from)
    const total = countDatagrams(() => world.change(from, to))
    walk.present = to
    walk.goTo(from)
    const before = world.picture()
    for (const [run, at] of spread(total, RUNS / 2).entries()) {
      for (const fail of [failToSendAt, loseAnswers]) {
        walk.goTo(from)
        const error = failing((use) => fail([at], use), from, to)
        failures++
        const isThorough = run % THOROUGH_EVERY === 0
        const leaks = isThorough ? world.leaks(from, to, true) : []
        if (leaks.length > 0) t.same(leaks, [], `datagram ${at}: nothing passes in clear`)
        // A dump whose answers were lost is read again: nothing failed then.
        const end = world.heal(from, to, before, isThorough)
        t.equal(end, error === undefined ? 'new' : 'old', `datagram ${at}`)
        walk.present = end === 'new' ? to : from
      }
    }
    t.comment(`of ${total} datagrams; ${failures} failures so far`)
  })
}

function failToSendAt(at: readonly number[], use: () => void): void {
  failToSend(at, noMemory, use)
}

function countDatagrams(use: () => void): number {
  return failToSend([], noMemory, use)
}

t.test('all is as if nothing had happened', async (t) => {
  walk.goTo(NOTHING)
  t.equal(world.picture(), '')
  t.ok(refusals + failures >= 200, `${refusals} refusals, ${failures} failures to send`)
})
