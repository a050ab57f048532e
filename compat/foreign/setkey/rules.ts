/**
 * Which rules can be said to setkey.
 *
 * @module
 */
import { familiesOf } from '../../../agent/model/entries.ts'
import { type Rule, reachableActions } from '../../../agent/model/policy.ts'
import { classesOf, type HostFacts } from '../../../agent/translate/policy-set.ts'
import { selectorPairs } from '../../../agent/translate/selectors.ts'
import { TunnelRuleError, tunnelOf } from '../../../agent/translate/tunnels.ts'
import { TunnelsByAddress } from '../by-address.ts'
import type { ForeignHost, ForeignInput } from '../input.ts'
import { isNarrowed } from '../kernel/markless.ts'
import type { SayableRules } from '../kernel/policies.ts'
import { type Unsaid, unsaidRule } from '../unsaid.ts'
import { manualNumbers } from './numbers.ts'
import { exactSelectors } from './selectors.ts'

export interface ChosenRules extends SayableRules {
  /** Numbers of the classes, by reqid. */
  readonly numbers: ReadonlyMap<number, number>
  readonly unsaid: readonly Unsaid[]
}

/** Takes the rules that can be said as they are meant, and says why the others cannot. */
export function chooseRules({ algorithms, rules }: ForeignInput, host: ForeignHost): ChosenRules {
  const { localAddresses, tunnels } = host
  const facts: HostFacts = {
    algorithms,
    marks: undefined,
    localAddresses,
    tunnels,
    forwarding: false,
    guardsOwnAddresses: false,
  }
  const byAddress = new TunnelsByAddress(rules)
  const unsaid: Unsaid[] = []
  const sayable = rules.filter((rule) => {
    const reason = problemOf(rule, facts, byAddress)
    if (reason !== undefined) unsaid.push(unsaidRule(rule, reason))
    return reason === undefined
  })
  const classes = classesOf(sayable, facts)
  const numbers = manualNumbers([...classes.esp, ...classes.ah].map(({ reqid }) => reqid))
  if (!numbers) {
    const reason = 'these rules tell more kinds of SAs apart than setkey has numbers for'
    const refused = sayable.map((rule) => unsaidRule(rule, reason))
    return {
      rules: [],
      classes: classesOf([], facts),
      numbers: new Map(),
      facts,
      unsaid: [...unsaid, ...refused],
    }
  }
  const narrowed = sayable
    .filter((rule) => isNarrowed(rule, classes, tunnels))
    .map((rule) =>
      unsaidRule(rule, 'only narrowed to one kind of SA: setkey has no marks to tell several apart'),
    )
  return { rules: sayable, classes, numbers, facts, unsaid: [...unsaid, ...narrowed] }
}

function problemOf(rule: Rule, { tunnels }: HostFacts, byAddress: TunnelsByAddress): string | undefined {
  const { selector, actions, direction } = rule
  try {
    tunnelOf(rule, tunnels)
  } catch (error) {
    if (error instanceof TunnelRuleError) return `${error.message} ${error.hint}`
    throw error
  }
  const kinds = new Set(reachableActions(actions).map(({ kind }) => kind))
  if (kinds.size > 1 && direction !== 'in') {
    return "setkey's level use, for an SA where there is one, takes any SA, not that of a rule"
  }
  const reason = byAddress.problemOf(rule) ?? familyProblem(rule, tunnels)
  if (reason !== undefined) return reason
  for (const pair of selector.pairs) {
    for (const family of familiesOf(pair)) {
      for (const { out } of selectorPairs(selector, pair, family)) {
        const exact = exactSelectors(out)
        if (typeof exact === 'string') return exact
      }
    }
  }
  return undefined
}

/** The kernel's PF_KEY gives what is inside a tunnel the family of the tunnel. */
function familyProblem({ tunnel, selector }: Rule, tunnels: HostFacts['tunnels']): string | undefined {
  if (tunnel?.mode !== 'tunnel') return undefined
  const outer = tunnels.get(tunnel.name)?.endpoints.local.family
  return selector.pairs.some((pair) => familiesOf(pair).some((family) => family !== outer))
    ? 'setkey has no tunnels for packets of the other IP version'
    : undefined
}
