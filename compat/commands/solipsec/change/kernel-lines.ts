/**
 * Which kernel objects change for which rule or SA, as lines for people. No keys.
 *
 * @module
 */
import { formatAddress } from '../../../../agent/model/address.ts'
import { saKey } from '../../../../agent/reconcile/association-notes.ts'
import { policyLine } from '../../../../agent/reconcile/plain-policy.ts'
import type { LoadedRule, PolicyState } from '../../../../agent/reconcile/policy-state.ts'
import type { Step } from '../../../../agent/reconcile/steps.ts'
import { positionOf } from '../../../../agent/translate/priorities.ts'
import { readState } from '../../../../agent/translate/read-association.ts'
import { readAddress } from '../../../../agent/translate/selectors.ts'
import { mode, proto } from '../../../../netlink/xfrm/constants.ts'
import type { XfrmMessage } from '../../../../netlink/xfrm/messages.ts'
import type { Outcome } from './outcome.ts'

/** The lines of changed policies, by the rule that they are for; those of the frame have none. */
export function policyLines({
  reconciliation,
  before,
  after,
}: Outcome): Map<LoadedRule | undefined, string[]> {
  const lines = new Map<LoadedRule | undefined, string[]>()
  const [old, next] = [rulesByPosition(before), rulesByPosition(after)]
  const put = (rules: Map<number, LoadedRule>, priority: number, ...texts: string[]): void => {
    const rule = rules.get(positionOf(priority) ?? -1)
    const others = lines.get(rule)
    if (others) others.push(...texts)
    else lines.set(rule, texts)
  }
  const { add, update, remove } = reconciliation.plan
  for (const policy of add) put(next, policy.priority, `+ ${policyLine(policy)}`)
  for (const { from, to } of update) put(next, to.priority, `~ ${policyLine(from)}`, `  => ${policyLine(to)}`)
  for (const policy of remove) put(old, policy.info.priority, `- ${policyLine(policy)}`)
  return lines
}

function rulesByPosition({ rules }: PolicyState): Map<number, LoadedRule> {
  return new Map(
    rules.flatMap((loaded) => loaded.placements.map(({ position }) => [position, loaded] as const)),
  )
}

/** The lines of changed SAs, by their identifier. */
export function stateLines(steps: readonly Step[]): Map<string, string[]> {
  const lines = new Map<string, string[]>()
  for (const step of steps) {
    if (step.kind !== 'message') continue
    const found = lineOf(step.message)
    if (!found) continue
    const others = lines.get(found.key)
    if (others) others.push(found.line)
    else lines.set(found.key, [found.line])
  }
  return lines
}

function lineOf(message: XfrmMessage): { readonly key: string; readonly line: string } | undefined {
  if (message.name === 'NEWSA' || message.name === 'UPDSA') {
    const association = readState(message)?.association
    if (!association) return undefined
    const { body } = message
    const words = [message.name === 'NEWSA' ? '+' : '~', ...ends(association)]
    words.push(body.mode === mode.TUNNEL ? 'tunnel' : 'transport', 'reqid', `0x${body.reqid.toString(16)}`)
    const { set_mark, set_mark_mask = 0xffff_ffff } = message.attributes
    if (set_mark !== undefined) {
      words.push('output-mark', `0x${set_mark.toString(16)}/0x${set_mark_mask.toString(16)}`)
    }
    return { key: saKey(association), line: words.join(' ') }
  }
  if (message.name !== 'DELSA') return undefined
  const { proto: number, daddr, family, spi } = message.body
  const protocol = number === proto.AH ? 'ah' : 'esp'
  const target = { protocol, spi, destination: readAddress(daddr, family) } as const
  return { key: saKey(target), line: ['-', ...ends(target)].join(' ') }
}

function ends({ protocol, spi, destination }: Parameters<typeof saKey>[0]): string[] {
  return ['state', protocol, 'spi', `0x${spi.toString(16)}`, '->', formatAddress(destination)]
}
