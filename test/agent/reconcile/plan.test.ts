/** Plans and their steps, carried out on the kernel's policy table in memory. */
import fc from 'fast-check'
import t from 'tap'
import { unspecified } from '../../../agent/model/address.ts'
import type { Rule } from '../../../agent/model/policy.ts'
import { freeSerials, isOurPolicyIndex } from '../../../agent/reconcile/ownership.ts'
import { type InstalledPolicy, isEmptyPlan, planPolicies } from '../../../agent/reconcile/plan.ts'
import { appendRules, emptyState, replaceRules } from '../../../agent/reconcile/policy-edit.ts'
import { orderPolicies } from '../../../agent/reconcile/policy-order.ts'
import { type PolicyState, placedRules } from '../../../agent/reconcile/policy-state.ts'
import { messageOf, type Step } from '../../../agent/reconcile/steps.ts'
import type { KernelPolicy } from '../../../agent/translate/kernel-policy.ts'
import { DEFAULT_MARK_MASK } from '../../../agent/translate/marks.ts'
import { dir } from '../../../netlink/xfrm/constants.ts'
import { defaultPolicy } from '../../../netlink/xfrm/defaults.ts'
import { packet as packets, rule, rules } from '../translate/simulation/arbitrary.ts'
import { makeHost } from '../translate/simulation/host.ts'
import { protectionsOf, winningRule } from '../translate/simulation/solaris.ts'
import { deliver, type findPolicy, send } from '../translate/simulation/xfrm.ts'
import { identityOf } from './identity.ts'
import { keyOf, PolicyTable } from './policy-table.ts'

/** Two states of one host: some rules stay, some go, some come, and their order may change. */
const change: fc.Arbitrary<{ before: PolicyState; after: PolicyState }> = rules
  .chain((old) =>
    fc.record({
      old: fc.constant(old),
      next: fc
        .tuple(fc.subarray(old), fc.array(rule, { maxLength: 3 }))
        .chain(([kept, fresh]) => fc.shuffledSubarray([...kept, ...fresh], { minLength: kept.length })),
    }),
  )
  .map(({ old, next }) => {
    const before = appendRules(emptyState(DEFAULT_MARK_MASK), old)
    return { before, after: replaceRules(before, next, { kind: 'all' }) }
  })

function policiesOf(state: PolicyState): readonly KernelPolicy[] {
  return makeHost(placedRules(state)).policies
}

function stepsTo(desired: readonly KernelPolicy[], table: PolicyTable): Step[] {
  const plan = planPolicies(desired, table.policies)
  const serials = freeSerials(table.policies.map(({ info }) => info.index))
  const { first, main, removals, last } = orderPolicies(plan, serials)
  return [...first, ...main, ...removals, ...last]
}

function carryOut(steps: readonly Step[], table: PolicyTable): void {
  for (const step of steps) {
    const refusal = table.apply(messageOf(step))
    if (refusal) throw new Error(`${step.kind}: ${refusal}`)
  }
}

function loaded(state: PolicyState, others: readonly InstalledPolicy[] = []): PolicyTable {
  const table = new PolicyTable(others)
  carryOut(stepsTo(policiesOf(state), table), table)
  return table
}

/** What a policy does, for comparisons of sets. */
function contentsOf(policies: readonly KernelPolicy[]): string[] {
  return policies
    .map((one) =>
      JSON.stringify([identityOf(one), one.priority, one.action, one.tmpl.map((tmpl) => ({ ...tmpl }))]),
    )
    .sort()
}

/** A policy of another program, by its number and a selector that no rule of ours has. */
function foreignPolicy(index: number, ifindex = 77): InstalledPolicy {
  const plain = defaultPolicy()
  return {
    info: { ...plain, sel: { ...plain.sel, ifindex }, index, dir: index & 7, priority: 1 },
    tmpl: [],
    ifId: 0,
  }
}

t.test('property: a plan, carried out, leaves exactly what is wanted and touches nothing else', async () => {
  fc.assert(
    fc.property(change, ({ before, after }) => {
      const foreign = [foreignPolicy(8 | dir.OUT), foreignPolicy(16 | dir.IN, 78)]
      const table = loaded(before, foreign)
      const untouched = table.policies
      const desired = policiesOf(after)
      const plan = planPolicies(desired, table.policies)
      carryOut(stepsTo(desired, table), table)
      const ours = table
        .asKernelPolicies()
        .filter((_, i) => isOurPolicyIndex(table.policies[i]?.info.index ?? 0))
      const same = table.policies.filter((one) => untouched.includes(one))
      const again = planPolicies(desired, table.policies)
      return (
        contentsOf(ours).join('\n') === contentsOf(desired).join('\n') &&
        foreign.every((one) => table.policies.includes(one)) &&
        same.length - foreign.length === plan.unchanged &&
        plan.conflicts.length === 0 &&
        isEmptyPlan(again) &&
        again.unchanged === desired.length
      )
    }),
  )
})

t.test('property: after some steps, a plan back to what was restores it', async () => {
  fc.assert(
    fc.property(change, fc.nat(), ({ before, after }, many) => {
      const table = loaded(before)
      const start = table.policies
      const steps = stepsTo(policiesOf(after), table)
      carryOut(steps.slice(0, many % (steps.length + 1)), table)
      carryOut(stepsTo(policiesOf(before), table), table)
      // The kernel's numbers of policies that had gone are new.
      const same = (one: InstalledPolicy) =>
        JSON.stringify([keyOf(one), one.info.priority, one.info.action, one.tmpl])
      return start.map(same).sort().join('\n') === table.policies.map(same).sort().join('\n')
    }),
  )
})

/** The packet may leave, or come in, without any protection. */
function passesInClear(
  policies: readonly KernelPolicy[],
  packet: Parameters<typeof findPolicy>[1],
  way: 'in' | 'out',
): boolean {
  if (way === 'in') return deliver(policies, [], packet)
  // Without SAs, what is protected is held: only what may go in clear is sent.
  return send(policies, [], packet, 0).kind === 'sent'
}

t.test('property: while rules are replaced, what both sets protect never passes in clear', async () => {
  let held = 0
  const travels = fc.array(fc.tuple(packets, fc.constantFrom('in', 'out')), { minLength: 5, maxLength: 20 })
  fc.assert(
    fc.property(change, travels, ({ before, after }, all) => {
      const table = loaded(before)
      const steps = stepsTo(policiesOf(after), table)
      const tables = [before, after].map((state) => loaded(state).asKernelPolicies())
      const sets = [rulesOf(before), rulesOf(after)]
      const guarded = all.filter(
        ([packet, way]) =>
          sets.every((set) => isProtected(winningRule(set, packet, way))) &&
          tables.every((one) => !passesInClear(one, packet, way)),
      )
      for (const step of steps) {
        table.apply(messageOf(step))
        const policies = table.asKernelPolicies()
        for (const [packet, way] of guarded) {
          held++
          if (passesInClear(policies, packet, way)) return false
        }
      }
      return true
    }),
  )
  t.ok(held > 1000, 'packets were looked at')
})

function isProtected(rule: Rule | undefined): boolean {
  return rule !== undefined && protectionsOf(rule).length > 0
}

function rulesOf({ rules: all }: PolicyState): Rule[] {
  return all.map((one) => one.rule)
}

t.test('policies of others in the way are conflicts, not steps', async (t) => {
  const [wanted] = policiesOf(
    appendRules(emptyState(DEFAULT_MARK_MASK), [
      {
        selector: { pairs: [{ remote: { ...unspecified('inet'), length: 0 } }] },
        direction: 'out',
        actions: [{ kind: 'drop' }],
        text: '',
        file: '',
        span: { line: 1, column: 1, length: 1 },
      },
    ]),
  )
  t.ok(wanted)
  if (!wanted) return
  const { sel, dir: way, mark } = wanted
  const other: InstalledPolicy = {
    info: { ...defaultPolicy(), sel, dir: way, index: 8 | way },
    tmpl: [],
    ifId: 0,
    ...(mark && { mark }),
  }
  const plan = planPolicies([wanted], [other])
  t.same(plan, { add: [], update: [], remove: [], unchanged: 0, conflicts: [{ foreign: other, wanted }] })
  const inInterface = { ...other, ifId: 5 }
  t.same(planPolicies([wanted], [inInterface]).add, [wanted], 'policies of xfrm interfaces live apart')
  t.same(planPolicies([], [other, inInterface]).remove, [])
})

t.test('index numbers', async (t) => {
  const ours = (serial: number) => 0x4000_0000 | (serial << 3)
  const take = (taken: number[], count: number) => {
    const serials = freeSerials(taken)
    return Array.from({ length: count }, () => serials.next().value)
  }
  t.same(take([], 3), [1, 2, 3])
  t.same(take([8, 17, ours(5) | 1, ours(2)], 2), [6, 7], 'those of others do not count')
  const last = 2 ** 25 - 1
  t.same(take([ours(last), ours(0), ours(2)], 3), [1, 3, 4], 'from the end on, free ones only')
})
