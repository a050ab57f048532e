/**
 * `ipsecconf -a`, `-Fa` and `-r`: rules of a file into or out of the kernel.
 *
 * @module
 */
import { protocolsOf, type Rule } from '../../../agent/model/policy.ts'
import { appendRules, notLoaded, removeMatching, replaceRules } from '../../../agent/reconcile/policy-edit.ts'
import type { PolicyState } from '../../../agent/reconcile/policy-state.ts'
import { Session } from '../../../agent/reconcile/session.ts'
import { findDuplicates, withoutEntries } from '../../solaris/ipsecconf/index.ts'
import { algorithmTable } from '../support/algorithms.ts'
import { announceDataPath } from '../support/data-path-option.ts'
import { CommandError } from '../support/exit.ts'
import type { Io } from '../support/io.ts'
import { report } from '../support/report.ts'
import type { Request } from './arguments.ts'
import { applyOrShow } from './change.ts'
import { withMarks } from './marks.ts'
import { checkPolicy, readPolicyText, stopOnErrors } from './read-policy.ts'
import { requireRecord } from './record.ts'

/**
 * @param kind how the rules of the file meet those that are loaded
 * @param all with `replace`: the tunnels' rules go as well, not only the host's
 */
export async function changeByFile(
  kind: 'add' | 'replace' | 'remove',
  file: string,
  all: boolean,
  request: Request,
  io: Io,
): Promise<void> {
  const text = await readPolicyText(file, io)
  if (!text) return
  const algorithms = await algorithmTable(io)
  const { rules, diagnostics } = checkPolicy(
    text,
    algorithms,
    kind === 'remove' ? undefined : request.dataPath,
  )
  await report(request.quiet ? diagnostics.filter(({ severity }) => severity === 'error') : diagnostics, io)
  stopOnErrors(diagnostics)
  if (rules.length === 0 && kind !== 'replace') {
    io.stdout.write('Policy file does not contain any valid rules.\n')
    return
  }
  const needs = kind === 'remove' || request.dryRun ? [] : protocolsOf(rules)
  const session = Session.open(algorithms, { choice: request.dataPath, needs })
  try {
    announceDataPath(session.dataPath, io)
    if (kind !== 'replace' || !all) requireRecord(session)
    const state = withMarks(session, request, io)
    const next = edit(kind, state, rules, all, request, io)
    await applyOrShow(session, next, request, io)
    if (io.service && !request.dryRun) {
      io.stdout.write(`${rules.length} policy rules ${kind === 'remove' ? 'removed' : 'added'}.\n`)
    }
  } finally {
    session.close()
  }
}

function edit(
  kind: 'add' | 'replace' | 'remove',
  state: PolicyState,
  rules: readonly Rule[],
  all: boolean,
  request: Request,
  io: Io,
): PolicyState {
  if (kind === 'remove') return without(state, rules)
  if (kind === 'replace') return replaceRules(state, rules, { kind: all ? 'all' : 'host' })
  const loaded = state.rules.map(({ rule }) => rule)
  return appendRules(state, loaded.length === 0 ? rules : withoutLoaded(rules, loaded, request, io))
}

/** Takes rules out, all or none: one that is not loaded is a mistake in the file. */
function without(state: PolicyState, rules: readonly Rule[]): PolicyState {
  const strangers = notLoaded(state, rules)
  if (strangers.length > 0) {
    const lines = strangers.map(
      ({ file, span, text }) => `${file}:${span.line}: this rule is not loaded:\n  ${text}`,
    )
    throw new CommandError(
      [...lines, 'help: ipsecconf without options shows what is loaded; -d removes by index'].join('\n'),
    )
  }
  return removeMatching(state, rules)
}

/** Leaves out what is loaded already; refuses what contradicts it. */
function withoutLoaded(rules: readonly Rule[], loaded: readonly Rule[], request: Request, io: Io): Rule[] {
  const duplicates = findDuplicates(rules, loaded)
  const conflicts = duplicates.filter(({ conflict }) => conflict)
  if (conflicts.length > 0) {
    const lines = conflicts.map(
      ({ entry: { rule }, earlier }) =>
        `${rule.file}:${rule.span.line}: a loaded rule says otherwise about the same packets:\n  ${earlier.text}`,
    )
    const hint = 'help: load the whole policy anew with -Fa, or remove the loaded rule first (-d, -r)'
    throw new CommandError([...new Set(lines), hint].join('\n'))
  }
  return rules.flatMap((rule) => {
    const entries = duplicates.filter(({ entry }) => entry.rule === rule).map(({ entry }) => entry)
    if (entries.length > 0 && !request.quiet) {
      io.stderr.write(`Duplicate policy entry (ignored):\n${rule.text}\n`)
    }
    return withoutEntries(rule, entries)
  })
}
