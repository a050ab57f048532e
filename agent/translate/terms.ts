/**
 * What rules with the same list of actions have in common: what they accept, and the templates that say so.
 * Worked out once for each list, for a parser gives thousands of rules the same one.
 *
 * @module
 */
import type { UserTmpl } from '../../netlink/xfrm/structs.ts'
import type { Family } from '../model/address.ts'
import type { Action } from '../model/policy.ts'
import type { ClassTable, Combination } from './classes.ts'
import {
  type Acceptance,
  acceptanceOf,
  isExactWithoutMark,
  type OuterHeader,
  templatesOf,
} from './combinations.ts'
import { bandOf } from './priorities.ts'
import type { Tunnel } from './tunnels.ts'

/** The meaning of one list of actions, inside a tunnel or not. */
export class Terms {
  readonly tunnel: Tunnel | undefined
  readonly acceptance: Acceptance
  /** What the inbound policies have to admit: a tunnel's clear packets are known by its interface instead. */
  readonly admitted: Acceptance
  /** Priority band of rules with these actions. */
  readonly band: number
  /** One inbound policy without a mark admits just that, see {@link isExactWithoutMark}. */
  readonly exactWithoutMark: boolean
  readonly #templates = { out: new TemplateLists(), in: new TemplateLists() }

  constructor(actions: readonly Action[], tunnel: Tunnel | undefined, classes: ClassTable) {
    this.tunnel = tunnel
    this.acceptance = acceptanceOf(actions, classes, tunnel?.endpoints)
    this.band = bandOf(actions)
    this.admitted = tunnel ? { ...this.acceptance, clear: false } : this.acceptance
    this.exactWithoutMark = isExactWithoutMark(this.admitted, classes)
  }

  /** Templates of an outbound policy. Shared between policies: treat them as immutable. */
  outTemplates(combination: Combination, family: Family): readonly UserTmpl[] {
    return this.#templates.out.get(combination, family, () => {
      const outer = this.tunnel && outerHeader(this.tunnel.endpoints.local, this.tunnel.endpoints.remote)
      return templatesOf(combination, family, outer, this.acceptance.clear)
    })
  }

  /** Templates of an inbound or forward policy, as {@link outTemplates}. */
  inTemplates(combination: Combination, family: Family): readonly UserTmpl[] {
    return this.#templates.in.get(combination, family, () => {
      const outer = this.tunnel && outerHeader(this.tunnel.endpoints.remote, this.tunnel.endpoints.local)
      return templatesOf(combination, family, outer, false)
    })
  }
}

function outerHeader(source: OuterHeader['source'], destination: OuterHeader['destination']): OuterHeader {
  return { source, destination }
}

class TemplateLists {
  readonly #lists = { inet: new Map<Combination, UserTmpl[]>(), inet6: new Map<Combination, UserTmpl[]>() }

  get(combination: Combination, family: Family, make: () => UserTmpl[]): readonly UserTmpl[] {
    const lists = this.#lists[family]
    let list = lists.get(combination)
    if (!list) {
      list = make()
      lists.set(combination, list)
    }
    return list
  }
}

/** The terms of a set of rules, by list of actions. */
export class TermsTable {
  readonly #classes: ClassTable
  readonly #known = new Map<Tunnel | undefined, Map<readonly Action[], Terms>>()

  constructor(classes: ClassTable) {
    this.#classes = classes
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
      terms = new Terms(actions, tunnel, this.#classes)
      known.set(actions, terms)
    }
    return terms
  }
}
