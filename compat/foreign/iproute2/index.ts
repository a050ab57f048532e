/**
 * Rules and SAs as a batch file of `ip`: the policies and states that ipsecconf and ipseckey would install, in its words.
 *
 * @module
 */
import { isOutboundOnly } from '../../../agent/reconcile/association-status.ts'
import { contentOf, newState } from '../../../agent/translate/associations.ts'
import type { ForeignHost, ForeignInput, ForeignText } from '../input.ts'
import { chooseAssociations } from '../kernel/associations.ts'
import { remarkOnMore } from '../kernel/markless.ts'
import { policiesOf } from '../kernel/policies.ts'
import { remarksOn } from '../kernel/remarks.ts'
import { policyLines } from './policy.ts'
import { chooseRules } from './rules.ts'
import { stateLine, unsayableOf } from './state.ts'

/** What `ip -batch` reads. */
export function toIproute2(input: ForeignInput, host: ForeignHost): ForeignText {
  const chosen = chooseRules(input, host)
  const { rules, classes, facts, unsaid } = chosen
  const { sayable, unsaid: unsaidAssociations } = chooseAssociations(input, host, unsayableOf)
  const policies = policiesOf(chosen, sayable, host)
  const names = new Map([...host.tunnels.values()].map(({ ifindex, name }) => [ifindex, name]))
  const marks = rules.length > 0 ? facts.marks : undefined
  const states = sayable.map(({ association }) => {
    const protectionClass = classes.classOf(contentOf(association))
    const outboundOnly = isOutboundOnly(association, host.localAddresses)
    return stateLine(newState(association, { protectionClass, marks, outboundOnly }))
  })
  return {
    lines: [...policyLines(policies, names), ...states],
    unsaid: [...unsaid, ...unsaidAssociations],
    remarks: [...remarksOn(input, sayable, host), ...(facts.marks ? [] : remarkOnMore(classes))],
  }
}
