/**
 * The report for people: what is wrong on standard output, what is looked at on standard error.
 *
 * @module
 */

import type { Finding, Tally } from '../../../../agent/verify/tally.ts'
import { CATEGORIES, isFine, WARNINGS } from '../../../../agent/verify/verdict.ts'
import { askedText } from '../../../../agent/verify/words.ts'
import type { Io } from '../../support/io.ts'
import type { Request } from './arguments.ts'
import type { Knowledge, Outcome, Report, Scene } from './report.ts'
import { policyText } from './rules.ts'
import { clockText, flowText, LABELS, packets, TITLES } from './wording.ts'

/** Flows that are shown in the end, the worst first. */
const MOST_PARAGRAPHS = 100

export class TextReport implements Report {
  readonly #io: Io
  readonly #request: Request
  readonly #knowledge: Knowledge

  constructor(request: Request, knowledge: Knowledge, io: Io) {
    this.#request = request
    this.#knowledge = knowledge
    this.#io = io
  }

  begin(scene: Scene): void {
    const { seconds, percent } = this.#request
    const time = Number.isFinite(seconds) ? ` for ${seconds} ${seconds === 1 ? 'second' : 'seconds'}` : ''
    const budget = percent === undefined ? '' : `, with ${percent}% of a processor`
    const { policies, associations, dataPath } = scene
    const sas = associations === 1 ? '1 SA' : `${associations} SAs`
    const loaded = `${policies === 1 ? '1 policy' : `${policies} policies`} and ${sas}, on the ${dataPath} data path`
    this.#io.stderr.write(`Looking at ${list(scene.devices)}${time}${budget}: ${loaded}\n`)
    if (policies === 0) {
      this.#io.stderr.write('NOTE: no policy is loaded, so nothing has to be protected\n')
    }
  }

  tell(finding: Finding, more: number): void {
    if (!this.#request.isContinuous) return
    const { category, seen, policy, last } = finding
    const rule = policy && this.#knowledge.rules.find(policy)
    const asked = policy ? `; asked: ${askedText(policy)}${rule ? ` (rule ${rule.index})` : ''}` : ''
    const rest = more > 1 || finding.count > more ? `: ${more} more` : `: ${seen}${asked}`
    this.#io.stdout.write(`${clockText(last)} ${TITLES[category]} ${this.#where(finding)}${rest}\n`)
    this.#io.stdout.flush()
  }

  end(outcome: Outcome): void {
    const { tally, unread } = outcome
    const told = CATEGORIES.toReversed().filter((category) => !isFine(category))
    let room = MOST_PARAGRAPHS
    for (const category of told) {
      const findings = tally.findings(category)
      const shown = findings.slice(0, room)
      room -= shown.length
      for (const finding of shown) this.#io.stdout.write(`${this.#paragraph(finding)}\n`)
      const rest = tally.count(category) - shown.reduce((sum, { count }) => sum + count, 0)
      if (rest > 0) this.#io.stdout.write(`${TITLES[category]}  and ${packets(rest)} of other flows\n\n`)
    }
    const counts = table(tally, unread)
    this.#io.stdout.write(`${counts === '' ? '' : `${counts}\n`}${conclusion(outcome)}\n`)
  }

  #where({ way, isPassing, ifindex, flow }: Finding): string {
    const through = `${way} by ${this.#knowledge.deviceName(ifindex)}`
    return `${flowText(flow)}, ${through}${isPassing ? ', passed on' : ''}`
  }

  #paragraph(finding: Finding): string {
    const { category, seen, policy, first, last, count } = finding
    const lines = [`${TITLES[category]}  ${this.#where(finding)}`, `  seen:   ${seen}`]
    if (policy) {
      lines.push(`  asked:  ${askedText(policy)}`)
      const rule = this.#knowledge.rules.find(policy)
      if (rule) lines.push(`  by:     rule ${rule.index} (${rule.file}:${rule.line}) ${rule.text}`)
      else lines.push(`  by:     policy ${policyText(policy)}`)
    }
    const time = count === 1 ? `at ${clockText(first)}` : `${clockText(first)} to ${clockText(last)}`
    return `${[...lines, `  ${packets(count)}, ${time}`].join('\n')}\n`
  }
}

/** Counts, without those that are nothing; empty where all are. */
function table(tally: Tally, unread: number): string {
  const rows = CATEGORIES.map((category) => ({ count: tally.count(category), label: LABELS[category] }))
  const unreadRow = { count: unread, label: 'NOT LOOKED AT: too many at once' }
  const shown = [...rows, unreadRow].filter(({ count }) => count > 0)
  if (shown.length === 0) return ''
  const width = Math.max(7, ...shown.map(({ count }) => String(count).length))
  const lines = shown.map(({ count, label }) => `${String(count).padStart(width)}  ${label}\n`)
  return `${'PACKETS'.padStart(width)}\n${lines.join('')}`
}

function conclusion({ tally, unread, scene }: Outcome): string {
  const { total, failures } = tally
  const rest = unread > 0 ? ` Not looked at: ${packets(unread)}.` : ''
  if (total === 0) return `No packet was seen on ${list(scene.devices)}.${rest}`
  const leaks = tally.count('leak')
  if (failures > 0) {
    const what = leaks > 0 ? ` Leaked: ${packets(leaks)}.` : ''
    return `WRONG: ${failures} of ${packets(total)}.${what}${rest}`
  }
  const warnings = [...WARNINGS].reduce((sum, category) => sum + tally.count(category), 0)
  const seen = unread === 0 ? '' : total === 1 ? ' that was looked at' : ' that were looked at'
  if (warnings > 0)
    return `Nothing wrong went out, but see above: ${warnings} of ${packets(total)}${seen}.${rest}`
  return `Right: ${packets(total)}${seen}, ${total === 1 ? '' : 'all '}as policy asks.${rest}`
}

function list(names: readonly string[]): string {
  return names.length === 0 ? 'no interface' : names.join(', ')
}
