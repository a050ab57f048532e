/**
 * The order in which policies change: at no moment does a packet pass in clear that is protected before and after. Pure.
 *
 * A policy that requires protection, or refuses, is safe wherever it stands. One that may let pass in clear is safe only where the
 * policies that rank above it do. So first what may let pass in clear and goes or moves is taken out of the way, then
 * everything strict gets to its place, and what may let pass in clear comes last.
 *
 * @module
 */
import { action } from '../../netlink/xfrm/constants.ts'
import { defaultPolicy } from '../../netlink/xfrm/defaults.ts'
import type { KernelPolicy } from '../translate/kernel-policy.ts'
import { policyIndex } from './ownership.ts'
import type { InstalledPolicy, PolicyPlan } from './plan.ts'
import type { Step } from './steps.ts'

/**
 * The steps of a plan in parts; changes of SAs have their place behind the first, those of tunnel interfaces before the
 * removals: by then both the old and the new policies are there, and nothing new passes in clear.
 */
export interface OrderedSteps {
  readonly first: Step[]
  readonly main: Step[]
  readonly removals: Step[]
  readonly last: Step[]
}

/** @param serials for the index numbers of new policies */
export function orderPolicies(plan: PolicyPlan, serials: Generator<number, never>): OrderedSteps {
  const number = (policy: KernelPolicy): Step & { kind: 'add' } => {
    return { kind: 'add', policy, index: policyIndex(serials.next().value, policy.dir) }
  }
  // Where there was nothing, nothing was protected.
  const isNew = plan.unchanged + plan.update.length + plan.remove.length === 0
  if (isNew) return { first: [], main: plan.add.map(number), removals: [], last: [] }
  const order = new Order()
  for (const policy of plan.add) order.add(number(policy))
  for (const change of plan.update) order.update(change)
  for (const policy of plan.remove) order.remove(policy)
  return order.steps
}

type Update = PolicyPlan['update'][number]

class Order {
  readonly #first: Step[] = []
  readonly #adds: Step[] = []
  /** To a better place, or the same. */
  readonly #raises: Step[] = []
  readonly #lowers: Step[] = []
  readonly #removes: Step[] = []
  readonly #last: Step[] = []

  get steps(): OrderedSteps {
    const main = [...this.#adds, ...this.#raises, ...this.#lowers]
    return { first: this.#first, main, removals: this.#removes, last: this.#last }
  }

  add(step: Step & { kind: 'add' }): void {
    const { policy, index } = step
    if (isClear(policy)) this.#last.push(step)
    else if (isLenient(policy)) {
      const strict = strictForm(policy)
      this.#adds.push({ ...step, policy: strict })
      this.#last.push({ kind: 'update', from: asInstalled(strict, index), to: policy })
    } else this.#adds.push(step)
  }

  update({ from, to }: Update): void {
    const old = asWanted(from)
    if (isClear(to)) {
      if (isClear(old)) {
        this.#first.push({ kind: 'remove', policy: from })
        this.#last.push({ kind: 'add', policy: to, index: from.info.index })
        return
      }
      if (isLenient(old)) this.#first.push({ kind: 'update', from, to: strictForm(old) })
      this.#last.push({ kind: 'update', from, to })
      return
    }
    const step: Step = { kind: 'update', from, to: strictForm(to) }
    if (isClear(old) || isLenient(old)) this.#first.push({ kind: 'update', from, to: inPlaceOf(old, to) })
    if (to.priority <= from.info.priority) this.#raises.push(step)
    else this.#lowers.push(step)
    if (isLenient(to)) this.#last.push({ kind: 'update', from, to })
  }

  remove(policy: InstalledPolicy): void {
    const old = asWanted(policy)
    if (isClear(old)) this.#first.push({ kind: 'remove', policy })
    else {
      if (isLenient(old)) this.#first.push({ kind: 'update', from: policy, to: strictForm(old) })
      this.#removes.push({ kind: 'remove', policy })
    }
  }
}

/** The old policy where it stands, but strict: as it was, or, where that asked for nothing, as it will be. */
function inPlaceOf(old: KernelPolicy, to: KernelPolicy): KernelPolicy {
  return isClear(old) ? { ...strictForm(to), priority: old.priority } : strictForm(old)
}

function isClear({ action: verdict, tmpl }: KernelPolicy): boolean {
  return verdict === action.ALLOW && tmpl.length === 0
}

/** Lets pass in clear what finds no SA. */
export function isLenient({
  action: verdict,
  tmpl,
}: Pick<KernelPolicy, 'tmpl'> & { action: number }): boolean {
  return verdict === action.ALLOW && tmpl.some(({ optional }) => optional !== 0)
}

/** The policy with all of its protection required. */
export function strictForm(policy: KernelPolicy): KernelPolicy {
  if (!isLenient(policy)) return policy
  return { ...policy, tmpl: policy.tmpl.map((one) => ({ ...one, optional: 0 })) }
}

/** What has to be asked for to have an installed policy as it is. */
export function asWanted({ info, tmpl, mark }: InstalledPolicy): KernelPolicy {
  const { dir, sel, priority, action: verdict } = info
  return {
    dir: dir as KernelPolicy['dir'],
    sel,
    priority,
    action: verdict as KernelPolicy['action'],
    tmpl,
    ...(mark && { mark }),
  }
}

function asInstalled(
  { dir, sel, priority, action: verdict, tmpl, mark }: KernelPolicy,
  index: number,
): InstalledPolicy {
  const info = { ...defaultPolicy(), dir, sel, priority, action: verdict, index }
  return { info, tmpl, ifId: 0, ...(mark && { mark }) }
}
