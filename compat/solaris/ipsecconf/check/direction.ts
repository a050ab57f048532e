/**
 * The direction of a rule, from its style, its `dir` and its actions (ipsecconf(8)).
 *
 * @module
 */
import type { Direction } from '../../../../agent/model/policy.ts'
import type { Setting } from '../syntax/parser.ts'
import type { Collected, CollectedAction } from './collect.ts'
import type { Context as WholeContext } from './context.ts'

/** Nothing is looked up here. */
type Context = Pick<WholeContext, 'report'>

/**
 * Finds the direction of a rule.
 *
 * @param whole nothing of the rule was lost to a syntax error, so that what is missing really is
 * @returns `undefined` after an error
 */
export function checkDirection(rule: Collected, whole: boolean, context: Context): Direction | undefined {
  const { report } = context
  const forcing = rule.actions.find((action) => action.meaning.direction)
  const written = checkWord(rule.pattern.direction, ['in', 'out', 'both'], context)
  const property = rule.actions.find((action) => action.fields.direction)?.fields.direction
  const inProperties = checkWord(property, ['in', 'out'], context)
  if (written === 'bad' || inProperties === 'bad') return undefined
  if (forcing) return forcedDirection(forcing, rule, inProperties, context)
  const [first] = rule.actions
  if (!first) return undefined
  if (rule.actions.some((action) => action.meaning.kind === 'protect')) {
    if (written) return written
    if (rule.style !== 'old') return 'both'
  } else {
    if (written ?? inProperties) return written ?? inProperties
    if (rule.style !== 'old') {
      // A `dir` that was refused is not one that was forgotten.
      if (whole) {
        report.warning(first.word, 'dir string not found for bypass policy', {
          hint: 'It is taken to mean both directions: write `dir both`.',
        })
      }
      return 'both'
    }
  }
  if (whole) {
    report.fault(first.word, 'Requires', 'direction', {
      hint: 'Old style rules name packet ends: say in the pattern whether `dir in` or `dir out` is meant.',
    })
  }
  return undefined
}

/** `apply` is outbound and `permit` inbound, whatever the pattern says. */
function forcedDirection(
  forcing: CollectedAction,
  rule: Collected,
  inProperties: Direction | undefined,
  context: Context,
): Direction | undefined {
  const { report } = context
  const forced = forcing.meaning.direction
  const message = 'Direction in conflict with action'
  const hint = `\`${forcing.word.text}\` is about ${forced}bound traffic alone: \`ipsec\` takes a \`dir\`.`
  const other = rule.actions.find(
    (action) => action.meaning.kind === 'protect' && action.meaning.direction !== forced,
  )
  if (other) {
    report.error(other.word, message, { hint: 'Alternatives share one direction: write `ipsec` for each.' })
    return undefined
  }
  if (inProperties && inProperties !== forced) {
    report.error(
      rule.actions.find((action) => action.fields.direction)?.fields.direction?.value ?? forcing.word,
      message,
      { hint },
    )
    return undefined
  }
  const written = rule.pattern.direction?.value
  if (written && written.text !== forced) report.warning(written, `${message}: it is ignored`, { hint })
  return forced
}

function checkWord(
  setting: Setting | undefined,
  words: readonly Direction[],
  context: Context,
): Direction | 'bad' | undefined {
  if (!setting) return undefined
  const found = words.find((word) => word === setting.value.text)
  if (found) return found
  context.report.fault(setting.value, 'Bad', 'direction', {
    expected: words.map((word) => `\`${word}\``).join(' or '),
  })
  return 'bad'
}
