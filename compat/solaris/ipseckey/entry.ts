/**
 * The cursor that readers move over one entry, and the place where they report what is wrong.
 *
 * @module
 */
import type { Address } from '../../../agent/model/address.ts'
import type { AlgorithmTable } from '../../../agent/model/algorithm.ts'
import type { Diagnostic } from '../../../agent/model/diagnostic.ts'
import type { Resolver } from '../../../agent/model/resolver.ts'
import type { LexedEntry, SourceText, Token } from './lexer.ts'
import { redactedLines, secretTokens } from './redact.ts'

export interface KeyLanguageOptions {
  readonly algorithms: AlgorithmTable
  readonly resolver: Resolver
  /** `-n`: host names are not looked up, and so are refused. */
  readonly numeric?: boolean
}

/** What all entries of one text share. */
export class Parsing {
  readonly options: KeyLanguageOptions
  readonly source: SourceText
  readonly #addresses = new Map<string, readonly Address[]>()
  readonly #warned = new Set<string>()

  constructor(source: SourceText, options: KeyLanguageOptions) {
    this.options = options
    this.source = source
  }

  /** Every address of a host name, asked for once a text. */
  addresses(name: string): readonly Address[] {
    let found = this.#addresses.get(name)
    if (!found) {
      found = this.options.numeric ? [] : this.options.resolver.addresses(name)
      this.#addresses.set(name, found)
    }
    return found
  }

  /** True the first time it is asked for a message: some warnings are worth saying once a text. */
  firstTime(message: string): boolean {
    if (this.#warned.has(message)) return false
    this.#warned.add(message)
    return true
  }
}

const NONE: readonly never[] = []

/** One entry while it is being read. */
export class EntryReader {
  readonly parsing: Parsing
  readonly lexed: LexedEntry
  failed = false
  #next = 0
  #secrets: ReadonlySet<Token> | undefined
  #reported: Diagnostic[] | undefined
  #shownLines: readonly string[] | undefined
  #keys: Uint8Array[] | undefined

  constructor(parsing: Parsing, lexed: LexedEntry) {
    this.parsing = parsing
    this.lexed = lexed
  }

  /** Everything reported so far; for a good entry always the same empty array. */
  get diagnostics(): readonly Diagnostic[] {
    return this.#reported ?? NONE
  }

  peek(): Token | undefined {
    return this.lexed.tokens[this.#next]
  }

  take(): Token | undefined {
    const token = this.lexed.tokens[this.#next]
    if (token) this.#next++
    return token
  }

  /** A key was read. */
  noteKey(bytes: Uint8Array): void {
    this.#keys ??= []
    this.#keys.push(bytes)
  }

  /** The entry gives no SA: its keys are needed no more. */
  wipeKeys(): void {
    for (const bytes of this.#keys ?? []) bytes.fill(0)
  }

  /** Puts the last taken token back. */
  putBack(): void {
    this.#next--
  }

  /** Everything that is left. */
  rest(): readonly Token[] {
    const tokens = this.lexed.tokens.slice(this.#next)
    this.#next = this.lexed.tokens.length
    return tokens
  }

  /** The token's text in quotes, or a placeholder where it may be a key. */
  quote(token: Token): string {
    return this.isSecret(token) ? '<not shown>' : `"${token.text}"`
  }

  /** It may be a key. */
  isSecret(token: Token): boolean {
    this.#secrets ??= secretTokens(this.lexed.tokens)
    return this.#secrets.has(token)
  }

  /** Reports an error; `at` defaults to the end of the entry. */
  error(
    message: string,
    at?: Range,
    expected?: string,
    hint?: string,
    more: Pick<Diagnostic, 'unresolved'> = {},
  ): void {
    this.failed = true
    this.#report('error', message, at, expected, hint, more)
  }

  warn(message: string, at?: Range, hint?: string): void {
    this.#report('warning', message, at, undefined, hint)
  }

  /** A warning that is given once a text. */
  warnOnce(message: string, at?: Range, hint?: string): void {
    if (this.parsing.firstTime(message)) this.warn(message, at, hint)
  }

  #report(
    severity: Diagnostic['severity'],
    message: string,
    at: Range | undefined,
    expected: string | undefined,
    hint: string | undefined,
    more: Pick<Diagnostic, 'unresolved'> = {},
  ): void {
    const { source } = this.parsing
    const range = at ?? endOf(this.lexed)
    const { line, column } = source.position(range.start)
    const text = this.#sourceLine(line)
    const diagnostic: Diagnostic = {
      severity,
      message,
      file: source.file,
      span: { line, column, length: Math.max(1, this.#lengthOnLine(range)) },
      ...(text === undefined ? {} : { source: text }),
      ...(expected === undefined ? {} : { expected }),
      ...(hint === undefined ? {} : { hint }),
      ...more,
    }
    this.#reported ??= []
    this.#reported.push(diagnostic)
  }

  /** A word joined over several lines is marked up to the end of its first one. */
  #lengthOnLine(range: Range): number {
    // Not sought beyond the word: a line of very many wrong words would be read to its end for each.
    const newline = this.parsing.source.text.slice(range.start, range.end).indexOf('\n')
    return newline >= 0 ? newline : range.end - range.start
  }

  #sourceLine(line: number): string | undefined {
    if (this.lexed.tokens.length === 0) return undefined
    this.#shownLines ??= redactedLines(this.parsing.source.text, this.lexed).split('\n')
    return this.#shownLines[line - this.lexed.firstLine]
  }
}

/** A half-open range of the text. */
export interface Range {
  readonly start: number
  readonly end: number
}

function endOf(lexed: LexedEntry): Range {
  const last = lexed.tokens.at(-1)
  return last ? { start: last.end, end: last.end } : lexed
}
