/**
 * Which rules can be said to `ip xfrm`, and how SAs are told apart for them.
 *
 * @module
 */
import { familiesOf } from '../../../agent/model/entries.ts'
import { append } from '../../../agent/model/lists.ts'
import type { Rule } from '../../../agent/model/policy.ts'
import type { ClassTable } from '../../../agent/translate/classes.ts'
import { markLayout } from '../../../agent/translate/marks.ts'
import { classesOf, type HostFacts, MarkCapacityError } from '../../../agent/translate/policy-set.ts'
import { selectorPairs } from '../../../agent/translate/selectors.ts'
import { TunnelRuleError, tunnelOf } from '../../../agent/translate/tunnels.ts'
import type { ForeignHost, ForeignInput } from '../input.ts'
import { isNarrowed } from '../kernel/markless.ts'
import type { SayableRules } from '../kernel/policies.ts'
import { type Unsaid, unsaidRule } from '../unsaid.ts'
import { exactSelectors } from './words.ts'

export interface ChosenRules extends SayableRules {
  readonly unsaid: readonly Unsaid[]
}

/** Takes the rules that can be said as they are meant, and says why the others cannot. */
export function chooseRules({ algorithms, rules }: ForeignInput, host: ForeignHost): ChosenRules {
  const { localAddresses, tunnels } = host
  const open = openTunnels(rules, host)
  const marks = open.length > 0 ? undefined : markLayout(host.markMask)
  // Without netfilter, forwarded packets and this host's IPv6 traffic with itself are held to the rules as well.
  const facts = { algorithms, marks, localAddresses, tunnels, forwarding: false, guardsOwnAddresses: false }
  const unsaid: Unsaid[] = []
  const sayable = rules.filter((rule) => {
    const reason = problemOf(rule, facts)
    if (reason !== undefined) unsaid.push(unsaidRule(rule, reason))
    return reason === undefined
  })
  try {
    const classes = classesOf(sayable, facts)
    if (!marks) append(unsaid, narrowed(sayable, classes, facts, open))
    return { rules: sayable, classes, facts, unsaid }
  } catch (error) {
    if (!(error instanceof MarkCapacityError)) throw error
    const refused = sayable.map((rule) => unsaidRule(rule, error.message))
    return { rules: [], classes: classesOf([], facts), facts, unsaid: [...unsaid, ...refused] }
  }
}

/**
 * The tunnel interfaces whose own packets may come in protected. What they held would bear the mark of that protection,
 * which only netfilter takes off; so no mark may count then.
 */
function openTunnels(rules: readonly Rule[], { tunnels }: ForeignHost): string[] {
  if (rules.length === 0) return []
  const closed = new Set(rules.flatMap(({ tunnel }) => (tunnel?.mode === 'tunnel' ? [tunnel.name] : [])))
  return [...tunnels.keys()].filter((name) => !closed.has(name))
}

/** A name that is one word of a batch file. */
const PLAIN_NAME = /^[^\s#"'/]{1,15}$/

function problemOf(rule: Rule, facts: HostFacts): string | undefined {
  const { tunnel, selector } = rule
  if (tunnel?.mode === 'transport') {
    return "protection of a tunnel's own packets takes netfilter as well: what comes out of the tunnel must lose its mark"
  }
  if (tunnel && !PLAIN_NAME.test(tunnel.name)) return 'ip has no way to write this name of an interface'
  try {
    tunnelOf(rule, facts.tunnels)
  } catch (error) {
    if (error instanceof TunnelRuleError) return `${error.message} ${error.hint}`
    throw error
  }
  if (tunnel && !facts.marks && selector.pairs.some(isForAll)) {
    return 'without marks, a tunnel rule for all addresses would hold all other traffic to it'
  }
  for (const pair of selector.pairs) {
    for (const family of familiesOf(pair)) {
      for (const { out } of selectorPairs(selector, pair, family)) {
        const exact = exactSelectors(out)
        if (typeof exact === 'string') return withWayOut(exact, rule)
      }
    }
  }
  return undefined
}

function isForAll({ local, remote }: Rule['selector']['pairs'][number]): boolean {
  return (local?.length ?? 0) === 0 && (remote?.length ?? 0) === 0
}

function withWayOut(reason: string, { selector }: Rule): string {
  return selector.protocol === undefined
    ? `${reason} (UDP-Lite), and a port without a protocol is about it, too; say ulp, in a rule for each`
    : reason
}

/** Rules that mean less where no marks tell SAs apart: they are there, but narrowed. */
function narrowed(
  rules: readonly Rule[],
  classes: ClassTable,
  { tunnels }: HostFacts,
  open: readonly string[],
): Unsaid[] {
  const why =
    open.length > 0
      ? `packets out of ${open.join(', ')} bear the mark of what protected the tunnel, and only netfilter takes it off`
      : 'no mark bits are free'
  return rules
    .filter((rule) => isNarrowed(rule, classes, tunnels))
    .map((rule) => unsaidRule(rule, `only without marks, narrowed to one kind of SA: ${why}`))
}
