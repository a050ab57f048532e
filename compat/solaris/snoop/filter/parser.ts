/**
 * Filter expressions to closures.
 *
 * From loose to tight: `or` (also `,` and `||`), `and` (also `&&`, and one condition after the other), `not` (also `!`),
 * relations, `+ - | ^`, `* / % &`. Parentheses group conditions as well as numbers.
 *
 * @module
 */
import { nearest } from '../../../nearest.ts'
import {
  ARITHMETIC,
  BASES,
  type Condition,
  combine,
  field,
  type Numeric,
  packetLength,
  relation,
} from './arithmetic.ts'
import { all, any, not } from './conditions.ts'
import { type Advice, FilterError } from './error.ts'
import { type Token, tokenize } from './lexer.ts'
import type { FilterNames } from './names.ts'
import { parseTarget } from './target.ts'
import { CONDITIONS, NUMBERED, OPERANDS, QUALIFIERS, REFUSED, WORDS } from './vocabulary.ts'

/** An operand is a condition or a number, which is known only when it has been read. */
type Operand = { readonly condition: Condition } | { readonly number: Numeric }

/** Deeper nesting would be a strain on the stack. */
const DEEPEST = 200
const LARGEST = 0xffffffff

/** @throws FilterError */
export function parseExpression(text: string, names: FilterNames): Condition {
  const parser = new Parser(text, names)
  if (parser.current.kind === 'end') return () => true
  const condition = parser.condition(parser.or())
  const { current } = parser
  if (current.kind !== 'end')
    parser.fail(current, `Unexpected ${parser.shown(current)}`, parser.strayHint(current))
  return condition
}

/** Reads tokens from left to right. Used by `target.ts`, too. */
export class Parser {
  readonly names: FilterNames
  readonly #text: string
  readonly #tokens: readonly Token[]
  readonly #end: Token
  #at = 0
  #depth = 0

  constructor(text: string, names: FilterNames) {
    this.#text = text
    this.names = names
    this.#tokens = tokenize(text)
    this.#end = { kind: 'end', text: '', value: 0, start: text.length, end: text.length }
  }

  get current(): Token {
    return this.#tokens[this.#at] ?? this.#end
  }

  ahead(): Token {
    return this.#tokens[this.#at + 1] ?? this.#end
  }

  next(): Token {
    const { current } = this
    this.#at++
    return current
  }

  /** As it was written, for names. */
  written(token: Token): string {
    return this.#text.slice(token.start, token.end)
  }

  shown(token: Token): string {
    return token.kind === 'end' ? 'end' : `\`${this.written(token)}\``
  }

  fail(at: Token, message: string, advice: Advice = {}): never {
    throw new FilterError(this.#text, at, message, advice)
  }

  strayHint({ text, kind }: Token): Advice {
    if (text === ')' || text === ']') return { hint: 'Nothing is open here that it could close.' }
    if (kind === 'bad') return { hint: 'Expressions consist of words, numbers, operators and parentheses.' }
    return { expected: '`and`, `or` or the end' }
  }

  or(): Operand {
    const first = this.#and()
    if (!this.#isOr()) return first
    const conditions = [this.condition(first)]
    while (this.#isOr()) {
      this.next()
      conditions.push(this.condition(this.#and()))
    }
    return { condition: any(conditions) }
  }

  #isOr(): boolean {
    const { kind, text } = this.current
    return kind === 'word' ? text === 'or' : kind === 'symbol' && (text === ',' || text === '||')
  }

  #and(): Operand {
    const first = this.#not()
    const conditions: Condition[] = []
    for (;;) {
      const { kind, text } = this.current
      const operator = kind === 'word' ? text === 'and' : text === '&&'
      const juxtaposed =
        kind === 'number' || (kind === 'word' && text !== 'or') || text === '(' || text === '!'
      if (!operator && !juxtaposed) break
      if (conditions.length === 0) conditions.push(this.condition(first))
      if (operator) this.next()
      conditions.push(this.condition(this.#not()))
    }
    return conditions.length === 0 ? first : { condition: all(conditions) }
  }

  #not(): Operand {
    let negative = false
    let negated = false
    while (this.current.text === 'not' || this.current.text === '!') {
      this.next()
      negated = true
      negative = !negative
    }
    const operand = this.#relation()
    if (!negated) return operand
    const condition = this.condition(operand)
    return { condition: negative ? not(condition) : condition }
  }

  #relation(): Operand {
    const at = this.current
    const left = this.#arithmetic(0)
    const compare = relation(this.current.text)
    if (compare === undefined || this.current.kind !== 'symbol') return left
    const number = this.#number(left, at)
    this.next()
    const rightAt = this.current
    return { condition: compare(number, this.#number(this.#arithmetic(0), rightAt)) }
  }

  #arithmetic(level: number): Operand {
    const operators = ARITHMETIC[level]
    if (operators === undefined) return this.#factor()
    const at = this.current
    let left = this.#arithmetic(level + 1)
    for (;;) {
      const operate = this.current.kind === 'symbol' ? operators.get(this.current.text) : undefined
      if (operate === undefined) return left
      const operator = this.next()
      if ('condition' in left && (operator.text === '&' || operator.text === '|')) {
        this.fail(operator, `${this.shown(operator)} is for numbers`, {
          hint: `Conditions are joined by \`${operator.text === '&' ? 'and' : 'or'}\`.`,
        })
      }
      const rightAt = this.current
      left = {
        number: combine(operate, this.#number(left, at), this.#number(this.#arithmetic(level + 1), rightAt)),
      }
    }
  }

  #factor(): Operand {
    const token = this.current
    const { kind, text } = token
    if (text === '(') return this.#group()
    if (kind === 'number') {
      const value = this.number('a number', LARGEST)
      return { number: () => value }
    }
    if (text === '-') {
      this.next()
      const minus = this.#nested(() => this.#number(this.#factor(), this.current))
      return { number: (packet) => -minus(packet) }
    }
    if (kind === 'word') return this.#word(token)
    const message = kind === 'end' ? 'The expression ends too early' : `Unexpected ${this.shown(token)}`
    return this.fail(token, message, {
      expected: 'a condition such as `host NAME`, `tcp` or `length > 60`',
      ...(kind === 'bad' && this.strayHint(token)),
    })
  }

  #group(): Operand {
    const open = this.next()
    const inside = this.#nested(() => this.or())
    if (this.current.text !== ')') {
      this.fail(open, 'Missing `)`', { expected: `\`)\` before ${this.shown(this.current)}` })
    }
    this.next()
    return inside
  }

  #nested<T>(read: () => T): T {
    if (this.#depth >= DEEPEST) {
      this.fail(this.current, 'Too many parentheses', { hint: `No more than ${DEEPEST} inside each other.` })
    }
    this.#depth++
    const result = read()
    this.#depth--
    return result
  }

  #word(token: Token): Operand {
    const { text } = token
    if (this.ahead().text === '[') return { number: this.#field() }
    if (text === 'length') {
      this.next()
      return { number: packetLength }
    }
    const refused = REFUSED.get(text)
    if (refused !== undefined) this.fail(token, `\`${text}\` is not supported`, { hint: refused })
    const condition = CONDITIONS.get(text)
    if (condition !== undefined) {
      this.next()
      return { condition }
    }
    const numbered = NUMBERED.get(text)
    if (numbered !== undefined) {
      this.next()
      return {
        condition: numbered.condition(this.number(`${numbered.expected} after \`${text}\``, numbered.most)),
      }
    }
    if (text === 'and' || text === 'or') {
      this.fail(token, `Nothing before \`${text}\``, { expected: `a condition on both sides of \`${text}\`` })
    }
    if (QUALIFIERS.has(text) || OPERANDS.has(text) || !WORDS.has(text))
      return { condition: parseTarget(this) }
    return this.fail(token, `Unexpected ${this.shown(token)}`, { expected: 'a condition' })
  }

  /** `base[offset]` or `base[offset : size]`. */
  #field(): Numeric {
    const name = this.next()
    const base = BASES.get(name.text)
    if (base === undefined) {
      const match = nearest(name.text, BASES.keys())
      this.fail(name, `${this.shown(name)} has no fields`, {
        expected: `one of ${[...BASES.keys()].join(', ')} before \`[\``,
        ...(match !== undefined && { hint: `Did you mean \`${match}\`?` }),
      })
    }
    const open = this.next()
    const at = this.current
    const offset = this.#number(
      this.#nested(() => this.#arithmetic(0)),
      at,
    )
    let size = 1
    if (this.current.text === ':') {
      this.next()
      const sizeAt = this.current
      size = this.number('a size: 1, 2 or 4', LARGEST)
      if (size !== 1 && size !== 2 && size !== 4)
        this.fail(sizeAt, `Bad size: ${size}`, { expected: '1, 2 or 4' })
    }
    if (this.current.text !== ']') {
      this.fail(open, 'Missing `]`', { expected: `\`]\` before ${this.shown(this.current)}` })
    }
    this.next()
    return field(base, offset, size === 4 ? 4 : size === 2 ? 2 : 1)
  }

  /** Takes a number. */
  number(expected: string, most: number): number {
    const token = this.next()
    if (token.kind !== 'number') {
      this.fail(
        token,
        token.kind === 'end' ? 'The expression ends too early' : `Bad number: ${this.shown(token)}`,
        {
          expected,
        },
      )
    }
    if (token.value > most) {
      this.fail(token, `Number too large: ${this.written(token)}`, {
        expected: `${expected}, at most ${most}`,
      })
    }
    return token.value
  }

  condition(operand: Operand): Condition {
    if ('condition' in operand) return operand.condition
    const before = this.#tokens[this.#at - 1] ?? this.current
    return this.fail(before, 'A number is not a condition', {
      expected: 'a comparison, as in `length > 60`',
      ...(before.kind === 'number' && { hint: `A port is written \`port ${before.text}\`.` }),
    })
  }

  #number(operand: Operand, at: Token): Numeric {
    if ('number' in operand) return operand.number
    return this.fail(at, `${this.shown(at)} is a condition, not a number`, {
      expected: 'a number, `length`, or a field such as `ip[8]`',
    })
  }
}
