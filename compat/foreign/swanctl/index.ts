/**
 * Rules as a `swanctl.conf`: strongSwan negotiates by IKE what ipseckey would be given by hand.
 *
 * @module
 */
import { formatPrefix } from '../../../agent/model/address.ts'
import { remarkOnRoutes, TunnelsByAddress } from '../by-address.ts'
import type { ForeignHost, ForeignInput, ForeignText } from '../input.ts'
import { oneLine, type Unsaid, unsaidAssociation, unsaidRule } from '../unsaid.ts'
import { type Child, childrenOf, type Traffic } from './children.ts'
import { inOrder, type PlacedChild, type RankedRule } from './order.ts'

/** What `swanctl --load-conns` reads. */
export function toSwanctl(
  { rules, associations, algorithms }: ForeignInput,
  { tunnels, forwards }: ForeignHost,
): ForeignText {
  const unsaid: Unsaid[] = associations.map((one) =>
    unsaidAssociation(one, 'strongSwan makes its keys by IKE; there is no place for keys by hand'),
  )
  const byAddress = new TunnelsByAddress(rules)
  const ranked = rules.flatMap((rule): RankedRule[] => {
    const children = childrenOf(rule, algorithms, tunnels)
    const reason = typeof children === 'string' ? children : byAddress.problemOf(rule)
    if (reason !== undefined) unsaid.push(unsaidRule(rule, reason))
    return reason !== undefined || typeof children === 'string' ? [] : [{ rule, children }]
  })
  const children = inOrder(ranked, (rule, reason) => unsaid.push(unsaidRule(rule, reason)))
  const connections = connectionsOf(children)
  for (const { name, children } of connections) unsaid.push(...incomplete(name, children))
  const lines = ['connections {', ...connections.flatMap(connectionLines).map((line) => `  ${line}`), '}']
  return { lines, unsaid, remarks: remarksOn(children, forwards) }
}

interface Connection {
  readonly name: string
  readonly children: readonly PlacedChild[]
}

/** A connection for each pair of ends: IKE looks for a child only in the one that it has authenticated. */
function connectionsOf(children: readonly PlacedChild[]): Connection[] {
  const byEnds = new Map<string, PlacedChild[]>()
  for (const child of children) {
    const key = `${child.localAddresses} ${child.remoteAddresses}`
    const known = byEnds.get(key)
    if (known) known.push(child)
    else byEnds.set(key, [child])
  }
  return [...byEnds.values()].map((list, index) => ({ name: `solipsec-${index + 1}`, children: list }))
}

function isNegotiated({ mode }: Child): boolean {
  return mode === 'transport' || mode === 'tunnel'
}

/** What people have to add, and what has no name. */
function incomplete(name: string, children: readonly PlacedChild[]): Unsaid[] {
  const negotiated = children.filter(isNegotiated)
  const [first] = negotiated
  if (!first) return []
  const nameless = new Map(
    negotiated.flatMap(({ rule, proposals }) => {
      const names = new Set(proposals.flatMap((one) => one.nameless))
      return names.size === 0 ? [] : [[rule, [...names].join(', ')] as const]
    }),
  )
  return [
    unsaidRule(
      first.rule,
      `who the peer is, and how both ends prove it: add local, remote and secrets to ${name}`,
    ),
    ...[...nameless].map(([rule, names]) =>
      unsaidRule(rule, `only with the key lengths that strongSwan has names for; not all of ${names}`),
    ),
  ]
}

function connectionLines({ name, children }: Connection): string[] {
  const [first] = children
  if (!first) return []
  const negotiated = children.some(isNegotiated)
  return [
    `${name} {`,
    ...(negotiated ? ['  version = 2'] : []),
    `  local_addrs = ${first.localAddresses}`,
    `  remote_addrs = ${first.remoteAddresses}`,
    ...(negotiated ? AUTHENTICATION.map((line) => `  ${line}`) : []),
    '  children {',
    ...children.flatMap((child, index) => childLines(child, index)).map((line) => `    ${line}`),
    '  }',
    '}',
  ]
}

/** Nothing is negotiated without; what is to be protected is held back. */
const AUTHENTICATION = [
  '# Missing is who the two ends are and how they prove it. With a shared secret, here:',
  '#   local { auth = psk   id = THIS-HOST }',
  '#   remote { auth = psk   id = PEER }',
  '# and beside connections: secrets { ike-PEER { id = PEER   secret = "..." } }',
]

function childLines(child: PlacedChild, index: number): string[] {
  const { rule, mode, traffic, proposals, priority } = child
  const words = proposals.flatMap(({ list }) => list)
  return [
    `# ${oneLine(`${rule.file}:${rule.span.line}: ${rule.text}`)}`,
    `rule-${index + 1} {`,
    `  mode = ${mode}`,
    `  local_ts = ${traffic.local ? formatPrefix(traffic.local) : anyOf(child)}${ports(traffic, traffic.localPort)}`,
    `  remote_ts = ${traffic.remote ? formatPrefix(traffic.remote) : anyOf(child)}${ports(traffic, traffic.remotePort)}`,
    ...(words.length === 0 ? [] : [`  ${proposals[0]?.kind}_proposals = ${[...new Set(words)].join(',')}`]),
    ...(priority === undefined ? [] : [`  priority = ${priority}`]),
    '  start_action = trap',
    '}',
  ]
}

/** In transport mode, `dynamic` becomes the addresses that IKE has; else it would have to be a tunnel. */
function anyOf({ mode, traffic }: Child): string {
  if (mode === 'transport') return 'dynamic'
  return traffic.family === 'inet' ? '0.0.0.0/0' : '::/0'
}

function ports({ protocol }: Traffic, port: number | undefined): string {
  if (protocol === undefined) return ''
  return port === undefined ? `[${protocol}]` : `[${protocol}/${port}]`
}

function remarksOn(children: readonly PlacedChild[], forwards: boolean): string[] {
  const remarks = remarkOnRoutes(children.map(({ rule }) => rule))
  const negotiated = children.filter(isNegotiated)
  const coversIcmp = ({ traffic: { protocol } }: Child) =>
    protocol === undefined || protocol === 1 || protocol === 58
  if (negotiated.some(coversIcmp)) {
    remarks.push('ICMP errors in clear are refused where a rule asks for protection of all protocols.')
  }
  if (
    children.some((child) => child.mode !== 'pass' && coversIcmp(child) && child.traffic.family === 'inet6')
  ) {
    remarks.push('neighbour discovery is held to rules about all of IPv6: let it pass by another rule.')
  }
  if (forwards && children.some(({ mode }) => mode === 'drop')) {
    remarks.push('drop is about packets that this host forwards, too.')
  }
  return remarks
}
