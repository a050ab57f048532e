/**
 * A JSON text as a tree whose nodes know where they stand.
 *
 * @module
 */

/** A half-open range of the text, in UTF-16 code units. */
export interface Range {
  readonly start: number
  readonly end: number
}

export type JsonNode = JsonScalar | JsonArray | JsonObject

export interface JsonScalar extends Range {
  readonly kind: 'scalar'
  readonly value: string | number | boolean | null
}

export interface JsonArray extends Range {
  readonly kind: 'array'
  readonly items: readonly JsonNode[]
}

export interface JsonObject extends Range {
  readonly kind: 'object'
  /** Each name once, in the order of the text. */
  readonly members: ReadonlyMap<string, JsonMember>
}

export interface JsonMember {
  readonly name: Range
  readonly value: JsonNode
}

/** The node that a path of names and indices leads to, and where its name stands; `undefined` where there is none. */
export function nodeAt(root: JsonNode, path: readonly string[]): JsonMember | undefined {
  let found: JsonMember = { name: root, value: root }
  for (const step of path) {
    const { value } = found
    if (value.kind === 'object') {
      const member = value.members.get(step)
      if (!member) return undefined
      found = member
    } else {
      const item = value.kind === 'array' ? value.items[Number(step)] : undefined
      if (!item) return undefined
      found = { name: item, value: item }
    }
  }
  return found
}

/** The path to the innermost node or member that an offset lies in. */
export function pathAt(root: JsonNode, offset: number): string[] {
  const path: string[] = []
  for (let node: JsonNode | undefined = root; node; ) {
    const step: readonly [string, JsonNode] | undefined = stepTowards(node, offset)
    if (step) path.push(step[0])
    node = step?.[1]
  }
  return path
}

function stepTowards(node: JsonNode, offset: number): readonly [string, JsonNode] | undefined {
  if (node.kind === 'array') {
    const index = firstBeyond(node.items, offset, ({ end }) => end)
    const item = node.items[index]
    return item && offset >= item.start ? [String(index), item] : undefined
  }
  if (node.kind === 'object') {
    const members = membersOf(node)
    const [name, member] = members[firstBeyond(members, offset, ([, { value }]) => value.end)] ?? []
    return name !== undefined && member && offset >= member.name.start ? [name, member.value] : undefined
  }
  return undefined
}

/** Index of the first item that ends behind an offset; their number where none does. Items stand in order. */
function firstBeyond<T>(items: readonly T[], offset: number, endOf: (item: T) => number): number {
  let low = 0
  let high = items.length
  while (low < high) {
    const middle = (low + high) >> 1
    const item = items[middle]
    if (item !== undefined && endOf(item) <= offset) low = middle + 1
    else high = middle
  }
  return low
}

/** The members of objects by index: each of many errors in one large object asks where it stands. */
const memberLists = new WeakMap<JsonObject, (readonly [string, JsonMember])[]>()

function membersOf(node: JsonObject): readonly (readonly [string, JsonMember])[] {
  const known = memberLists.get(node)
  if (known) return known
  const members = [...node.members]
  memberLists.set(node, members)
  return members
}

/** RFC 6901. The empty path is the whole document, written ''. */
export function pointerOf(path: readonly string[]): string {
  return path.map((step) => `/${step.replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')
}

/** The path that a JSON pointer names. */
export function pathOf(pointer: string): string[] {
  return pointer
    .split('/')
    .slice(1)
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'))
}

/** The plain value. Objects have no prototype, so that no name means anything by itself (`__proto__`). */
export function plainValue(node: JsonNode): unknown {
  if (node.kind === 'scalar') return node.value
  if (node.kind === 'array') return node.items.map(plainValue)
  const value = Object.create(null) as Record<string, unknown>
  for (const [name, member] of node.members) value[name] = plainValue(member.value)
  return value
}

/** The text of a member, or the texts of a list of them; `undefined` for anything else. */
export function textsOf(node: JsonNode | undefined): string[] | undefined {
  const nodes = node?.kind === 'array' ? node.items : node ? [node] : undefined
  return nodes?.map((item) => (item.kind === 'scalar' ? String(item.value) : ''))
}
