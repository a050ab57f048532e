/**
 * `solipsec/agent`: IPsec policy and SAs as plain values, and the session that puts them into a Linux kernel.
 *
 * @module
 * @example
 * import { appendRules, defaultAlgorithmTable as algorithms, hasErrors, Session } from 'solipsec/agent'
 * import { parsePolicy } from 'solipsec/compat'
 * import { systemResolver as resolver } from 'solipsec/netlink'
 *
 * const { rules, diagnostics } = parsePolicy(text, 'ipsecinit.conf', { algorithms, resolver })
 * if (hasErrors(diagnostics)) throw new Error(diagnostics[0].message)
 * const session = Session.open(algorithms)
 * try {
 *   session.apply(session.plan(appendRules(session.state, rules)))
 * } finally {
 *   session.close()
 * }
 */

export { createLog, type Log, type LogFields, type LogLevel } from './log/log.ts'
export * from './model/address.ts'
export * from './model/algorithm.ts'
export type * from './model/association.ts'
export { defaultAlgorithmTable } from './model/default-algorithms.ts'
export { type Diagnostic, hasErrors, type Span } from './model/diagnostic.ts'
export type * from './model/policy.ts'
export type { Resolver } from './model/resolver.ts'
export { Secret } from './model/secret.ts'
export type * from './model/socket-policy.ts'
export type * from './model/tunnel.ts'
export { AssociationError } from './reconcile/association-checks.ts'
export type { AssociationChange, AssociationPlan } from './reconcile/association-plan.ts'
export { AssociationTransaction } from './reconcile/association-transaction.ts'
export { HiddenKeysError } from './reconcile/classify.ts'
export { ApplyError } from './reconcile/engine.ts'
export { ConflictError, type Reconciliation } from './reconcile/joint-plan.ts'
export { NetfilterError } from './reconcile/netfilter.ts'
export type { InstalledPolicy, PolicyPlan } from './reconcile/plan.ts'
export type { PlannedChange, Wanted } from './reconcile/planner.ts'
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
export { Session } from './reconcile/session.ts'
export type { Step } from './reconcile/steps.ts'
export { LockedError, UntrustedFolderError } from './reconcile/store.ts'
export { RestoreError } from './reconcile/take-back.ts'
export { TunnelBlockedError, TunnelError } from './reconcile/tunnel-steps.ts'
export { type SocketService, type SocketServiceOptions, startSocketService } from './sockets/service.ts'
export { collectStatus } from './status/collect.ts'
export type { StatusEvent } from './status/events.ts'
export { type Kstat, kstatsOf } from './status/kstat.ts'
export { metricsText } from './status/metrics.ts'
export { Monitor, type MonitorOptions } from './status/monitor.ts'
export type { StatusReport } from './status/report.ts'
export type { KernelPolicy } from './translate/kernel-policy.ts'
export { MarkCapacityError } from './translate/policy-set.ts'
export { TunnelRuleError } from './translate/tunnels.ts'
