/**
 * What rules with the same list of actions have in common: what they accept, and the templates that say so.
 * Worked out once for each list, for a parser gives thousands of rules the same one.
 *
 * @module
 */
import type { UserTmpl } from '../../netlink/xfrm/structs.ts'
import type { Family } from '../model/address.ts'
import type { Action } from '../model/policy.ts'
import { canBeOptional } from './choice.ts'
import type { ClassTable, Combination } from './classes.ts'
import {
  type Acceptance,
  type Admission,
  acceptanceOf,
  admissions,
  isExactWithoutMark,
  type OuterHeader,
  type Reqids,
  reqidsOf,
  templatesOf,
} from './combinations.ts'
import type { MarkLayout } from './marks.ts'
import { bandOf } from './priorities.ts'
import type { Tunnel } from './tunnels.ts'

/** The meaning of one list of actions, inside a tunnel or not. */
export class Terms {
  readonly tunnel: Tunnel | undefined
  readonly acceptance: Acceptance
  /** Priority band of rules with these actions. */
  readonly band: number
  /** What inbound policies admit: a tunnel's clear packets are known by its interface instead. */
  readonly admitted: Acceptance
  /** One inbound policy without a mark admits just that, see {@link isExactWithoutMark}. */
  readonly exactWithoutMark: boolean
  /** What inbound policies admit, by mark; empty where there are no mark bits. */
  readonly admissions: readonly Admission[]
  readonly #templates = new Map<string, readonly UserTmpl[]>()

  constructor(
    actions: readonly Action[],
    tunnel: Tunnel | undefined,
    classes: ClassTable,
    marks: MarkLayout | undefined,
  ) {
    this.tunnel = tunnel
    this.acceptance = acceptanceOf(actions, classes, tunnel?.endpoints)
    this.band = bandOf(actions)
    this.admitted = tunnel ? { ...this.acceptance, clear: false } : this.acceptance
    this.exactWithoutMark = isExactWithoutMark(this.admitted, classes)
    const { combinations, clear } = this.admitted
    this.admissions = marks ? admissions(clear ? [...combinations, {}] : combinations, marks) : []
  }

  /** Templates of an outbound policy. Shared between policies: treat them as immutable. */
  outTemplates(combination: Combination, family: Family): readonly UserTmpl[] {
    const { local, remote } = this.tunnel?.endpoints ?? {}
    const outer = local && remote && { source: local, destination: remote }
    const optional = this.acceptance.clear && !outer && canBeOptional(combination)
    return this.#shared(`out ${family}`, reqidsOf(combination), family, outer, optional)
  }

  /** Templates of an inbound or forward policy, as {@link outTemplates}. */
  inTemplates(reqids: Reqids, family: Family): readonly UserTmpl[] {
    const { local, remote } = this.tunnel?.endpoints ?? {}
    const outer = local && remote && { source: remote, destination: local }
    return this.#shared(`in ${family}`, reqids, family, outer, false)
  }

  #shared(
    kind: string,
    reqids: Reqids,
    family: Family,
    outer: OuterHeader | undefined,
    optional: boolean,
  ): readonly UserTmpl[] {
    const key = `${kind} ${reqids.esp ?? '-'} ${reqids.ah ?? '-'}`
    let list = this.#templates.get(key)
    if (!list) {
      list = templatesOf(reqids, family, outer, optional)
      this.#templates.set(key, list)
    }
    return list
  }
}

/** The terms of a set of rules, by list of actions. */
export class TermsTable {
  readonly #classes: ClassTable
  readonly #marks: MarkLayout | undefined
  readonly #known = new Map<Tunnel | undefined, Map<readonly Action[], Terms>>()

  constructor(classes: ClassTable, marks: MarkLayout | undefined) {
    this.#classes = classes
    this.#marks = marks
  }

  /** The same object for the same list and tunnel. */
  get(actions: readonly Action[], tunnel: Tunnel | undefined): Terms {
    let known = this.#known.get(tunnel)
    if (!known) {
      known = new Map()
      this.#known.set(tunnel, known)
    }
    let terms = known.get(actions)
    if (!terms) {
      terms = new Terms(actions, tunnel, this.#classes, this.#marks)
      known.set(actions, terms)
    }
    return terms
  }
}
