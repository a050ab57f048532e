/**
 * `tunnel NAME negotiate MODE`, and what such a rule may not say.
 *
 * @module
 */
import type { TunnelReference } from '../../../../agent/model/policy.ts'
import type { Setting } from '../syntax/parser.ts'
import type { PatternField } from '../vocabulary.ts'
import type { PatternFields } from './collect.ts'
import type { Context } from './context.ts'

/** Longest interface name, in bytes (LIFNAMSIZ less its NUL). */
const LONGEST_NAME = 31

const SELECTORS: readonly PatternField[] = [
  'sourceAddress',
  'destinationAddress',
  'sourceMask',
  'destinationMask',
  'sourcePort',
  'destinationPort',
  'protocol',
  'icmpType',
  'icmpCode',
]

/**
 * Finds the tunnel of a rule; `undefined` where it has none, and after an error.
 *
 * @param whole nothing of the rule was lost to a syntax error, so that what is missing really is
 */
export function checkTunnel(
  fields: PatternFields,
  whole: boolean,
  context: Context,
): TunnelReference | undefined {
  const { tunnel, negotiate } = fields
  const { report } = context
  const hint = 'tunnel and negotiate tokens must occur together'
  if (!tunnel || !negotiate) {
    if (tunnel && whole) report.fault(tunnel.keyword, 'Requires', 'negotiate', { hint })
    if (negotiate && whole) report.fault(negotiate.keyword, 'Requires', 'tunnel', { hint })
    return undefined
  }
  const name = tunnel.value.text
  const mode = negotiate.value.text
  if (Buffer.byteLength(name) > LONGEST_NAME) report.fault(tunnel.value, 'Bad', 'tunnel')
  if (mode !== 'tunnel' && mode !== 'transport') {
    report.fault(negotiate.value, 'Bad', 'negotiate')
    return undefined
  }
  if (mode === 'transport') refuseSelectors(fields, context)
  checkOneMode(name, negotiate, context)
  return { name, mode }
}

/** In transport mode the tunnel's own IP-in-IP packets are protected, all of them. */
function refuseSelectors(fields: PatternFields, context: Context): void {
  for (const field of SELECTORS) {
    const setting = fields[field]
    if (!setting) continue
    context.report.fault(setting.keyword, 'Bad', field, {
      expected: 'no selectors beside `negotiate transport`',
      hint: 'It protects everything in the tunnel; `negotiate tunnel` selects by the inner packet.',
    })
  }
}

function checkOneMode(name: string, negotiate: Setting, context: Context): void {
  const mode = negotiate.value.text
  const first = context.tunnelModes.get(name)
  if (!first) context.tunnelModes.set(name, { mode, at: negotiate.value })
  else if (first.mode !== mode) {
    context.report.fault(negotiate.value, 'Bad', 'negotiate', {
      expected: `\`${first.mode}\`, as line ${first.at.line} says for this tunnel`,
      hint: 'All rules of a tunnel negotiate one mode.',
    })
  }
}
