/**
 * The answer for people.
 *
 * @module
 */
import { fittingAssociations, wrappingFor } from '../../../../agent/explain/associations.ts'
import type { Drift } from '../../../../agent/explain/drift.ts'
import type { Answer, Case, Explanation } from '../../../../agent/explain/explain.ts'
import type { Lookup } from '../../../../agent/explain/kernel-answer.ts'
import type { Candidate, Consideration } from '../../../../agent/explain/order.ts'
import type { OpenPart, Packet } from '../../../../agent/explain/packet.ts'
import { type Decider, decidingRule } from '../../../../agent/explain/rules-answer.ts'
import { actionText, mismatchText, packetText, protocolText } from '../../../../agent/explain/words.ts'
import { greatest } from '../../../../agent/model/lists.ts'
import { ruleLine } from '../../../../agent/reconcile/rule-plan.ts'
import { policyLine } from '../../support/policy-text.ts'
import type { Journey } from './passage.ts'
import type { Place } from './situation.ts'
import {
  ARRIVAL_REASONS,
  EXCEPTIONS,
  fateOf,
  fateSentence,
  kernelFate,
  notesFor,
  withoutSa,
  wrappingText,
} from './wording.ts'

export interface TextOptions {
  /** All rules that were asked, however many, and every look-up. */
  readonly isVerbose: boolean
  readonly hasColour: boolean
  /** The kernel drops packets that wait for an SA: net.core.xfrm_larval_drop. */
  readonly larvalDrop: boolean
}

/** Rules that were asked in vain are counted, beyond so many. */
const MOST_ASKED = 12

const RED = '1;31'
const GREEN = '1;32'
const BOLD = '1'
const DIM = '2'

class Writer {
  readonly #options: TextOptions
  readonly #place: Place
  readonly #journey: Journey
  text = ''

  constructor(place: Place, journey: Journey, options: TextOptions) {
    this.#place = place
    this.#journey = journey
    this.#options = options
  }

  answer({ carried, main, narrower }: Answer): void {
    const { passage } = this.#journey
    if (carried && passage.tunnel) {
      this.#line(
        `What goes through ${passage.tunnel.name} is carried by its own packets, which rules are about.`,
      )
      this.#line('This is the answer for these.')
      this.#line('')
    }
    const [first, ...others] = main ? [main, ...narrower] : narrower
    if (!first) return
    this.#explanation(first, main ? main.assumed : [])
    if (others.length === 0) return
    this.#heading('But of these')
    for (const one of others) this.#brief(one)
    this.#line(this.#paint(DIM, '  Ask with protocol and ports for the whole answer.'))
  }

  /** @param open parts that stand for others */
  #explanation({ explanation }: Case, open: readonly OpenPart[]): void {
    const { packet, passage, rules } = explanation
    const where = passage.isForwarded ? `passed on, ${passage.way}` : passage.way
    const through = passage.tunnel ? `, through ${passage.tunnel.name}` : ''
    this.#line(`${packetText(packet, passage.way, open)}, ${where}${through}`)
    this.#line('')
    const { word, isGood } = fateOf(rules)
    const { algorithms } = this.#place
    this.#line(`${this.#paint(isGood ? GREEN : RED, word)}  ${fateSentence(rules, algorithms)}`.trimEnd())
    this.#decider(rules.decider)
    this.#asks(explanation)
    this.#arrivals(explanation)
    this.#considered(explanation, open)
    const lacking = withoutSa(explanation, this.#options.larvalDrop)
    if (lacking !== undefined) {
      this.#heading('Without an SA')
      this.#line(`  ${lacking}`)
    }
    this.#kernel(explanation)
  }

  #decider(decider: Decider): void {
    this.#heading('Decides')
    if (decider.kind === 'rule') {
      this.#line(`  rule ${decider.candidate.index} (${placeOf(decider.candidate)})`)
      this.#line(`  ${printable(ruleLine(decider.candidate.rule))}`)
    } else if (decider.kind === 'latched') {
      this.#line('  the policy that its connection began under (latching)')
    } else if (decider.kind === 'exception') {
      this.#line(`  ${EXCEPTIONS[decider.exception].replaceAll('\n', '\n  ')}`)
    } else this.#line('  no rule')
  }

  #asks({ packet, passage, rules: { decider, set } }: Explanation): void {
    const rule = decidingRule(decider)
    if (!rule) return
    const { algorithms, situation } = this.#place
    const tunnel = set.kind === 'tunnel' ? passage.tunnel : undefined
    const route = { way: passage.way, ...(tunnel && { tunnel }) }
    const fitting = fittingAssociations(situation.associations, packet, route)
    const { actions } = rule
    this.#heading(actions.length > 1 ? 'Asks for, the first that can be' : 'Asks for')
    for (const [i, action] of actions.entries()) {
      const number = actions.length > 1 ? `${i + 1}. ` : ''
      this.#line(`  ${number}${actionText(action, algorithms)}`)
      if (action.kind !== 'protect') continue
      const found = wrappingFor(action.protection, fitting, tunnel?.endpoints)
      const sa = found ? `SA: ${wrappingText(found, algorithms)}` : 'SA: none'
      this.#line(`  ${' '.repeat(number.length)}${found ? sa : this.#paint(RED, sa)}`)
    }
  }

  #arrivals({ rules: { arrivals } }: Explanation): void {
    if (!arrivals) return
    this.#heading('Arrives')
    const rows = arrivals.map(({ wrapping, isAccepted, why }) => ({
      how: wrappingText(wrapping, this.#place.algorithms),
      isAccepted,
      why: ARRIVAL_REASONS[why],
    }))
    for (const { how, isAccepted, why } of rows) {
      const verdict = isAccepted ? this.#paint(GREEN, 'let in') : this.#paint(RED, 'refused')
      this.#line(`  ${how}: ${verdict}, ${why}`)
    }
  }

  #considered({ rules: { considered, decider } }: Explanation, open: readonly OpenPart[]): void {
    // What always passes passes without a look at the rules, and so does what is latched.
    if (decider.kind === 'exception' || decider.kind === 'latched') return
    const { asked, winner, notAsked, inVain } = considered
    if (asked.length === 0) return
    this.#heading('Asked, in this order')
    const shown = this.#options.isVerbose ? asked : asked.slice(-MOST_ASKED)
    const hidden = asked.slice(0, asked.length - shown.length)
    if (hidden.length > 0) this.#line(`  ${summary(hidden)}`)
    const width = greatest(shown.map(({ candidate }) => String(candidate.index).length))
    for (const { candidate, match } of shown) {
      const why =
        match.kind === 'no'
          ? (open.some((part) => part === match.why.part) ? 'about some of these only: ' : '') +
            mismatchText(match.why)
          : this.#paint(BOLD, match.kind === 'yes' ? 'is about it' : 'is about some of these')
      this.#line(
        `  rule ${String(candidate.index).padStart(width)}  ${candidate.kind.padEnd(10)}  ${printable(why)}`,
      )
    }
    if (!winner || notAsked === 0) return
    this.#line(`  ${notAsked === 1 ? '1 rule stands' : `${notAsked} rules stand`} behind it, not asked`)
    if (inVain.length === 0) return
    const shownInVain = inVain.slice(0, MOST_ASKED).map(({ index, kind: its }) => `rule ${index} (${its})`)
    const rest = inVain.length > MOST_ASKED ? ` and ${inVain.length - MOST_ASKED} more` : ''
    this.#line(`  of these, about it as well: ${shownInVain.join(', ')}${rest}`)
  }

  #kernel(explanation: Explanation): void {
    const { kernel, agreement, rules, drift } = explanation
    const { situation, algorithms } = this.#place
    this.#heading(this.#place.situation.drift ? 'Kernel' : 'Kernel, were this loaded')
    if ('unknown' in situation.kernel) {
      this.#line(`  cannot be told: ${situation.kernel.unknown}`)
      return
    }
    if (agreement === 'different') {
      this.#line(`  ${this.#paint(RED, 'DIFFERENT: the kernel does not do what the rules say.')}`)
    } else this.#line(agreement === 'same' ? '  does the same' : '  does the same, nearly')
    if (kernel?.departure) {
      const { departure, lookups } = kernel.departure
      if (agreement !== 'same') this.#line(`  It ${kernelFate(departure, algorithms)}.`)
      this.#lookups(lookups)
    }
    for (const [i, answer] of (kernel?.arrivals ?? []).entries()) {
      const arrival = rules.arrivals?.[i]
      if (!arrival || (!this.#options.isVerbose && i > 1 && arrival.isAccepted === answer.isAccepted))
        continue
      const verdict = answer.isAccepted ? 'let in' : 'refused'
      this.#line(`  ${wrappingText(arrival.wrapping, algorithms)}: ${verdict}`)
      this.#lookups(answer.lookups)
    }
    for (const note of notesFor(explanation, situation)) this.#line(`  ${note}`)
    this.#route()
    this.#drift(drift, agreement === 'different')
  }

  #lookups(lookups: readonly Lookup[]): void {
    for (const { direction, policy, isOurs, isOuter, mark } of lookups) {
      const about = isOuter ? `the tunnel's own packet, ${direction}` : direction
      const marked = mark === 0 ? '' : ` with mark 0x${mark.toString(16)}`
      if (!policy) this.#line(`    ${about}${marked}: no policy`)
      else {
        const owner = isOurs ? '' : ' (of another program)'
        this.#line(
          `    ${isOuter ? `${about}: ` : ''}${policyLine(policy)}${marked && ` (packet${marked})`}${owner}`,
        )
      }
    }
  }

  #route(): void {
    const { route } = this.#journey
    if (route.kind === 'found') this.#line(`    route: by ${printable(route.route.interface)}`)
    if (route.kind === 'no route')
      this.#line(`  ${this.#paint(RED, 'NO ROUTE')}: ${route.why}; it is not sent at all`)
  }

  #drift(drift: readonly Drift[], isDifferent: boolean): void {
    for (const one of drift) {
      const line = one.kind === 'missing' ? one.wanted : one.found
      this.#line(`  ${this.#paint(RED, one.kind)}: ${policyLine(line)}`)
      if ('wanted' in one && one.kind !== 'missing') this.#line(`    should be: ${policyLine(one.wanted)}`)
    }
    if (!isDifferent) return
    this.#line(
      drift.length > 0
        ? '  help: somebody changed policies of solipsec; to load the rules again mends it (solipsec diff shows all)'
        : "  help: the policies are those of the rules; look at the SAs' reqids, and at policies of other programs",
    )
  }

  /** One line for packets that a narrower rule is about. */
  #brief({ assumed, explanation }: Case): void {
    const { packet, rules, agreement } = explanation
    const { word } = fateOf(rules)
    const by = rules.decider.kind === 'rule' ? `rule ${rules.decider.candidate.index}` : rules.decider.kind
    const wrong = agreement === 'different' ? this.#paint(RED, '  (the kernel does otherwise)') : ''
    this.#line(`  ${assumption(packet, assumed)}: ${word}, by ${by}${wrong}`)
  }

  #heading(text: string): void {
    this.#line('')
    this.#line(this.#paint(BOLD, text))
  }

  #line(text: string): void {
    this.text += `${text}\n`
  }

  #paint(codes: string, text: string): string {
    return this.#options.hasColour ? `\x1b[${codes}m${text}\x1b[0m` : text
  }
}

/** The whole answer as text. */
export function answerText(answer: Answer, place: Place, journey: Journey, options: TextOptions): string {
  const writer = new Writer(place, journey, options)
  writer.answer(answer)
  return writer.text
}

function placeOf({ rule: { file, span } }: Candidate): string {
  return printable(`${file}:${span.line}`)
}

/** Rules that were asked in vain, by the reason. */
function summary(hidden: readonly Consideration[]): string {
  const reasons = new Map<string, number>()
  for (const { match } of hidden) {
    const reason = match.kind === 'no' ? (REASONS[match.why.part] ?? match.why.part) : 'about some of these'
    reasons.set(reason, (reasons.get(reason) ?? 0) + 1)
  }
  const counts = [...reasons].map(([reason, count]) => `${count} ${reason}`)
  return `${hidden.length} rules in vain: ${counts.join(', ')} (-v shows them)`
}

const REASONS: Readonly<Record<string, string>> = {
  direction: 'for the other direction',
  local: 'of another local address',
  remote: 'of another remote address',
  protocol: 'of another protocol',
  ports: 'for protocols with ports',
  localPort: 'of another local port',
  remotePort: 'of another remote port',
  type: 'of another ICMP type',
  code: 'of another ICMP code',
}

const PART_NAMES: Readonly<Record<OpenPart, string>> = {
  protocol: '',
  localPort: 'local port',
  remotePort: 'remote port',
  type: 'type',
  code: 'code',
}

/** `TCP, local port 22`: only what was assumed, and is no stand-in. */
function assumption(packet: Packet, assumed: readonly OpenPart[]): string {
  const words = assumed.flatMap((part) => {
    if (part === 'protocol') return [protocolText(packet.protocol)]
    const value = packet[part]
    return value >= 49152 ? [] : [`${PART_NAMES[part]} ${value}`]
  })
  return words.join(', ')
}

/** Names of files and interfaces, and texts of rules, are others' to choose. */
function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cs}\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu, '\ufffd')
}
