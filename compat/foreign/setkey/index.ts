/**
 * Rules and SAs as a script of setkey(8), the tool of KAME and ipsec-tools, as it works on Linux.
 *
 * PF_KEY knows no marks, no SA selectors and no reqids of ours. So policies are those for a host without mark bits, and
 * classes have numbers that fit setkey's level `unique:NUMBER`.
 *
 * @module
 */
import { contentOf } from '../../../agent/translate/associations.ts'
import { unclassedReqid } from '../../../agent/translate/classes.ts'
import { remarkOnRoutes } from '../by-address.ts'
import type { ForeignHost, ForeignInput, ForeignText } from '../input.ts'
import { chooseAssociations } from '../kernel/associations.ts'
import { remarkOnMore } from '../kernel/markless.ts'
import { policiesOf } from '../kernel/policies.ts'
import { remarksOn } from '../kernel/remarks.ts'
import { policyLines } from './policy.ts'
import { chooseRules } from './rules.ts'
import { stateLine, unsayableOf } from './state.ts'

/** What `setkey -k -f` reads. */
export function toSetkey(input: ForeignInput, host: ForeignHost): ForeignText {
  const chosen = chooseRules(input, host)
  const { rules, classes, numbers, unsaid } = chosen
  const { sayable, unsaid: unsaidAssociations } = chooseAssociations(input, host, unsayableOf)
  const policies = policiesOf(chosen, sayable, host)
  const { lines, lacksExceptions } = policyLines(policies, numbers)
  const states = sayable.map(({ association }) => {
    const reqid = classes.classOf(contentOf(association))?.reqid
    const number = reqid === undefined ? undefined : numbers.get(reqid)
    return stateLine(association, number ?? unclassedReqid(association.protocol))
  })
  return {
    lines: [...lines, ...states],
    unsaid: [...unsaid, ...unsaidAssociations],
    remarks: [
      ...remarksOn(input, sayable, host),
      ...remarkOnMore(classes),
      ...remarkOnRoutes(rules),
      ...(lacksExceptions
        ? ['clear ICMP of type 0 or code 0 (echo replies, unreachable networks) is held to the rules.']
        : []),
    ],
  }
}
