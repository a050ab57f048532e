/**
 * `ipsecconf`, `-l` and `-L`: shows policy. Views print rules as they were loaded; listings are read from the
 * kernel and come in the order in which it matches.
 *
 * @module
 */
import { type EntryPolicies, policiesOfEntries } from '../../../agent/reconcile/entry-policies.ts'
import { plainPolicy } from '../../../agent/reconcile/plain-policy.ts'
import type { InstalledPolicy } from '../../../agent/reconcile/plan.ts'
import { inScope, type Scope } from '../../../agent/reconcile/policy-edit.ts'
import { type PolicyState, type RuleEntry, shownIndex } from '../../../agent/reconcile/policy-state.ts'
import { Session } from '../../../agent/reconcile/session.ts'
import { SLOTS } from '../../../agent/translate/priorities.ts'
import * as systemResolver from '../../../netlink/libc/names.ts'
import { dir } from '../../../netlink/xfrm/constants.ts'
import { formatEntry, type PrintOptions } from '../../solaris/ipsecconf/index.ts'
import { displayTable } from '../support/algorithms.ts'
import { announceDataPath } from '../support/data-path-option.ts'
import type { Io } from '../support/io.ts'
import type { Request, Task } from './arguments.ts'

type Listing = Extract<Task, { kind: 'view' | 'list' | 'flush' }>

export async function list(task: Listing, request: Request, io: Io): Promise<void> {
  const algorithms = displayTable()
  const session = Session.open(algorithms, { choice: request.dataPath, needs: [] })
  try {
    announceDataPath(session.dataPath, io)
    if (session.isUnrecorded) {
      io.stderr.write(
        'WARNING: the record of the loaded rules is lost; `ip xfrm policy` shows what is in force.\n',
      )
    }
    // A comment, like the index lines: what is listed can be read in again.
    if (session.dataPath.kind === 'software' && !request.json) io.stdout.write('#DATAPATH software\n')
    const options = request.numeric ? { algorithms } : { algorithms, resolver: systemResolver }
    if (task.kind === 'view') io.stdout.write(request.json ? viewJson(session.state) : view(session.state))
    else {
      const found = listedEntries(session.state, session.policies(), scopeOf(task))
      io.stdout.write(request.json ? entriesJson(found, options) : entriesText(found, options))
    }
  } finally {
    session.close()
  }
}

function scopeOf({ all, tunnel }: Extract<Listing, { all: boolean }>): Scope {
  if (all) return { kind: 'all' }
  return tunnel === undefined ? { kind: 'host' } : { kind: 'tunnel', name: tunnel }
}

function view(state: PolicyState): string {
  return state.rules.map((loaded) => `#INDEX ${shownIndex(loaded)} \n${loaded.rule.text}\n\n`).join('')
}

function viewJson(state: PolicyState): string {
  const rules = state.rules.map((loaded) => ({
    index: shownIndex(loaded),
    file: loaded.rule.file,
    line: loaded.rule.span.line,
    text: loaded.rule.text,
  }))
  return `${JSON.stringify(rules, undefined, 2)}\n`
}

/** The entries that the kernel has policies of, first matched first. */
function listedEntries(
  { rules }: PolicyState,
  installed: readonly InstalledPolicy[],
  scope: Scope,
): EntryPolicies[] {
  const shown = rules.filter(({ rule }) => inScope(rule, scope))
  const notPassedOn = installed.filter(({ info }) => info.dir !== dir.FWD)
  return policiesOfEntries(shown, notPassedOn)
    .filter(({ policies }) => policies.length > 0)
    .sort(byRank)
}

/** Entries of one rule and pair, which never compete, by number: outbound first, IPv4 first. */
function byRank(a: EntryPolicies, b: EntryPolicies): number {
  return rankOf(a) - rankOf(b) || a.entry.index - b.entry.index
}

/** All policies of an entry stand in the slots of one position. */
function rankOf({ policies: [first] }: EntryPolicies): number {
  return Math.floor((first?.info.priority ?? 0) / SLOTS)
}

/** As the kernel asks them: smallest priority first, the older one on a tie. */
function byMatchOrder(a: InstalledPolicy, b: InstalledPolicy): number {
  return a.info.priority - b.info.priority || a.info.index - b.info.index
}

function indexText({ rule: { tunnel }, index }: RuleEntry): string {
  return tunnel ? `${tunnel.name},${index}` : String(index)
}

function entriesText(found: readonly EntryPolicies[], options: PrintOptions): string {
  return found.map(({ entry }) => `#INDEX ${indexText(entry)}\n${formatEntry(entry, options)}\n`).join('')
}

function entriesJson(found: readonly EntryPolicies[], options: PrintOptions): string {
  const entries = found.map(({ entry, policies }) => ({
    index: entry.index,
    ...(entry.rule.tunnel && { tunnel: entry.rule.tunnel.name }),
    direction: entry.direction,
    family: entry.family,
    entry: formatEntry(entry, options).trimEnd(),
    file: entry.rule.file,
    line: entry.rule.span.line,
    kernel: policies.sort(byMatchOrder).map(plainPolicy),
  }))
  return `${JSON.stringify(entries, undefined, 2)}\n`
}
