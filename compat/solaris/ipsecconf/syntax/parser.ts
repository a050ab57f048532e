/**
 * Tokens to syntactic rules: `{pattern} action {properties}` with `or action {properties}` alternatives.
 * Values stay words; `check/` gives them their meaning.
 *
 * After an error the parser goes on at the next thing that looks like the start of a rule, so that one run
 * reports every error of a file.
 *
 * @module
 */
import type { Span } from '../../../../agent/model/diagnostic.ts'
import { nearest } from '../../../nearest.ts'
import {
  ACTIONS,
  FIELDS,
  type Field,
  type Keyword,
  PATTERN_KEYWORDS,
  type PatternField,
  PROPERTY_KEYWORDS,
  type PropertyField,
} from '../vocabulary.ts'
import { Lexer, stripComments, type Token } from './lexer.ts'
import type { Report } from './report.ts'

/** One `keyword value` pair. */
export interface Setting<F extends Field = Field> extends Keyword<F> {
  readonly keyword: Token
  readonly value: Token
}

export interface SyntaxAction {
  readonly word: Token
  readonly properties: readonly Setting<PropertyField>[]
}

/** A rule as written. At least one action, but where it is broken. */
export interface SyntaxRule {
  /** The opening brace of the pattern. */
  readonly open: Token
  readonly pattern: readonly Setting<PatternField>[]
  readonly actions: readonly SyntaxAction[]
  /** Errors were reported inside: some settings may be missing, and the rule must not be used. */
  readonly broken: boolean
  /** Without comments. */
  readonly text: string
  /** The part of the file from the first action on. */
  readonly actionText: string
  readonly span: Span
  /** Offset behind the last token of the rule. */
  readonly end: number
}

/** Reads the rules of a file one by one. Errors go to `report`. */
export function* parseRules(text: string, report: Report): Generator<SyntaxRule, void> {
  const parser = new Parser(new Lexer(text), report)
  for (let rule = parser.rule(); rule !== 'end'; rule = parser.rule()) {
    if (rule !== 'failed') yield rule
  }
}

class Parser {
  readonly #lexer: Lexer
  readonly #report: Report
  /** The token taken last. */
  #last: Token
  /** The rule read last broke off before its end. */
  #unfinished = false

  constructor(lexer: Lexer, report: Report) {
    this.#lexer = lexer
    this.#report = report
    this.#last = { kind: 'end', text: '', start: 0, line: 0, column: 1 }
  }

  /** The next rule; `failed` where there was one, but without a usable structure. */
  rule(): SyntaxRule | 'failed' | 'end' {
    const { current } = this.#lexer
    if (current.kind === 'end') return 'end'
    if (current.kind !== 'open') {
      this.#report.error(current, `line ${current.line} : pattern must start with "{" character`, {
        expected: '`{`, the start of a rule',
      })
      return this.#recover()
    }
    const errors = this.#report.errors
    const open = this.#take()
    const pattern = this.#group(open, PATTERN_KEYWORDS)
    if (!pattern) return this.#recover()
    const { text } = this.#lexer
    const actionStart = this.#lexer.current.start
    const actions = this.#actions()
    const whole = text.slice(open.start, this.#last.start + 1)
    const length = open.line === this.#last.line ? whole.length : whole.indexOf('\n')
    const rule = {
      open,
      pattern,
      actions,
      broken: this.#report.errors !== errors,
      text: whole.includes('#') ? stripComments(whole) : whole,
      actionText: text.slice(actionStart, this.#last.start + 1),
      span: { line: open.line, column: open.column, length },
      end: this.#last.start + this.#last.text.length,
    }
    if (this.#unfinished) this.#recover()
    else this.#endOfRule()
    return rule
  }

  #take(): Token {
    this.#last = this.#lexer.next()
    return this.#last
  }

  /** The alternatives of a rule, as far as they have the form of one. */
  #actions(): SyntaxAction[] {
    const actions: SyntaxAction[] = []
    do {
      const action = this.#action()
      this.#unfinished = action === undefined
      if (!action) return actions
      actions.push(action)
    } while (this.#or())
    return actions
  }

  #action(): SyntaxAction | undefined {
    const { current } = this.#lexer
    if (current.kind !== 'word' || current.text === 'or') {
      this.#missingAction(current)
      return undefined
    }
    const word = this.#take()
    if (!ACTIONS.has(word.text)) {
      this.#report.error(word, `Invalid action on line ${word.line}: ${word.text}`, {
        expected: 'apply, permit, ipsec, bypass, pass or drop',
        ...didYouMean(word.text, ACTIONS.keys()),
      })
    }
    if (this.#lexer.current.kind !== 'open') {
      this.#report.error(word, 'Missing properties.', {
        expected: `\`{\` after \`${word.text}\``,
        hint: 'The braces stand even where there is nothing to put into them: `bypass {}`.',
      })
      return undefined
    }
    const properties = this.#group(this.#take(), PROPERTY_KEYWORDS)
    return properties && { word, properties }
  }

  #missingAction(current: Token): void {
    const expected = 'apply, permit, ipsec, bypass, pass or drop'
    const second = current.kind === 'open' && !this.#startsRule() && !this.#opensProperties()
    if (second) {
      this.#report.error(current, 'Too many selectors before action.', {
        expected,
        hint: 'Put all selectors of a rule into one pair of braces.',
      })
    } else this.#report.error(this.#last, 'Missing action token.', { expected: `${expected} after this` })
  }

  /** The inside of `{…}`, `open` being taken already, as settings. `undefined` where it is never closed. */
  #group<F extends Field>(open: Token, keywords: ReadonlyMap<string, Keyword<F>>): Setting<F>[] | undefined {
    const words: Token[] = []
    while (this.#lexer.current.kind === 'word') words.push(this.#take())
    if (this.#lexer.current.kind !== 'close') {
      this.#report.error(open, 'Pattern or Properties incomplete.', {
        expected: 'a `}` for this `{`',
      })
      return undefined
    }
    this.#take()
    return this.#settings(words, keywords)
  }

  #settings<F extends Field>(
    words: readonly Token[],
    keywords: ReadonlyMap<string, Keyword<F>>,
  ): Setting<F>[] {
    const settings: Setting<F>[] = []
    let i = 0
    while (i < words.length) {
      const keyword = words[i] as Token
      const known = keywords.get(keyword.text)
      const value = words[i + 1]
      if (!known) {
        this.#unknownKeyword(keyword, keywords)
        do i++
        while (i < words.length && !keywords.has(words[i]?.text ?? ''))
      } else if (!value || isNextKeyword(value, words[i + 2], keywords)) {
        this.#report.fault(keyword, 'Bad', known.field, {
          expected: `${FIELDS[known.field].expected} after \`${keyword.text}\``,
        })
        i++
      } else {
        settings.push({ field: known.field, style: known.style, keyword, value })
        i += 2
      }
    }
    return settings
  }

  #unknownKeyword(word: Token, keywords: ReadonlyMap<string, Keyword>): void {
    const group = keywords === PROPERTY_KEYWORDS ? 'properties' : 'pattern'
    const hint = word.text.startsWith('(')
      ? {
          hint: 'The key length follows the algorithm without a blank and without blanks inside: `aes(128..256)`.',
        }
      : didYouMean(word.text, keywords.keys())
    this.#report.error(word, `Invalid ${group} on line ${word.line}: ${word.text}`, {
      expected: `one of ${[...keywords.keys()].join(', ')}`,
      ...hint,
    })
  }

  /** Takes an `or`. It may stand on a line of its own: nothing else can start with that word. */
  #or(): boolean {
    const { current } = this.#lexer
    if (current.kind !== 'word' || current.text !== 'or') return false
    this.#take()
    return true
  }

  /** After a rule only a comment or a newline may follow. */
  #endOfRule(): void {
    const { current } = this.#lexer
    if (current.kind === 'end' || current.line !== this.#last.line) return
    if (current.kind === 'word' && current.text.startsWith('\\')) {
      this.#report.error(current, 'Invalid line continuation character.', {
        hint: 'A rule goes on over newlines by itself: leave the backslash out.',
      })
    } else {
      this.#report.error(current, `Error before or at line ${current.line}`, {
        expected: '`or`, a comment or the end of the line',
        ...trailingHint(current),
      })
    }
    if (current.kind !== 'open') this.#recover()
  }

  /** Skips to the next start of a rule. */
  #recover(): 'failed' {
    while (this.#lexer.current.kind !== 'end' && !this.#startsRule()) this.#take()
    return 'failed'
  }

  /** A brace that is first on its line, and neither after an action nor before a property. */
  #startsRule(): boolean {
    const { current } = this.#lexer
    return (
      current.kind === 'open' &&
      current.line !== this.#last.line &&
      !(this.#last.kind === 'word' && ACTIONS.has(this.#last.text)) &&
      !this.#opensProperties()
    )
  }

  #opensProperties(): boolean {
    const { text } = this.#lexer.ahead()
    return PROPERTY_KEYWORDS.has(text) && !PATTERN_KEYWORDS.has(text)
  }
}

/**
 * True where the word after a keyword is the next keyword, so that the value is missing. In a well-formed
 * group a value is followed by a keyword or by nothing, so a host called `local` is still a value.
 */
function isNextKeyword(
  word: Token,
  after: Token | undefined,
  keywords: ReadonlyMap<string, Keyword>,
): boolean {
  return after !== undefined && keywords.has(word.text) && !keywords.has(after.text)
}

function trailingHint(token: Token): { hint: string } | undefined {
  if (token.kind === 'open') return { hint: 'Start each rule on a line of its own.' }
  if (token.kind === 'word' && token.text.startsWith('or') && ACTIONS.has(token.text.slice(2))) {
    return { hint: `Write \`or ${token.text.slice(2)}\`.` }
  }
  return undefined
}

function didYouMean(word: string, known: Iterable<string>): { hint: string } | undefined {
  const match = nearest(word, known)
  return match === undefined ? undefined : { hint: `Did you mean \`${match}\`?` }
}
