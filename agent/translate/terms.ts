/**
 * What rules with the same list of actions have in common: what they accept, and the templates that say so.
 * Worked out once for each list, for a parser gives thousands of rules the same one.
 *
 * @module
 */
import type { Mark, UserTmpl } from '../../netlink/xfrm/structs.ts'
import type { Family } from '../model/address.ts'
import type { Action } from '../model/policy.ts'
import { canBeOptional } from './choice.ts'
import type { ClassTable, Combination } from './classes.ts'
import {
  type Acceptance,
  acceptanceOf,
  admissions,
  isExactWithoutMark,
  type Reqids,
  reqidsOf,
  templatesOf,
} from './combinations.ts'
import type { MarkLayout } from './marks.ts'
import { bandOf } from './priorities.ts'
import type { Tunnel } from './tunnels.ts'

/** Packets with this mark may come in if SAs that these templates name protected them. */
export interface Admission {
  readonly mark: Mark
  readonly tmpl: readonly UserTmpl[]
}

/** The meaning of one list of actions, in a tunnel or not. Its templates are shared: treat them as immutable. */
export class Terms {
  readonly tunnel: Tunnel | undefined
  readonly acceptance: Acceptance
  /** One inbound policy without a mark admits just that. */
  readonly exactWithoutMark: boolean
  /** Priority band of rules with these actions. */
  readonly band: number
  readonly #out = new PerFamily<Combination, readonly UserTmpl[]>()
  readonly #in = new PerFamily<Combination, readonly UserTmpl[]>()
  readonly #admissions = new PerFamily<MarkLayout, readonly Admission[]>()

  constructor(actions: readonly Action[], tunnel: Tunnel | undefined, classes: ClassTable) {
    this.tunnel = tunnel
    this.acceptance = acceptanceOf(actions, classes, tunnel?.endpoints)
    this.exactWithoutMark = isExactWithoutMark(this.acceptance, classes)
    this.band = bandOf(actions)
  }

  /** For an outbound policy. */
  outTemplates(combination: Combination, family: Family): readonly UserTmpl[] {
    return this.#out.get(combination, family, () => {
      const { local: source, remote: destination } = this.tunnel?.endpoints ?? {}
      const outer = source && destination && { source, destination }
      const optional = this.acceptance.clear && !outer && canBeOptional(combination)
      return templatesOf(reqidsOf(combination), family, outer, optional)
    })
  }

  /** For an inbound or forward policy. */
  inTemplates(combination: Combination, family: Family): readonly UserTmpl[] {
    return this.#in.get(combination, family, () => this.#received(reqidsOf(combination), family))
  }

  /** What marked inbound policies admit, one policy for each. */
  admissions(marks: MarkLayout, family: Family): readonly Admission[] {
    return this.#admissions.get(marks, family, () => {
      const { combinations, clear } = this.acceptance
      return admissions(clear ? [...combinations, {}] : combinations, marks).map(({ mark, reqids }) => ({
        mark,
        tmpl: this.#received(reqids, family),
      }))
    })
  }

  #received(reqids: Reqids, family: Family): readonly UserTmpl[] {
    const { local: destination, remote: source } = this.tunnel?.endpoints ?? {}
    return templatesOf(reqids, family, source && destination && { source, destination }, false)
  }
}

/** Values by key and family, each made when first asked for. */
class PerFamily<K, V> {
  readonly #known = { inet: new Map<K, V>(), inet6: new Map<K, V>() }

  get(key: K, family: Family, make: () => V): V {
    return remembered(this.#known[family], key, make)
  }
}

function remembered<K, V>(known: Map<K, V>, key: K, make: () => V): V {
  let value = known.get(key)
  if (value === undefined) {
    value = make()
    known.set(key, value)
  }
  return value
}

/** The terms of a set of rules. */
export class TermsTable {
  readonly #classes: ClassTable
  readonly #known = new Map<Tunnel | undefined, Map<readonly Action[], Terms>>()
  #last: { readonly actions: readonly Action[]; readonly terms: Terms } | undefined

  constructor(classes: ClassTable) {
    this.#classes = classes
  }

  /** The same object for the same list and tunnel. */
  get(actions: readonly Action[], tunnel: Tunnel | undefined): Terms {
    // Neighbours mostly say the same.
    if (this.#last?.actions !== actions || this.#last.terms.tunnel !== tunnel) {
      this.#last = { actions, terms: this.#find(actions, tunnel) }
    }
    return this.#last.terms
  }

  #find(actions: readonly Action[], tunnel: Tunnel | undefined): Terms {
    const known = remembered(this.#known, tunnel, () => new Map<readonly Action[], Terms>())
    return remembered(known, actions, () => new Terms(actions, tunnel, this.#classes))
  }
}
