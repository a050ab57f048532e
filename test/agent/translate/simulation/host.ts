/**
 * A Linux host with our policies and SAs, put together by the code under test.
 *
 * @module
 */

import type { SecurityAssociation } from '../../../../agent/model/association.ts'
import { defaultAlgorithmTable } from '../../../../agent/model/default-algorithms.ts'
import type { Rule } from '../../../../agent/model/policy.ts'
import { outboundAssociations } from '../../../../agent/reconcile/classify.ts'
import { newState } from '../../../../agent/translate/associations.ts'
import type { ClassTable } from '../../../../agent/translate/classes.ts'
import type { ClearMessages } from '../../../../agent/translate/frame.ts'
import type { KernelPolicy } from '../../../../agent/translate/kernel-policy.ts'
import { DEFAULT_MARK_MASK, type MarkLayout, markLayout } from '../../../../agent/translate/marks.ts'
import type { PlacedRule } from '../../../../agent/translate/policies.ts'
import { classesOf, type HostFacts, translatePolicySet } from '../../../../agent/translate/policy-set.ts'
import { readState } from '../../../../agent/translate/read-association.ts'
import { localAddresses } from './arbitrary.ts'
import type { Wrapping } from './packet.ts'
import type { State } from './xfrm.ts'

/** A host with rules and SAs, as the kernel has them. */
export interface Host {
  readonly policies: readonly KernelPolicy[]
  readonly marks: MarkLayout | undefined
  stateOf(sa: SecurityAssociation): State
}

export interface HostOptions {
  /** SAs to send with, which the choice among alternatives looks at. */
  readonly outbound?: readonly SecurityAssociation[]
  readonly markMask?: number
  readonly forwarding?: boolean
  readonly clearMessages?: ClearMessages
}

/** The rules in order, each address pair at a position of its own. */
export function inOrder(rules: readonly Rule[]): PlacedRule[] {
  let position = 0
  return rules.flatMap((rule) => rule.selector.pairs.map((pair) => ({ rule, pair, position: ++position })))
}

export function makeHost(
  placed: readonly PlacedRule[],
  { outbound = [], markMask = DEFAULT_MARK_MASK, forwarding = false, clearMessages }: HostOptions = {},
): Host {
  const marks = markLayout(markMask)
  const algorithms = defaultAlgorithmTable
  const facts: HostFacts = {
    algorithms,
    marks,
    forwarding,
    localAddresses,
    tunnels: new Map(),
    guardsOwnAddresses: false,
    ...(clearMessages && { clearMessages }),
  }
  const classes = classesOf(new Set(placed.map(({ rule }) => rule)), facts)
  const stateOf = (sa: SecurityAssociation) => classified(sa, classes, marks)
  const states = outbound.map(stateOf).flatMap((state) => readState(state) ?? [])
  const peers = outboundAssociations(states, classes, { notes: new Map(), localAddresses })
  return { policies: translatePolicySet(placed, classes, peers, facts), marks, stateOf }
}

/** As an SA is installed: its class is found by what the kernel would dump of it. */
function classified(sa: SecurityAssociation, classes: ClassTable, marks: MarkLayout | undefined): State {
  const bare = newState(sa, { protectionClass: undefined, marks: undefined, outboundOnly: false })
  const content = readState(bare)?.content
  const outboundOnly = localAddresses.some((own) => own.bytes.join() === sa.source.bytes.join())
  return newState(sa, { protectionClass: content && classes.classOf(content), marks, outboundOnly })
}

/** Every way in which these SAs can be around one packet, clear text included. */
export function wrappings(associations: readonly SecurityAssociation[]): Wrapping[] {
  const esps = [undefined, ...associations.filter(({ protocol }) => protocol === 'esp')]
  const ahs = [undefined, ...associations.filter(({ protocol }) => protocol === 'ah')]
  return esps.flatMap((esp) => ahs.map((ah): Wrapping => ({ ...(esp && { esp }), ...(ah && { ah }) })))
}
