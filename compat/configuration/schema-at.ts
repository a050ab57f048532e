/**
 * Which parts of the schema speak about a place of a document. The schema is written so that this is plain: `if` asks for
 * a type, for members, or for a word, and nothing has to be tried.
 *
 * @module
 */
import { schema } from '../../schemas/generated/configuration-schema.ts'
import type { JsonNode } from './json/tree.ts'

/** What is read of a schema. */
export interface SchemaNode {
  readonly $ref?: string
  readonly description?: string
  readonly type?: string | readonly string[]
  readonly enum?: readonly unknown[]
  readonly const?: unknown
  readonly minimum?: number
  readonly maximum?: number
  readonly minItems?: number
  readonly maxItems?: number
  readonly maxProperties?: number
  readonly required?: readonly string[]
  readonly examples?: readonly unknown[]
  readonly properties?: Readonly<Record<string, SchemaNode>>
  readonly items?: SchemaNode
  readonly not?: SchemaNode
  readonly if?: SchemaNode
  readonly then?: SchemaNode
  readonly else?: SchemaNode
}

interface SchemaRoot extends SchemaNode {
  readonly $defs: Readonly<Record<string, SchemaNode>>
}

const ROOT = schema as SchemaRoot

/** The parts about the node that a path leads to; what is about this very member comes first. */
export function schemasAt(root: JsonNode, path: readonly string[]): SchemaNode[] {
  let node: JsonNode | undefined = root
  let parts = applying(ROOT, root)
  for (const step of path) {
    const inner: SchemaNode[] = parts.flatMap((part) => stepInto(part, step, node))
    node = childOf(node, step)
    const child: JsonNode | undefined = node
    parts = inner.flatMap((part) => (child ? applying(part, child) : [part]))
  }
  return parts
}

/** The schema that a reference leads to; the schema itself where it has none. */
export function resolved({ $ref, ...own }: SchemaNode): SchemaNode {
  return $ref === undefined ? own : { ...ROOT.$defs[$ref.replace('#/$defs/', '')], ...own }
}

function stepInto(part: SchemaNode, step: string, node: JsonNode | undefined): SchemaNode[] {
  if (node?.kind === 'array') return part.items ? [part.items] : []
  const member = part.properties && Object.hasOwn(part.properties, step) ? part.properties[step] : undefined
  return member ? [member] : []
}

function childOf(node: JsonNode | undefined, step: string): JsonNode | undefined {
  if (node?.kind === 'array') return node.items[Number(step)]
  return node?.kind === 'object' ? node.members.get(step)?.value : undefined
}

/** A schema, what it refers to, and the branches that hold for a node. */
function applying(part: SchemaNode, node: JsonNode): SchemaNode[] {
  const target = part.$ref === undefined ? undefined : ROOT.$defs[part.$ref.replace('#/$defs/', '')]
  const branch = part.if && (holds(part.if, node) ? part.then : part.else)
  return [part, ...(target ? applying(target, node) : []), ...(branch ? applying(branch, node) : [])]
}

function holds({ type, required = [], maxProperties, properties }: SchemaNode, node: JsonNode): boolean {
  if (type !== undefined && type !== typeOf(node)) return false
  if (node.kind !== 'object') return required.length === 0
  if (maxProperties !== undefined && node.members.size > maxProperties) return false
  const words = Object.entries(properties ?? {}).every(([name, { const: word }]) => {
    const value = node.members.get(name)?.value
    return value?.kind === 'scalar' && value.value === word
  })
  return words && required.every((name) => node.members.has(name))
}

function typeOf(node: JsonNode): string {
  return node.kind === 'scalar' ? typeof node.value : node.kind
}
