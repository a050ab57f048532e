/**
 * Where the members of a document that was made from a file of Solaris come from, so that what is wrong with the document
 * can be said of the file.
 *
 * @module
 */
import { looksLikeKey } from '../../solaris/ipseckey/redact.ts'
import { parseJson } from '../json/parse.ts'
import { nodeAt, pathOf } from '../json/tree.ts'
import { schemasAt } from '../schema-at.ts'
import { describe } from '../schema-sentences.ts'
import { schemaErrors } from '../validate.ts'

/** Remembers a place for each member. `P` is whatever the language calls a place. */
export class Places<P> {
  readonly #places = new WeakMap<object, Map<string, P>>()

  /** Sets a member at a path of names, making the objects on the way. */
  set(target: object, path: readonly string[], value: unknown, place: P): void {
    let object = target as Record<string, unknown>
    for (const name of path.slice(0, -1)) {
      object[name] ??= {}
      object = object[name] as Record<string, unknown>
    }
    const name = path.at(-1) ?? ''
    object[name] = value
    this.note(object, name, place)
  }

  /** Remembers where a member or an item comes from. */
  note(object: object, name: string, place: P): void {
    const known = this.#places.get(object)
    if (known) known.set(name, place)
    else this.#places.set(object, new Map([[name, place]]))
  }

  /** The innermost place on the way to a value. */
  find(document: object, path: readonly string[]): P | undefined {
    let place: P | undefined
    let value: unknown = document
    for (const step of path) {
      if (typeof value !== 'object' || value === null) break
      place = this.#places.get(value)?.get(step) ?? place
      value = (value as Record<string, unknown>)[step]
    }
    return place
  }
}

/** What is wrong with a document, each with the path to it, the message, and what would be right. */
export function complaints(
  document: object,
): { readonly path: readonly string[]; readonly message: string; readonly expected?: string }[] {
  const errors = schemaErrors(document)
  const { root } = errors.length === 0 ? {} : parseJson(JSON.stringify(document))
  if (!root) return []
  return errors.flatMap((error) => {
    const path = pathOf(error.instancePath)
    const node = nodeAt(root, path)?.value
    if (!node) return []
    const { message, member, expected } = describe(error, node, schemasAt(root, path))
    const name = path.findLast((step) => !/^[0-9]+$/.test(step) && !looksLikeKey(step)) ?? ''
    const text = member === undefined ? `\`${name}\` ${message}` : message
    return [{ path, message: text, ...(expected !== undefined && { expected }) }]
  })
}

/** A word as a JSON value: a decimal number that every program keeps exactly is a number. */
export function scalarOf(word: string): string | number {
  return /^(?:0|[1-9][0-9]{0,14})$/.test(word) ? Number(word) : word
}
