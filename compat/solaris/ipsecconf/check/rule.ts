/**
 * A syntactic rule becomes a `Rule` of the model: names resolved, everything checked.
 *
 * @module
 */
import type { Action, AddressPair, Direction, Rule, Selector } from '../../../../agent/model/policy.ts'
import type { SyntaxRule } from '../syntax/parser.ts'
import type { Style } from '../vocabulary.ts'
import { checkAction } from './action.ts'
import { checkAddresses } from './addresses.ts'
import { collect } from './collect.ts'
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
  const actions: Action[] = []
  for (const action of rule.actions) {
    const checked = checkAction(action, tunnel, complete, context)
    if (checked) actions.push(checked)
  }
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

/** Source is local, but for an inbound rule of old style, where it is the other host. */
function orient(
  pairs: readonly AddressPair[],
  traffic: Traffic,
  style: Style | undefined,
  direction: Direction,
): Selector {
  if (style !== 'old' || direction !== 'in') return { pairs, ...traffic }
  const { localPort, remotePort, ...rest } = traffic
  const selector: { -readonly [K in keyof Selector]: Selector[K] } = { pairs: pairs.map(swap), ...rest }
  if (localPort !== undefined) selector.remotePort = localPort
  if (remotePort !== undefined) selector.localPort = remotePort
  return selector
}

function swap({ local, remote }: AddressPair): AddressPair {
  return { ...(remote && { local: remote }), ...(local && { remote: local }) }
}
