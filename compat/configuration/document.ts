/**
 * A JSON document as the checks see it: its tree, and words with places as those of the languages of Solaris have them.
 *
 * @module
 */
import type { Diagnostic } from '../../agent/model/diagnostic.ts'
import type { Token } from '../solaris/ipsecconf/syntax/lexer.ts'
import { type Advice, Report } from '../solaris/ipsecconf/syntax/report.ts'
import { SourceText } from '../solaris/ipseckey/lexer.ts'
import { looksLikeKey } from '../solaris/ipseckey/redact.ts'
import { blankKeys } from './blank.ts'
import { type JsonNode, type JsonScalar, nodeAt, pathAt, pointerOf, type Range } from './json/tree.ts'

export class JsonDocument {
  readonly file: string
  readonly root: JsonNode
  /** The text with its keys blanked: all that a diagnostic may quote. Made when the first one does. */
  readonly shown: SourceText
  /** Collects what is wrong. */
  readonly report: Report
  readonly #text: string
  readonly #places: SourceText

  constructor(text: string, file: string, root: JsonNode) {
    this.file = file
    this.root = root
    this.#text = text
    this.shown = new SourceText(() => blankKeys(text), file)
    this.report = new Report(() => this.shown.text, file)
    this.#places = new SourceText(text, file)
  }

  /** 1-based. */
  line(offset: number): number {
    return this.#places.position(offset).line
  }

  /** The range of the lines that a node stands on. */
  lines({ start, end }: Range): Range {
    return this.#places.lines(start, end)
  }

  /** A word that stands in a range; `text` where it is not the range's own. What may be a key is not for messages. */
  token(range: Range, text?: string): Token {
    const isQuoted = this.#text.charAt(range.start) === '"'
    const start = isQuoted ? range.start + 1 : range.start
    const end = isQuoted ? Math.max(start, range.end - 1) : range.end
    const [own = ''] = text === undefined ? this.#text.slice(start, end).split('\n', 1) : ['']
    return { kind: 'word', text: text ?? own, start, ...this.#places.position(start) }
  }

  /** A scalar as a word: text as it is, a number in the digits that the document has. */
  word(node: JsonScalar): string {
    if (typeof node.value !== 'number') return String(node.value)
    const digits = this.#text.slice(node.start, node.end)
    return /^[0-9]+$/.test(digits) ? digits : String(node.value)
  }

  /** The member or item at a path as a word; the whole document where there is none. */
  at(path: readonly string[]): Token {
    return this.token(nodeAt(this.root, path)?.value ?? { start: this.root.start, end: this.root.start + 1 })
  }

  /** The place of a word of a key file's language. */
  tokenOf({ start }: Range): Token {
    return this.token({ start, end: start + 1 })
  }

  /** The rest of a line from a place on. */
  tokenAt(place: { readonly line: number; readonly column: number; readonly length: number }): Token {
    const start = this.#places.offset(place)
    return this.token({ start, end: start + place.length })
  }

  error(path: readonly string[], message: string, advice?: Advice): void {
    this.report.error(this.at(path), message, advice)
  }

  warning(path: readonly string[], message: string, advice?: Advice): void {
    this.report.warning(this.at(path), message, advice)
  }

  /** The diagnostics of this document with the members that they are about. */
  withPointers(diagnostics: readonly Diagnostic[]): Diagnostic[] {
    return diagnostics.map((diagnostic) => {
      if (diagnostic.file !== this.file) return diagnostic
      const path = pathAt(this.root, this.#places.offset(diagnostic.span))
      const pointer = pointerOf(path.map((step) => (looksLikeKey(step) ? '<not shown>' : step)))
      return { ...diagnostic, pointer }
    })
  }
}
