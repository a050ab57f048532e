/**
 * A syntactic rule becomes a `Rule` of the model: names resolved, everything checked.
 *
 * @module
 */
import type {
  Action,
  AddressPair,
  Direction,
  Rule,
  Selector,
  TunnelReference,
} from '../../../../agent/model/policy.ts'
import type { SyntaxRule } from '../syntax/parser.ts'
import type { Style } from '../vocabulary.ts'
import { checkAction } from './action.ts'
import { checkAddresses } from './addresses.ts'
import { type Collected, collect } from './collect.ts'
import type { Context } from './context.ts'
import { checkDirection } from './direction.ts'
import { checkTraffic, type Traffic } from './traffic.ts'
import { checkTunnel } from './tunnel.ts'

/** Resolves a rule. Every error of it is reported; `undefined` where there was one. */
export function checkRule(syntax: SyntaxRule, context: Context): Rule | undefined {
  const { report } = context
  const errors = report.errors
  const whole = !syntax.broken
  const rule = collect(syntax, report)
  const complete = whole && report.errors === errors
  const tunnel = checkTunnel(rule.pattern, complete, context)
  const pairs = checkAddresses(rule.pattern, context)
  const traffic = checkTraffic(rule.pattern, context)
  const direction = checkDirection(rule, complete, context)
  const actions = checkActions(syntax, rule, tunnel, complete, context)
  if (syntax.broken || report.errors !== errors || !pairs || !direction) return undefined
  const resolved: { -readonly [K in keyof Rule]: Rule[K] } = {
    selector: orient(pairs, traffic, rule.style, direction),
    direction,
    actions,
    text: syntax.text,
    file: report.file,
    span: syntax.span,
  }
  if (tunnel) resolved.tunnel = tunnel
  return resolved
}

/** Most rules of a file say the same after the pattern: they share one list of actions. */
function checkActions(
  syntax: SyntaxRule,
  rule: Collected,
  tunnel: TunnelReference | undefined,
  complete: boolean,
  context: Context,
): readonly Action[] {
  const { diagnostics } = context.report
  const key = tunnel ? `${tunnel.mode} ${syntax.actionText}` : syntax.actionText
  const known = context.actions.get(key)
  if (known && complete) return known
  const before = diagnostics.length
  const actions: Action[] = []
  for (const action of rule.actions) {
    const checked = checkAction(action, tunnel, complete, context)
    if (checked) actions.push(checked)
  }
  if (complete && diagnostics.length === before) context.actions.set(key, actions)
  return actions
}

/** Source is local, but for an inbound rule of old style, where it is the other host. */
function orient(
  pairs: readonly AddressPair[],
  traffic: Traffic,
  style: Style | undefined,
  direction: Direction,
): Selector {
  const swapped = style === 'old' && direction === 'in'
  const { protocol, icmpType, icmpCode } = traffic
  const localPort = swapped ? traffic.remotePort : traffic.localPort
  const remotePort = swapped ? traffic.localPort : traffic.remotePort
  const selector: { -readonly [K in keyof Selector]: Selector[K] } = {
    pairs: swapped ? pairs.map(swap) : pairs,
  }
  if (protocol !== undefined) selector.protocol = protocol
  if (localPort !== undefined) selector.localPort = localPort
  if (remotePort !== undefined) selector.remotePort = remotePort
  if (icmpType) selector.icmpType = icmpType
  if (icmpCode) selector.icmpCode = icmpCode
  return selector
}

function swap({ local, remote }: AddressPair): AddressPair {
  return { ...(remote && { local: remote }), ...(local && { remote: local }) }
}
