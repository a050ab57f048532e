/**
 * Who talks to whom: rules joined to lanes between this host and others, few enough to be drawn. Pure.
 *
 * @module
 */
import { greatest } from '../model/lists.ts'
import type { PictureReport, ReportRule, Style } from './report.ts'
import { STYLES } from './report.ts'

/** What is drawn as one line: rules about the same ends that ask for the same. */
export interface Lane {
  readonly style: Style
  readonly direction: 'in' | 'out' | 'both'
  /** This host's end; empty: every address of it. */
  readonly local: string
  readonly actions: readonly string[]
  /** Which packets, in words, one for each rule; `all packets` where a rule says nothing of them. */
  readonly packets: readonly string[]
  /** Index numbers of the rules. */
  readonly rules: readonly number[]
  /** SAs that there are for it; absent where none are asked for. */
  readonly associations?: number
  /** Rules that are asked before and leave nothing for this one. */
  readonly hiddenBy: readonly number[]
}

/** Others that this host talks to, with the same lanes for all of them. */
export interface Node {
  /** Addresses and networks; a tunnel's own ends where its packets are meant. */
  readonly remotes: readonly string[]
  /** How many more there are than are named. */
  readonly more: number
  readonly tunnel?: { readonly name: string; readonly mode: 'tunnel' | 'transport' }
  readonly lanes: readonly Lane[]
}

export interface Graph {
  readonly nodes: readonly Node[]
  /** Rules that did not get lanes of their own, for there are too many. */
  readonly folded: number
}

/** More lanes than that nobody looks at: the rest is drawn as one for each style. */
export const MOST_LANES = 36
/** More than that, and what differs in ports only is drawn as one. */
const MOST_FINE_LANES = 20
const MOST_REMOTES = 5
const MOST_PACKETS = 3

export function graphOf({ rules }: PictureReport): Graph {
  const fine = nodesOf(rules, false)
  const nodes = countLanes(fine) > MOST_FINE_LANES ? nodesOf(rules, true) : fine
  return folded(nodes.sort(byPlace))
}

function countLanes(nodes: readonly Node[]): number {
  return nodes.reduce((sum, { lanes }) => sum + lanes.length, 0)
}

/** @param isCoarse others whose packets differ only in protocols and ports count as alike */
function nodesOf(rules: readonly ReportRule[], isCoarse: boolean): Node[] {
  const byRemote = groupBy(
    rules,
    (rule) => `${rule.tunnel?.name ?? ''}\n${rule.tunnel?.mode ?? ''}\n${rule.remote}`,
  )
  const alike = groupBy(byRemote, ({ rules: own }) => {
    const { name = '', mode = '' } = own[0]?.tunnel ?? {}
    const first = isAny(own[0]?.remote ?? '') ? own[0]?.remote : ''
    return [name, mode, first, ...lanesOf(own, isCoarse).map((lane) => meaningOf(lane, isCoarse))].join('\n')
  })
  return alike.map(({ rules: members }) =>
    nodeOf(
      members.map((one) => one.rules),
      isCoarse,
    ),
  )
}

function groupBy<T>(items: readonly T[], keyOf: (item: T) => string): { key: string; rules: T[] }[] {
  const groups = new Map<string, { key: string; rules: T[] }>()
  for (const item of items) {
    const key = keyOf(item)
    const group = groups.get(key)
    if (group) group.rules.push(item)
    else groups.set(key, { key, rules: [item] })
  }
  return [...groups.values()]
}

/** @param members rules of several others, whose lanes are alike */
function nodeOf(members: readonly (readonly ReportRule[])[], isCoarse: boolean): Node {
  const remotes = members.flatMap(([one]) => one?.remote ?? [])
  const tunnel = members[0]?.[0]?.tunnel
  const all = members.map((rules) => lanesOf(rules, isCoarse))
  return {
    remotes: remotes.slice(0, MOST_REMOTES),
    more: Math.max(0, remotes.length - MOST_REMOTES),
    ...(tunnel && { tunnel }),
    lanes: (all[0] ?? []).map((lane, i) => {
      const alike = all.flatMap((lanes) => lanes[i] ?? [])
      return {
        ...lane,
        packets: few([...new Set(alike.flatMap(({ packets }) => packets))]),
        rules: alike.flatMap(({ rules }) => rules),
        ...counted(alike.flatMap(({ associations }) => associations ?? [])),
      }
    }),
  }
}

function few(packets: readonly string[]): readonly string[] {
  if (packets.length <= MOST_PACKETS) return packets
  return [...packets.slice(0, MOST_PACKETS - 1), `${packets.length - MOST_PACKETS + 1} more kinds`]
}

function lanesOf(rules: readonly ReportRule[], isCoarse: boolean): Lane[] {
  const groups = groupBy(rules, ({ style, direction, local, hiddenBy = '', actions }) =>
    [style, direction, ...(isCoarse ? [] : [local, hiddenBy]), ...actions].join('\n'),
  )
  return groups.map(({ rules: own }) => {
    const [first] = own as [ReportRule, ...ReportRule[]]
    const { style, direction, local, actions } = first
    const isSameEnd = own.every((one) => one.local === local)
    const isHidden = own.every(({ hiddenBy }) => hiddenBy !== undefined)
    return {
      style,
      direction,
      local: isAny(local) || !isSameEnd ? '' : local,
      actions,
      packets: [...new Set(own.map(({ upper }) => upper || 'all packets'))],
      rules: [...new Set(own.map(({ index }) => index))],
      ...counted(own.flatMap(({ associations }) => associations ?? [])),
      hiddenBy: isHidden ? [...new Set(own.flatMap(({ hiddenBy }) => hiddenBy ?? []))] : [],
    }
  })
}

/** Rules of one lane are about the same ends, so their SAs are the same: the most that one of them has. */
function counted(counts: readonly number[]): Pick<Lane, 'associations'> {
  return counts.length === 0 ? {} : { associations: greatest(counts) }
}

function meaningOf(
  { style, direction, local, actions, packets, associations, hiddenBy }: Lane,
  isCoarse: boolean,
): string {
  // That one network has SAs and another has none is worth a line of its own.
  const state = associations === undefined ? '' : String(associations > 0)
  const rest = isCoarse ? [] : [local, ...packets, String(hiddenBy.length > 0)]
  return [style, direction, state, ...rest, ...actions].join('\t')
}

export function isAny(end: string): boolean {
  return end === 'any' || end === '0.0.0.0/0' || end === '::/0'
}

/** Single hosts and networks first, then everybody, then what goes through tunnels. */
function byPlace(a: Node, b: Node): number {
  return rankOf(a) - rankOf(b)
}

function rankOf({ tunnel, remotes: [remote = ''] }: Node): number {
  if (tunnel) return 2
  return isAny(remote) ? 1 : 0
}

/** Joins what there is no room for. Tunnels are kept apart as long as there are few. */
function folded(nodes: readonly Node[]): Graph {
  const shown: Node[] = []
  const rest: Node[] = []
  let lanes = 0
  for (const node of nodes) {
    lanes += node.lanes.length
    if (lanes <= MOST_LANES || shown.length === 0) shown.push(cut(node))
    else rest.push(node)
  }
  if (rest.length === 0) return { nodes: shown, folded: 0 }
  const all = rest.flatMap((node) => node.lanes)
  const summary = STYLES.flatMap((style): Lane[] => {
    const own = all.filter((lane) => lane.style === style)
    if (own.length === 0) return []
    const directions = new Set(own.map(({ direction }) => direction))
    const [only] = directions
    return [
      {
        style,
        direction: directions.size === 1 && only ? only : 'both',
        local: '',
        actions: [],
        packets: [],
        rules: own.flatMap(({ rules }) => rules),
        hiddenBy: [],
      },
    ]
  })
  const count = rest.reduce((sum, { remotes, more }) => sum + remotes.length + more, 0)
  const others: Node = { remotes: [], more: count, lanes: summary }
  return { nodes: [...shown, others], folded: summary.reduce((sum, { rules }) => sum + rules.length, 0) }
}

/** One node alone can have too many lanes as well. */
function cut(node: Node): Node {
  if (node.lanes.length <= MOST_LANES) return node
  const kept = node.lanes.slice(0, MOST_LANES - 1)
  const rest = node.lanes.slice(MOST_LANES - 1)
  const [first] = rest
  if (!first) return node
  const styles = new Set(rest.map(({ style }) => style))
  const lane: Lane = {
    style: styles.size === 1 ? first.style : 'lenient',
    direction: 'both',
    local: '',
    actions: styles.size === 1 ? [] : ['several kinds of protection'],
    packets: [`${rest.length} more kinds of packets`],
    rules: rest.flatMap(({ rules }) => rules),
    hiddenBy: [],
  }
  return { ...node, lanes: [...kept, lane] }
}
