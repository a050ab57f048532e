/**
 * Holds a document against its schema, and says what is wrong in sentences.
 *
 * @module
 */
import { validate } from '../../schemas/generated/validate-configuration.ts'
import { looksLikeKey } from '../solaris/ipseckey/redact.ts'
import type { JsonDocument } from './document.ts'
import { type JsonNode, nodeAt, pathOf } from './json/tree.ts'
import { schemasAt } from './schema-at.ts'
import { describe, type Sentence } from './schema-sentences.ts'

/** An error as ajv gives it; its place is a JSON pointer into the document. */
export interface SchemaError {
  readonly instancePath: string
  readonly keyword: string
  readonly params: Readonly<Record<string, unknown>>
}

const check = validate as unknown as {
  (value: unknown): boolean
  errors?: readonly SchemaError[] | null
}

/** What the schema has against a value; empty = nothing. */
export function schemaErrors(value: unknown): readonly SchemaError[] {
  if (check(value)) return []
  const errors = check.errors ?? []
  const mistyped = new Map<string, SchemaError>()
  for (const error of errors) {
    if (error.keyword === 'type' && !mistyped.has(error.instancePath)) mistyped.set(error.instancePath, error)
  }
  return errors.filter((error) => {
    // What has the wrong type is wrong in that, and that a condition did not hold says nothing beside its branch.
    const first = mistyped.get(error.instancePath)
    return error.keyword !== 'if' && (first === undefined || first === error)
  })
}

/** Where a document does not follow the schema: nothing may be read from within these paths. */
export class Flaws {
  readonly #pointers: ReadonlySet<string>
  /** Every place that has a flaw within. */
  readonly #inside: ReadonlySet<string>

  constructor(errors: readonly SchemaError[]) {
    this.#pointers = new Set(errors.map(({ instancePath }) => instancePath))
    this.#inside = new Set([...this.#pointers].flatMap((pointer) => prefixes(pointer)))
  }

  /** True where the value of a pointer, or something in it, is flawed. */
  within(pointer: string): boolean {
    return this.#inside.has(pointer)
  }

  /** True where the value of a pointer itself is. */
  at(pointer: string): boolean {
    return this.#pointers.has(pointer)
  }
}

function prefixes(pointer: string): string[] {
  const found = [pointer]
  for (let at = pointer.lastIndexOf('/'); at >= 0; at = pointer.lastIndexOf('/', at - 1)) {
    found.push(pointer.slice(0, at))
    if (at === 0) break
  }
  return found
}

/** Nobody reads more at one go, and twenty thousand would be megabytes of text. */
const MOST_TOLD = 1000

/** Reports the errors of the schema, at most a thousand of them, and says where not to read on. */
export function validateDocument(document: JsonDocument, value: unknown): Flaws {
  const errors = schemaErrors(value)
  for (const error of errors.slice(0, MOST_TOLD)) {
    const path = pathOf(error.instancePath)
    const node = nodeAt(document.root, path)?.value ?? document.root
    reportSentence(document, path, node, describe(error, node, schemasAt(document.root, path)))
  }
  const next = errors[MOST_TOLD]
  if (next) {
    document.error(pathOf(next.instancePath), `${errors.length - MOST_TOLD} more errors of this kind`, {
      hint: `They are told when the first ${MOST_TOLD} are mended.`,
    })
  }
  return new Flaws(errors)
}

function reportSentence(
  document: JsonDocument,
  path: readonly string[],
  node: JsonNode,
  sentence: Sentence,
): void {
  const { message, member, expected, hint } = sentence
  const advice = { ...(expected !== undefined && { expected }), ...(hint !== undefined && { hint }) }
  const named = member !== undefined && node.kind === 'object' ? node.members.get(member)?.name : undefined
  const place = named ?? (node.kind === 'scalar' ? node : { start: node.start, end: node.start + 1 })
  const text = member === undefined ? `${subjectOf(path)} ${message}` : message
  document.report.error(document.token(place), text, advice)
}

/** What a message is about, by the innermost name on the way to it. */
function subjectOf(path: readonly string[]): string {
  const isEntry = /^[0-9]+$/.test(path.at(-1) ?? '')
  const name = path.findLast((step) => !/^[0-9]+$/.test(step))
  if (name === undefined) return 'The document'
  if (looksLikeKey(name)) return 'This'
  return isEntry ? `This entry of \`${name}\`` : `\`${name}\``
}
