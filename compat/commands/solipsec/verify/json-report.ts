/**
 * The report for programs: a JSON document a line, of which the last is the summary.
 *
 * @module
 */

import type { Finding } from '../../../../agent/verify/tally.ts'
import { CATEGORIES, isFine } from '../../../../agent/verify/verdict.ts'
import { askedText } from '../../../../agent/verify/words.ts'
import type { Io } from '../../support/io.ts'
import type { Knowledge, Outcome, Report, Scene } from './report.ts'
import { policyJson } from './rules.ts'
import { endsOf } from './wording.ts'

export class JsonReport implements Report {
  readonly #io: Io
  readonly #knowledge: Knowledge

  constructor(knowledge: Knowledge, io: Io) {
    this.#knowledge = knowledge
    this.#io = io
  }

  begin(scene: Scene): void {
    this.#line({ event: 'begin', ...scene })
  }

  tell(finding: Finding, more: number): void {
    this.#line({ event: 'finding', more, ...this.#finding(finding) })
  }

  end({ scene, tally, unread, seconds }: Outcome): void {
    const told = CATEGORIES.filter((category) => !isFine(category))
    this.#line({
      event: 'summary',
      ...scene,
      seconds: Math.round(seconds * 1000) / 1000,
      isWrong: tally.failures > 0,
      packets: Object.fromEntries(CATEGORIES.map((category) => [category, tally.count(category)])),
      notLookedAt: unread,
      findings: told.flatMap((category) => tally.findings(category)).map((finding) => this.#finding(finding)),
      ofOtherFlows: Object.fromEntries(
        told.map((category) => [category, tally.beyond(category)] as const).filter(([, count]) => count > 0),
      ),
    })
  }

  #finding({ category, way, isPassing, ifindex, flow, seen, policy, cover, first, last, count }: Finding) {
    const rule = policy && this.#knowledge.rules.find(policy)
    const { protocol, sport, dport } = flow
    return {
      category,
      way,
      isPassing,
      device: this.#knowledge.deviceName(ifindex),
      ...endsOf(flow),
      protocol,
      sourcePort: sport,
      destinationPort: dport,
      seen,
      ...(cover && { spi: cover.spi, sequence: cover.sequence }),
      ...(policy && { asked: askedText(policy), policy: policyJson(policy) }),
      ...(rule && { rule }),
      first: first / 1000,
      last: last / 1000,
      count,
    }
  }

  #line(value: unknown): void {
    this.#io.stdout.write(`${JSON.stringify(value)}\n`)
    this.#io.stdout.flush()
  }
}
