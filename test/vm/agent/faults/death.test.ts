/**
 * A change of policy and SAs that ends, as by `kill -9`, in front of each one of its effects. `SOLIPSEC_FUZZ=N` has it done
 * with 5,000 rules.
 */
import t from 'tap'
import { ownState } from '../../../support/own-state.ts'
import { dieAt } from './effects.ts'
import { CHANGES, FIRST, NOTHING, Walk } from './walk.ts'
import { FaultWorld, isFull } from './world.ts'

t.setTimeout(0)
ownState(t)
const world = await FaultWorld.make(t, isFull ? 5000 : 32)
const walk = new Walk(world)

/** Each such run is looked at more closely. */
const THOROUGH_EVERY = 4

let deaths = 0
for (const [name, from, to] of CHANGES) {
  t.test(`${name} dies in front of each of its effects`, async (t) => {
    let mixtures = 0
    for (let at = 0; ; at++) {
      walk.goTo(from)
      const before = world.picture()
      const hasDied = dieAt(at, () => world.change(from, to))
      if (!hasDied) {
        walk.present = to
        t.ok(world.isAt(to), `what is not broken off after ${at} effects is made`)
        break
      }
      deaths++
      const isThorough = at % THOROUGH_EVERY === 0
      if (world.picture() !== before) mixtures++
      const leaks = world.leaks(from, to, isThorough)
      if (leaks.length > 0) t.same(leaks, [], `nothing passes in clear after effect ${at}`)
      walk.present = world.heal(from, to, before, isThorough) === 'new' ? to : from
    }
    t.comment(`${mixtures} times the kernel had another state than before; ${deaths} deaths so far`)
  })
}

t.test('all is as if nothing had happened', async (t) => {
  walk.goTo(FIRST)
  t.same(world.leaks(FIRST, FIRST, true), [])
  walk.goTo(NOTHING)
  t.equal(world.picture(), '')
  t.ok(deaths >= 200, `${deaths} deaths`)
})
