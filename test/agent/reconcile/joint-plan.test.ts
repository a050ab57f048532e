/** SAs and policies planned together, and carried out on tables in memory. */
import fc from 'fast-check'
import t from 'tap'
import type { SecurityAssociation } from '../../../agent/model/association.ts'
import { defaultAlgorithmTable } from '../../../agent/model/default-algorithms.ts'
import { Secret } from '../../../agent/model/secret.ts'
import { undoMessages } from '../../../agent/reconcile/association-journal.ts'
import { type AssociationNotes, saKey } from '../../../agent/reconcile/association-notes.ts'
import { planAssociations } from '../../../agent/reconcile/association-plan.ts'
import { AssociationTransaction } from '../../../agent/reconcile/association-transaction.ts'
import { planJointly } from '../../../agent/reconcile/joint-plan.ts'
import { NO_NETFILTER_RULES } from '../../../agent/reconcile/netfilter.ts'
import { isOurState } from '../../../agent/reconcile/ownership.ts'
import { emptyState, replaceRules } from '../../../agent/reconcile/policy-edit.ts'
import type { PolicyState } from '../../../agent/reconcile/policy-state.ts'
import { messageOf, type Step } from '../../../agent/reconcile/steps.ts'
import { DEFAULT_MARK_MASK, markLayout } from '../../../agent/translate/marks.ts'
import { classesOf, type HostFacts } from '../../../agent/translate/policy-set.ts'
import { dir } from '../../../netlink/xfrm/constants.ts'
import type { XfrmMessage } from '../../../netlink/xfrm/messages.ts'
import { rulesOf } from '../../compat/solaris/ipsecconf/support.ts'
import { address } from '../../support/address.ts'
import { aesAssociation, NO_LIMIT } from '../model/associations.ts'
import { PolicyTable } from './policy-table.ts'
import { StateTable } from './state-table.ts'

const [HERE, THERE] = [address('10.0.0.1'), address('10.1.0.1')]
const FACTS: HostFacts = {
  algorithms: defaultAlgorithmTable,
  marks: markLayout(DEFAULT_MARK_MASK),
  forwarding: false,
  localAddresses: [HERE],
  tunnels: new Map(),
  guardsOwnAddresses: false,
}

/** A host: policies, SAs, and what is noted of them. */
interface World {
  readonly state: PolicyState
  readonly policies: PolicyTable
  readonly states: StateTable
  readonly notes: AssociationNotes
}

const nothing = (): World => ({
  state: { ...emptyState(DEFAULT_MARK_MASK), netfilter: NO_NETFILTER_RULES },
  policies: new PolicyTable(),
  states: new StateTable(),
  notes: new Map(),
})

interface Goal {
  readonly rules: string
  readonly associations: readonly SecurityAssociation[]
}

function begin(world: World, next: PolicyState): AssociationTransaction {
  const rules = next.rules.map(({ rule }) => rule)
  return new AssociationTransaction(world.states.associations, world.notes, {
    classes: classesOf(rules, FACTS),
    marks: rules.length > 0 ? FACTS.marks : undefined,
    localAddresses: FACTS.localAddresses,
  })
}

function planTo(world: World, { rules, associations }: Goal) {
  const next = replaceRules(world.state, rulesOf(rules), { kind: 'all' })
  const transaction = begin(world, next)
  const plan = planAssociations(associations, transaction, FACTS.localAddresses)
  const tables = { policies: world.policies.policies, associations: world.states.associations }
  const reconciliation = planJointly(tables, next, FACTS, transaction)
  return { next, transaction, plan, reconciliation }
}

function carryOut({ policies, states }: World, steps: readonly Step[]): void {
  for (const step of steps) {
    const refusal = (step.kind === 'message' ? states : policies).apply(messageOf(step))
    if (refusal) throw new Error(`${step.kind}: ${refusal}`)
  }
}

function reach(world: World, goal: Goal): World {
  const { next, transaction, reconciliation } = planTo(world, goal)
  carryOut(world, reconciliation.steps)
  return { ...world, state: next, notes: transaction.notes }
}

const sa = (spi: number, more: Partial<SecurityAssociation> = {}) =>
  aesAssociation(spi, spi % 2 === 1 ? [HERE, THERE] : [THERE, HERE], more)

const variant: fc.Arbitrary<Partial<SecurityAssociation>> = fc.record(
  {
    encrKey: fc
      .constantFrom(16, 32)
      .chain((size) =>
        fc.integer({ min: 1, max: 3 }).map((fill) => new Secret(new Uint8Array(size).fill(fill))),
      ),
    hard: fc.constantFrom(NO_LIMIT, { ...NO_LIMIT, addTime: 60n }, { ...NO_LIMIT, allocations: 7n }),
    idle: fc.constantFrom({ addTime: 0n, useTime: 0n }, { addTime: 5n, useTime: 0n }),
    replayWindow: fc.constantFrom(0, 32, 64),
    sourcePort: fc.constantFrom(0, 22),
  },
  { requiredKeys: [] },
)
const associations: fc.Arbitrary<SecurityAssociation[]> = fc
  .uniqueArray(fc.integer({ min: 0x101, max: 0x106 }), { maxLength: 6 })
  .chain((spis) => fc.tuple(...spis.map((spi) => variant.map((more) => sa(spi, more)))))
  .chain((all) =>
    fc.boolean().map((paired) => {
      const partner = (spi: number) => (spi % 2 === 1 ? spi + 1 : spi - 1)
      const has = (spi: number) => all.some((one) => one.spi === spi)
      return all.map((one) => (paired && has(partner(one.spi)) ? { ...one, pairSpi: partner(one.spi) } : one))
    }),
  )
const ESP = 'encr_algs aes(128) encr_auth_algs sha256'
const lines = [
  `{raddr 10.1.0.1 laddr 10.0.0.1} ipsec {${ESP}}`,
  `{raddr 10.1.0.0/16} ipsec {${ESP}} or pass {}`,
  '{raddr 10.1.0.1} ipsec {encr_algs aes(256) encr_auth_algs any} or pass {}',
  `{raddr 10.1.0.0/24} ipsec {auth_algs sha256} or ipsec {${ESP}}`,
  '{lport 22 dir both} pass {}',
  '{rport 23 dir out} drop {}',
]
const goal: fc.Arbitrary<Goal> = fc.record({
  rules: fc.shuffledSubarray(lines).map((some) => some.join('\n')),
  associations,
})

/** Two configurations of one host, which have much in common. */
const change: fc.Arbitrary<[Goal, Goal]> = fc.tuple(goal, goal).chain(([first, other]) =>
  fc.tuple(fc.boolean(), fc.subarray([...first.associations])).map(([sameRules, kept]): [Goal, Goal] => {
    const spis = new Set(kept.map(({ spi }) => spi))
    const all = [...kept, ...other.associations.filter(({ spi }) => !spis.has(spi))]
    const single = all.map(({ pairSpi: _, ...one }) => one)
    return [first, { rules: sameRules ? first.rules : other.rules, associations: single }]
  }),
)

/** Everything that counts, but no counters. */
function picture({ policies, states }: World): string {
  const one = ({ info, tmpl, mark }: PolicyTable['policies'][number]) =>
    JSON.stringify([info.dir, info.sel, info.priority, info.action, tmpl, mark], plain)
  const sas = [...states.states].map(([key, { body, attributes }]) =>
    JSON.stringify([key, body.reqid, body.lft, body.sel, attributes], plain),
  )
  return [...policies.policies.map(one).sort(), ...sas.sort()].join('\n')
}

const plain = (_: string, value: unknown) => (typeof value === 'bigint' ? String(value) : value)

t.test('property: from any configuration to any other, and nothing is left to do', async (t) => {
  let kept = 0
  fc.assert(
    fc.property(change, ([first, second]) => {
      const world = reach(nothing(), first)
      const states = new Map(world.states.states)
      const { plan, reconciliation } = planTo(world, second)
      const touched = new Set(
        [...plan.change.map(({ to }) => to), ...plan.add, ...plan.remove]
          .map(saKey)
          .concat(moved(reconciliation.stateSteps)),
      )
      const after = reach(world, second)
      for (const [key, state] of states) {
        if (touched.has(key)) continue
        kept++
        if (after.states.states.get(key) !== state) throw new Error(`${key} was touched`)
      }
      const again = planTo(after, second)
      const fresh = reach(nothing(), second)
      return (
        again.reconciliation.steps.length === 0 &&
        again.plan.untouched === second.associations.length &&
        picture(after).split('\n').length === picture(fresh).split('\n').length
      )
    }),
    { seed: 7, numRuns: 150 },
  )
  t.ok(kept > 20, 'some were untouched')
})

function moved(steps: readonly Step[]): string[] {
  const table = new StateTable()
  for (const step of steps) {
    const message = messageOf(step)
    if (message.name === 'UPDSA') table.apply({ ...message, name: 'NEWSA' } as XfrmMessage<'NEWSA'>)
    else if (message.name === 'NEWSA') table.apply(message)
  }
  return [...table.states.keys()]
}

t.test('property: after any step, the journal and a new plan lead back', async () => {
  fc.assert(
    fc.property(change, fc.nat(), ([first, second], many) => {
      const world = reach(nothing(), first)
      const before = picture(world)
      const { reconciliation } = planTo(world, second)
      const { steps } = reconciliation
      carryOut(world, steps.slice(0, many % (steps.length + 1)))
      for (const message of undoMessages(steps)) world.states.apply(message)
      const tables = { policies: world.policies.policies, associations: world.states.associations }
      const changes = { steps: [], after: tables.associations, notes: world.notes }
      carryOut(world, planJointly(tables, world.state, FACTS, changes).steps)
      return withoutLifetimes(picture(world)) === withoutLifetimes(before)
    }),
    { seed: 7, numRuns: 150 },
  )
})

/** What is made again has the lifetimes that it had; the attribute that says so is not there at first. */
function withoutLifetimes(text: string): string {
  return text
    .replace(/,?"ltime_val":\{[^}]*\}/g, '')
    .replace(/,?"set_mark(_mask)?":0\b/g, '')
    .replaceAll('{,', '{')
}

t.test('property: what both configurations protect is never let through in clear', async (t) => {
  let looked = 0
  fc.assert(
    fc.property(change, ([first, second]) => {
      const world = reach(nothing(), first)
      const protects = () => sendsProtected(world)
      const before = protects()
      const { reconciliation } = planTo(world, second)
      let leaked = false
      for (const step of reconciliation.steps) {
        carryOut(world, [step])
        if (protects() === 'clear') leaked = true
      }
      if (before !== 'protected' || protects() !== 'protected') return true
      looked++
      return !leaked
    }),
    { seed: 7, numRuns: 300 },
  )
  t.ok(looked > 20, `${looked} looked at`)
})

/** What becomes of a packet to the peer: the first outbound policy for it, and the SAs that there are. */
function sendsProtected({ policies, states }: World): 'protected' | 'clear' | 'held' {
  const [found] = policies.policies
    .filter(({ info }) => info.dir === dir.OUT && info.sel.family === 2 && info.sel.proto === 0)
    .sort((a, b) => a.info.priority - b.info.priority)
  if (!found) return 'clear'
  if (found.info.action !== 0) return 'held'
  let isProtected = false
  for (const { reqid, optional } of found.tmpl) {
    const has = states.associations.some(
      (one) => one.reqid === reqid && one.association.spi % 2 === 1 && one.association.sourcePort === 0,
    )
    if (!has && optional === 0) return 'held'
    isProtected ||= has
  }
  return isProtected ? 'protected' : 'clear'
}

t.test('new SAs, then policies, then what goes', async (t) => {
  const rule = lines[0] ?? ''
  const world = reach(nothing(), { rules: rule, associations: [sa(0x101), sa(0x103)] })
  const { reconciliation } = planTo(world, { rules: lines[3] ?? '', associations: [sa(0x105), sa(0x103)] })
  const names = reconciliation.steps.map((step) => messageOf(step).name)
  t.equal(names[0], 'NEWSA')
  t.equal(names.at(-1), 'DELSA')
  t.ok(names.some((name) => name === 'NEWPOLICY'))
})

t.test('SAs: limits in place, keys anew, those of others in the way', async (t) => {
  const limited = { hard: { ...NO_LIMIT, bytes: 9n } }
  const rekeyed = { encrKey: new Secret(new Uint8Array(16).fill(9)) }
  const world = reach(nothing(), { rules: '', associations: [sa(0x101), sa(0x102), sa(0x103)] })
  const { plan } = planTo(world, {
    rules: '',
    associations: [sa(0x101, limited), sa(0x102, rekeyed), sa(0x103)],
  })
  t.match(plan, {
    add: [],
    remove: [],
    untouched: 1,
    change: [
      { differences: ['hard'], manner: 'updated' },
      { differences: ['encryption.key'], manner: 'replaced' },
    ],
  })
  for (const [, { body }] of world.states.states) t.ok(isOurState(body.reqid))
  const [one] = world.states.associations
  if (!one) throw new Error('no SA')
  const strange = new StateTable()
  strange.apply({ name: 'NEWSA', ...one.state, body: { ...one.state.body, reqid: 7 } })
  const others = { ...nothing(), states: strange }
  t.throws(() => planTo(others, { rules: '', associations: [sa(one.association.spi)] }), {
    name: 'AssociationError',
    errno: 'EPERM',
  })
  t.same(planTo(others, { rules: '', associations: [] }).reconciliation.steps, [], 'they are not touched')
  t.throws(() => planTo(nothing(), { rules: '', associations: [sa(0x101, { pairSpi: 0x102 })] }), {
    name: 'AssociationError',
    diagnostic: 76,
  })
})
