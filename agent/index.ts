/**
 * `solipsec/agent`: IPsec policy and SAs as plain values, and the session that puts them into a Linux kernel.
 *
 * @module
 * @example
 * import { appendRules, defaultAlgorithmTable, Session } from 'solipsec/agent'
 * import { parsePolicy } from 'solipsec/compat'
 *
 * const session = Session.open(defaultAlgorithmTable)
 * session.apply(session.plan(appendRules(session.state, rules)))
 * session.close()
 */
export * from './model/address.ts'
export * from './model/algorithm.ts'
export type * from './model/association.ts'
export { defaultAlgorithmTable } from './model/default-algorithms.ts'
export { type Diagnostic, hasErrors, type Span } from './model/diagnostic.ts'
export type * from './model/policy.ts'
export type { Resolver } from './model/resolver.ts'
export { Secret } from './model/secret.ts'
export { AssociationError, AssociationTransaction } from './reconcile/association-transaction.ts'
export { ApplyError, ConflictError, type Reconciliation } from './reconcile/engine.ts'
export {
  appendRules,
  findByIndex,
  flushRules,
  removeMatching,
  removeRule,
  replaceRules,
  type Scope,
} from './reconcile/policy-edit.ts'
export type { LoadedRule, PolicyState } from './reconcile/policy-state.ts'
export { type PlannedChange, Session } from './reconcile/session.ts'
