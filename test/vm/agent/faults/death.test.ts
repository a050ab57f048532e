/**
 * A change of policy and SAs that ends in front of any one of its effects, or that the kernel refuses at any one of its
 * messages. `SOLIPSEC_FUZZ=N` has it done with 5,000 rules.
 */
import { constants } from 'node:os'
import t from 'tap'
import { RestoreError } from '../../../../agent/reconcile/session.ts'
import { NetlinkError } from '../../../../netlink/socket/error.ts'
import type { XfrmMessage } from '../../../../netlink/xfrm/messages.ts'
import { ownState } from '../../../support/own-state.ts'
import { dieAt, failToSend, loseAnswers, spoilMessages } from './effects.ts'
import { FaultWorld, isFull, type Target } from './world.ts'

t.setTimeout(0)
ownState(t)
const world = await FaultWorld.make(t, isFull ? 5000 : 60)

const NOTHING: Target = { rules: 0, sas: 0 }
const FIRST: Target = { rules: 1, sas: 1 }
const changes: readonly (readonly [name: string, from: Target, to: Target])[] = [
  ['a load', NOTHING, FIRST],
  ['a replace of all', FIRST, { rules: 2, sas: 2 }],
  ['a replace of policy', FIRST, { rules: 2, sas: 1 }],
  ['a replace of SAs', FIRST, { rules: 1, sas: 2 }],
  ['a replace of SAs without policy', { rules: 0, sas: 1 }, { rules: 0, sas: 2 }],
  ['a flush of policy', FIRST, { rules: 0, sas: 1 }],
  ['a flush of SAs', FIRST, { rules: 1, sas: 0 }],
  ['a flush of all', FIRST, NOTHING],
]

/** Puts the host into a state without any fault. */
let present: Target = NOTHING
function goTo(target: Target): void {
  if (present.rules === target.rules && present.sas === target.sas) return
  world.change(present, target)
  present = target
}

/** Each such run is looked at more closely. */
const THOROUGH_EVERY = 4

let deaths = 0
for (const [name, from, to] of changes) {
  t.test(`${name} dies in front of each of its effects`, async (t) => {
    let mixtures = 0
    for (let at = 0; ; at++) {
      goTo(from)
      const before = world.picture()
      const hasDied = dieAt(at, () => world.change(from, to))
      if (!hasDied) {
        present = to
        t.ok(world.isAt(to), `what is not broken off after ${at} effects is made`)
        break
      }
      deaths++
      const isThorough = at % THOROUGH_EVERY === 0
      if (world.picture() !== before) mixtures++
      const leaks = world.leaks(from, to, isThorough)
      if (leaks.length > 0) t.same(leaks, [], `nothing passes in clear after effect ${at}`)
      present = world.heal(from, to, before, isThorough) === 'new' ? to : from
    }
    t.comment(`${mixtures} times the kernel had another state than before; ${deaths} deaths so far`)
  })
}

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

/** The places of `count` faults among `total`, the first and the last with them. */
const spread = (total: number, count: number): number[] => [
  ...new Set(Array.from({ length: count }, (_, i) => Math.floor((i * (total - 1)) / Math.max(1, count - 1)))),
]

const RUNS = 26
let refusals = 0
for (const [name, from, to] of changes) {
  t.test(`${name} is refused at the k-th message`, async (t) => {
    goTo(from)
    const total = spoilMessages([], REFUSED, () => world.change(from, to))
    present = to
    let unrestored = 0
    for (const [run, at] of spread(total, RUNS).entries()) {
      goTo(from)
      const before = world.picture()
      // Each third time, what takes the change back is refused something as well.
      const places = run % 3 === 2 ? [at, at + 200 + run] : [at]
      const error = failing((use) => spoilMessages(places, REFUSED, use), from, to)
      refusals++
      if (!(error instanceof Error)) return t.fail(`it went well though message ${at} was refused`)
      if (error instanceof RestoreError) unrestored++
      else if (world.picture() !== before) return t.fail(`message ${at}: not what it was: ${error.message}`)
      const isThorough = run % THOROUGH_EVERY === 0
      const leaks = world.leaks(from, to, isThorough)
      if (leaks.length > 0) t.same(leaks, [], `message ${at}: nothing passes in clear`)
      t.equal(world.heal(from, to, before, isThorough), 'old', `message ${at}`)
      present = from
    }
    t.comment(`of ${total} messages; ${unrestored} times taken back by the next; ${refusals} refusals so far`)
  })
}

const noMemory = () => new NetlinkError({ operation: 'send', errno: constants.errno.ENOBUFS })
let failures = 0
for (const [name, from, to] of changes) {
  t.test(`${name}: the kernel has no memory for the k-th datagram, or for its answer`, async (t) => {
    goTo(from)
    const total = countDatagrams(() => world.change(from, to))
    present = to
    for (const [run, at] of spread(total, RUNS / 2).entries()) {
      for (const fail of [failToSendAt, loseAnswers]) {
        goTo(from)
        const before = world.picture()
        const error = failing((use) => fail([at], use), from, to)
        failures++
        const isThorough = run % THOROUGH_EVERY === 0
        const leaks = world.leaks(from, to, isThorough)
        if (leaks.length > 0) t.same(leaks, [], `datagram ${at}: nothing passes in clear`)
        // A dump whose answers were lost is read again: nothing failed then.
        const end = world.heal(from, to, before, isThorough)
        t.equal(end, error === undefined ? 'new' : 'old', `datagram ${at}`)
        present = end === 'new' ? to : from
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
  goTo(FIRST)
  t.same(world.leaks(FIRST, FIRST, true), [])
  goTo(NOTHING)
  t.equal(world.picture(), '')
  t.ok(deaths >= 200 || isFull, `${deaths} deaths`)
  t.ok(refusals >= 200, `${refusals} refusals`)
  t.ok(failures >= 200, `${failures} failures to send`)
})
