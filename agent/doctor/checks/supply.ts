/**
 * Rules and SAs that do not come together.
 *
 * @module
 */
import { formatSpi } from '../../model/association.ts'
import { counted } from '../../model/counted.ts'
import { listed } from '../../supply/words.ts'
import type { Facts } from '../facts.ts'
import { type Finding, findingsOf, unknownFinding } from '../finding.ts'

const GROUP = 'policy and SAs'
const finding = findingsOf(GROUP)

/** Whether there are SAs for the rules, and rules for the SAs. */
export function checkSupply({ supply, abilities }: Facts): Finding[] {
  if (abilities.xfrm.outcome === 'fails') return []
  if ('unknown' in supply) return [unknownFinding(GROUP, 'supply', 'SAs of the rules', supply.unknown)]
  const { rules, lacking, unclaimed } = supply.value
  if (rules === 0) return []
  const findings: Finding[] = []
  if (lacking.length > 0) {
    const which = listed(lacking.map(({ index, file, line }) => `${index} (${file}:${line})`))
    const meaning =
      lacking.length === 1
        ? `Rule ${which} has no SA that does what it asks for: its packets are held back or refused.`
        : `Rules ${which} have no SA that does what they ask for: their packets are held back or refused.`
    findings.push(
      finding(
        'supply',
        'SAs of the rules',
        'warning',
        meaning,
        'see the way that lacks one: solipsec status',
        'see what is asked for, and what there is: solipsec explain LOCAL REMOTE; ipseckey dump',
        'load the keys: ipseckey -f FILE',
      ),
    )
  } else findings.push(finding('supply', 'SAs of the rules', 'ok', 'Each rule that asks for SAs has some.'))
  if (unclaimed.length > 0) {
    const spis = listed(unclaimed.map(({ spi }) => formatSpi(spi)))
    const meaning = `No rule asks for ${counted(unclaimed.length, 'SA')} that ${unclaimed.length === 1 ? 'is' : 'are'} there: ${spis}.`
    findings.push(
      finding(
        'unclaimed',
        'SAs for no rule',
        'note',
        meaning,
        'compare algorithms and addresses: ipsecconf -l; ipseckey dump',
      ),
    )
  }
  return findings
}
