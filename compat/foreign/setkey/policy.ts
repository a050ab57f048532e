/**
 * Kernel policies as `spdadd` of setkey(8).
 *
 * @module
 */
import { type KernelPolicy, withoutShadowed } from '../../../agent/translate/kernel-policy.ts'
import { action, dir, mode } from '../../../netlink/xfrm/constants.ts'
import type { UserTmpl } from '../../../netlink/xfrm/structs.ts'
import { address, protocolWord } from '../kernel/words.ts'
import { exactSelectors, selectorWords } from './selectors.ts'

const DIRECTIONS: Readonly<Record<number, string>> = { [dir.IN]: 'in', [dir.OUT]: 'out', [dir.FWD]: 'fwd' }

export interface PolicyLines {
  readonly lines: readonly string[]
  /** Some exception could not be said: its packets are held to the rules. */
  readonly lacksExceptions: boolean
}

/**
 * One line for each policy.
 *
 * @param numbers of the reqids that templates name
 * @throws RangeError where something cannot be said and cannot be left out either
 */
export function policyLines(
  policies: readonly KernelPolicy[],
  numbers: ReadonlyMap<number, number>,
): PolicyLines {
  const sayable: KernelPolicy[] = []
  let lacksExceptions = false
  for (const policy of policies) {
    const selectors = selectorsOf(policy)
    if (typeof selectors !== 'string') sayable.push(...selectors.map((sel) => ({ ...policy, sel })))
    else if (isException(policy)) lacksExceptions ||= policy.sel.ifindex === 0
    else throw new RangeError(selectors)
  }
  // Without -k, setkey makes a laxer fwd policy of each that it adds for in; the one that is there first stays.
  const ordered = [...withoutShadowed(sayable)].sort((a, b) => rankOf(a) - rankOf(b))
  return { lines: ordered.map((policy) => policyLine(policy, numbers)), lacksExceptions }
}

/** What a tunnel rule catches on the way into the interface is known by its addresses here. */
function selectorsOf({ sel, ...policy }: KernelPolicy): readonly KernelPolicy['sel'][] | string {
  if (sel.ifindex === 0) return exactSelectors(sel)
  if (policy.dir === dir.OUT && sel.prefixlen_s > 0 && sel.prefixlen_d > 0) {
    return exactSelectors({ ...sel, ifindex: 0 })
  }
  return 'setkey has no interfaces'
}

/** Without it, fewer packets pass, or fewer in clear. */
function isException({ action: verdict, tmpl }: KernelPolicy): boolean {
  return verdict === action.ALLOW && tmpl.length === 0
}

function rankOf(policy: KernelPolicy): number {
  return policy.dir === dir.FWD ? 0 : 1
}

function policyLine(policy: KernelPolicy, numbers: ReadonlyMap<number, number>): string {
  const { tmpl } = policy
  if (policy.mark) throw new RangeError('setkey has no marks')
  const verdict =
    policy.action === action.BLOCK
      ? ['discard']
      : tmpl.length === 0
        ? ['none']
        : ['ipsec', ...tmpl.map((one) => request(one, policy, numbers))]
  return [
    'spdadd',
    ...selectorWords(policy.sel),
    '-P',
    DIRECTIONS[policy.dir] ?? '',
    ...priorityWords(policy.priority),
    ...verdict,
    ';',
  ].join(' ')
}

/** What `high` stands for (ipsec_set_policy(3)): numbers that are added make the kernel's number smaller. */
const HIGH = 0x4000_0000

/** @param priority as the kernel has it, below 2³¹ */
function priorityWords(priority: number): string[] {
  const [sign, offset] = priority <= HIGH ? ['+', HIGH - priority] : ['-', priority - HIGH]
  return ['prio', 'high', sign, String(offset)]
}

function request(
  { saddr, id, family, reqid, mode: kind, optional }: UserTmpl,
  { sel }: KernelPolicy,
  numbers: ReadonlyMap<number, number>,
): string {
  const number = numbers.get(reqid)
  const isTunnel = kind === mode.TUNNEL
  if (number === undefined || optional !== 0)
    throw new RangeError('a level of setkey names an SA or is optional')
  if (!isTunnel && family !== sel.family) throw new RangeError('setkey has no family for a request')
  const ends = isTunnel ? `${address(saddr, family)}-${address(id.daddr, family)}` : ''
  return `${protocolWord(id.proto)}/${isTunnel ? 'tunnel' : 'transport'}/${ends}/unique:${number}`
}
