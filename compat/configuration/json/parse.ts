/**
 * Reads JSON (RFC 8259) as it is defined, keeping the place of everything. Errors are sentences for whoever wrote the
 * file, and none of them quotes it.
 *
 * @module
 */
import type { JsonMember, JsonNode, Range } from './tree.ts'

/** What is wrong with a text. */
export interface JsonProblem extends Range {
  readonly message: string
  readonly hint?: string
}

export interface ParsedJson {
  /** Absent where the text is no JSON. */
  readonly root?: JsonNode
  /** The one place where it ceases to be JSON, or every name that an object has twice. */
  readonly problems: readonly JsonProblem[]
}

/** Deeper than any configuration; keeps the recursion within the stack. */
const DEEPEST = 64

/** Parses a text. Never throws. A byte order mark in front is skipped. */
export function parseJson(text: string): ParsedJson {
  const parser = new Parser(text)
  try {
    return { root: parser.document(), problems: parser.problems }
  } catch (error) {
    if (!(error instanceof NoJson)) throw error
    return { problems: [...parser.problems, error.problem] }
  }
}

class NoJson extends Error {
  readonly problem: JsonProblem

  constructor(problem: JsonProblem) {
    super()
    this.problem = problem
  }
}

const BLANKS = /[ \t\n\r]*/y
const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y
const PLAIN = /[^"\\\p{Cc}]*/uy
/** What somebody may have meant as a word or a number. */
const WORD = /[^\s"[\]{},:]+/y
const WORDS: Readonly<Record<string, boolean | null>> = { true: true, false: false, null: null }
const ESCAPES: Readonly<Record<string, string>> = {
  '"': '"',
  '\\': '\\',
  '/': '/',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
}

class Parser {
  readonly problems: JsonProblem[] = []
  readonly #text: string
  #at: number
  #depth = 0

  constructor(text: string) {
    this.#text = text
    this.#at = text.charCodeAt(0) === 0xfeff ? 1 : 0
  }

  document(): JsonNode {
    this.#skipBlanks()
    if (this.#at === this.#text.length) this.#fail('The file is empty', 'An empty configuration is `{}`.')
    const root = this.#value()
    this.#skipBlanks()
    if (this.#at < this.#text.length) this.#unexpected('the end of the file')
    return root
  }

  #fail(message: string, hint?: string, end = this.#at + 1): never {
    throw new NoJson({ message, start: this.#at, end, ...(hint !== undefined && { hint }) })
  }

  /** At something that cannot stand here. */
  #unexpected(expected: string): never {
    const character = this.#text.charAt(this.#at)
    if (character === '/' || character === '#') {
      this.#fail(
        'JSON has no comments',
        'Write a member `comment` instead; it is kept when the file is converted.',
      )
    }
    if (character === "'") this.#fail('Text stands in double quotes in JSON')
    if (character === '') this.#fail(`The file ends where ${expected} should be`)
    const word = this.#match(WORD)
    this.#at -= word.length
    this.#fail(`This should be ${expected}`, undefined, this.#at + Math.max(1, word.length))
  }

  #match(pattern: RegExp): string {
    pattern.lastIndex = this.#at
    const found = pattern.exec(this.#text)?.[0] ?? ''
    this.#at += found.length
    return found
  }

  #skipBlanks(): void {
    this.#match(BLANKS)
  }

  /** Takes a sign, if it is the next one. */
  #take(sign: string): boolean {
    this.#skipBlanks()
    if (this.#text.charAt(this.#at) !== sign) return false
    this.#at++
    return true
  }

  #value(): JsonNode {
    const character = this.#text.charAt(this.#at)
    if (character === '{') return this.#nested(() => this.#object())
    if (character === '[') return this.#nested(() => this.#array())
    const start = this.#at
    if (character === '"') return { kind: 'scalar', value: this.#string(), start, end: this.#at }
    const number = this.#match(NUMBER)
    const rest = this.#match(WORD)
    const end = this.#at
    if (number !== '' && rest === '') return { kind: 'scalar', value: Number(number), start, end }
    if (number === '' && Object.hasOwn(WORDS, rest)) {
      return { kind: 'scalar', value: WORDS[rest] ?? null, start, end }
    }
    this.#at = start
    if (number !== '') this.#fail('This is no number', 'Write it as text, in double quotes.', end)
    if (rest !== '' && !"/#'".includes(character)) {
      this.#fail('Text stands in double quotes in JSON', undefined, end)
    }
    return this.#unexpected('a value')
  }

  #nested(read: () => JsonNode): JsonNode {
    if (this.#depth === DEEPEST) this.#fail(`More than ${DEEPEST} brackets stand within each other`)
    this.#depth++
    const node = read()
    this.#depth--
    return node
  }

  #array(): JsonNode {
    const start = this.#at++
    const items: JsonNode[] = []
    if (!this.#take(']')) {
      do {
        this.#skipBlanks()
        if (items.length > 0) this.#refuseTrailingComma(']')
        items.push(this.#value())
      } while (this.#take(','))
      if (!this.#take(']')) this.#unexpected('`,` or `]`')
    }
    return { kind: 'array', items, start, end: this.#at }
  }

  #object(): JsonNode {
    const start = this.#at++
    const members = new Map<string, JsonMember>()
    if (!this.#take('}')) {
      do {
        this.#skipBlanks()
        if (members.size > 0) this.#refuseTrailingComma('}')
        this.#member(members)
      } while (this.#take(','))
      if (!this.#take('}')) this.#unexpected('`,` or `}`')
    }
    return { kind: 'object', members, start, end: this.#at }
  }

  #member(members: Map<string, JsonMember>): void {
    if (this.#text.charAt(this.#at) !== '"') this.#unexpected('the name of a member, in double quotes')
    const start = this.#at
    const name = this.#string()
    const place = { start, end: this.#at }
    if (!this.#take(':')) this.#unexpected('`:` between the name of a member and its value')
    this.#skipBlanks()
    const value = this.#value()
    if (!members.has(name)) members.set(name, { name: place, value })
    else {
      const hint = 'Take one of the two out, or join them.'
      this.problems.push({ ...place, message: 'This object has a member of that name already', hint })
    }
  }

  #refuseTrailingComma(close: string): void {
    if (this.#text.charAt(this.#at) === close) this.#fail('Nothing follows the comma', 'Take the comma out.')
  }

  #string(): string {
    const start = this.#at++
    let value = ''
    for (;;) {
      value += this.#match(PLAIN)
      const character = this.#text.charAt(this.#at)
      if (character === '"') {
        this.#at++
        return value
      }
      if (character === '\\') value += this.#escape()
      else if (character === '' || character === '\n' || character === '\r') {
        const end = this.#at
        this.#at = start
        this.#fail('The closing double quote is missing', 'Text ends on the line where it begins.', end)
      } else if (character < ' ')
        this.#fail('A control character cannot stand in text', 'Write it as \\uXXXX.')
      else {
        // DEL and C1: control characters to Unicode, but not to JSON.
        value += character
        this.#at++
      }
    }
  }

  #escape(): string {
    const letter = this.#text.charAt(this.#at + 1)
    const plain = Object.hasOwn(ESCAPES, letter) ? ESCAPES[letter] : undefined
    if (plain !== undefined) {
      this.#at += 2
      return plain
    }
    const digits = /^u([0-9a-fA-F]{4})/.exec(this.#text.slice(this.#at + 1, this.#at + 6))?.[1]
    if (digits === undefined) {
      this.#fail('After `\\` this means nothing in JSON', 'A backslash is written twice.', this.#at + 2)
    }
    this.#at += 6
    return String.fromCharCode(Number.parseInt(digits, 16))
  }
}
