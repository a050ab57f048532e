/**
 * `ipsecconf`, `-l` and `-L`: shows policy. Views print rules as they were loaded; listings are read from the
 * kernel and come in the order in which it matches.
 *
 * @module
 */

import type { InstalledPolicy } from '../../../agent/reconcile/plan.ts'
import { inScope, type Scope } from '../../../agent/reconcile/policy-edit.ts'
import {
  entriesOf,
  type PolicyState,
  type RuleEntry,
  shownIndex,
} from '../../../agent/reconcile/policy-state.ts'
import { Session } from '../../../agent/reconcile/session.ts'
import { positionOf, SLOTS } from '../../../agent/translate/priorities.ts'
import * as systemResolver from '../../../netlink/libc/names.ts'
import { family as af, dir } from '../../../netlink/xfrm/constants.ts'
import { formatEntry, type PrintOptions } from '../../solaris/ipsecconf/index.ts'
import { displayTable } from '../support/algorithms.ts'
import type { Io } from '../support/io.ts'
import { plainPolicy } from '../support/policy-text.ts'
import type { Request, Task } from './arguments.ts'

type Listing = Extract<Task, { kind: 'view' | 'list' | 'flush' }>

export async function list(task: Listing, request: Request, io: Io): Promise<void> {
  const algorithms = displayTable()
  const session = Session.open(algorithms)
  try {
    if (session.isUnrecorded) {
      io.stderr.write(
        'WARNING: the record of the loaded rules is lost; `ip xfrm policy` shows what is in force.\n',
      )
    }
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

/** An entry that is in force, and the kernel policies that make it so. */
interface ListedEntry {
  readonly entry: RuleEntry
  readonly policies: InstalledPolicy[]
}

/** The entries that the kernel has policies of, first matched first. */
function listedEntries(state: PolicyState, installed: InstalledPolicy[], scope: Scope): ListedEntry[] {
  const wanted = new Map<number, RuleEntry>()
  for (const loaded of state.rules) {
    if (!inScope(loaded.rule, scope)) continue
    for (const entry of entriesOf(loaded))
      wanted.set(entryKey(entry.position, entry.direction, entry.family), entry)
  }
  const found = new Map<RuleEntry, ListedEntry>()
  for (const policy of installed.sort(byMatchOrder)) {
    const position = positionOf(policy.info.priority)
    if (position === undefined || policy.info.dir === dir.FWD) continue
    const direction = policy.info.dir === dir.IN ? 'in' : 'out'
    const family = policy.info.sel.family === af.INET ? 'inet' : 'inet6'
    const entry = wanted.get(entryKey(position, direction, family))
    if (!entry) continue
    const listed = found.get(entry)
    if (listed) listed.policies.push(policy)
    else found.set(entry, { entry, policies: [policy] })
  }
  return [...found.values()].sort(byRank)
}

/** As the kernel asks them: smallest priority first, the older one on a tie. */
function byMatchOrder(a: InstalledPolicy, b: InstalledPolicy): number {
  return a.info.priority - b.info.priority || a.info.index - b.info.index
}

/** Entries of one rule and pair, which never compete, by number: outbound first, IPv4 first. */
function byRank(a: ListedEntry, b: ListedEntry): number {
  const rank = ({ policies: [first] }: ListedEntry) => Math.floor((first?.info.priority ?? 0) / SLOTS)
  return rank(a) - rank(b) || a.entry.index - b.entry.index
}

/** Positions leave room for two bits. */
function entryKey(position: number, direction: string, family: string): number {
  return 4 * position + (direction === 'in' ? 2 : 0) + (family === 'inet6' ? 1 : 0)
}

function indexText({ rule: { tunnel }, index }: RuleEntry): string {
  return tunnel ? `${tunnel.name},${index}` : String(index)
}

function entriesText(found: readonly ListedEntry[], options: PrintOptions): string {
  return found.map(({ entry }) => `#INDEX ${indexText(entry)}\n${formatEntry(entry, options)}\n`).join('')
}

function entriesJson(found: readonly ListedEntry[], options: PrintOptions): string {
  const entries = found.map(({ entry, policies }) => ({
    index: entry.index,
    ...(entry.rule.tunnel && { tunnel: entry.rule.tunnel.name }),
    direction: entry.direction,
    family: entry.family,
    entry: formatEntry(entry, options).trimEnd(),
    file: entry.rule.file,
    line: entry.rule.span.line,
    kernel: policies.map(plainPolicy),
  }))
  return `${JSON.stringify(entries, undefined, 2)}\n`
}
