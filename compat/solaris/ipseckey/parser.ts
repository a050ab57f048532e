/**
 * The key language of `ipseckey(8)`: text to `KeyCommand`s. Bad input becomes diagnostics, never an exception, and
 * no diagnostic holds a digit of a key.
 *
 * Within an entry, words are checked before what they mean together: an entry with a misspelt extension says so,
 * and not also that something is missing.
 *
 * @module
 */
import type { SaProtocol } from '../../../agent/model/association.ts'
import type { Diagnostic } from '../../../agent/model/diagnostic.ts'
import { nearest } from '../../nearest.ts'
import { buildAdd, buildTarget, buildUpdate } from './build.ts'
import type { KeyCommand, KeyCommandKind, KeyEntry, KeyFile } from './command.ts'
import { EntryReader, type KeyLanguageOptions, Parsing } from './entry.ts'
import { readExtensions } from './extensions.ts'
import { type LexedEntry, type LexicalProblemKind, lex, SourceText, type Token } from './lexer.ts'
import { redactEntry } from './redact.ts'
import { didYouMean } from './values.ts'
import { COMMANDS, type CommandWord, SA_TYPE_WORDS, saType } from './words.ts'

export type { KeyLanguageOptions } from './entry.ts'

type Mode = 'file' | 'operands' | 'interactive'

/**
 * Parses a whole key file. Reading ends at `quit` or `exit`.
 *
 * @param file the name for diagnostics
 */
export function parseKeyFile(text: string, file: string, options: KeyLanguageOptions): KeyFile {
  return parse(new SourceText(text, file), lex(text), 'file', options)
}

/**
 * Parses entries whose words come from elsewhere than the language's own text.
 *
 * @param source what diagnostics may quote; the words say where in it they stand
 */
export function parseEntries(
  source: SourceText,
  entries: Iterable<LexedEntry>,
  options: KeyLanguageOptions,
): KeyFile {
  return parse(source, entries, 'file', options)
}

/**
 * Parses one command given as separate words on a command line, where commands that carry keys are refused.
 * Columns in diagnostics count in the words joined by single blanks.
 */
export function parseCommandLine(words: readonly string[], options: KeyLanguageOptions): KeyFile {
  const tokens: Token[] = []
  let start = 0
  for (const text of words) {
    tokens.push({ text, start, end: start + text.length })
    start += text.length + 1
  }
  const text = words.join(' ')
  const entry = { tokens, problems: [], firstLine: 1, lastLine: 1, start: 0, end: text.length }
  return parse(new SourceText(text, '<command line>'), words.length === 0 ? [] : [entry], 'operands', options)
}

/** Parses what was typed at the prompt: one command, over several lines where they end in a backslash. */
export function parseInteractive(text: string, options: KeyLanguageOptions): KeyFile {
  return parse(new SourceText(text, '<input>'), lex(text), 'interactive', options)
}

function parse(
  source: SourceText,
  lexed: Iterable<LexedEntry>,
  mode: Mode,
  options: KeyLanguageOptions,
): KeyFile {
  const parsing = new Parsing(source, options)
  const entries: KeyEntry[] = []
  const commands: KeyCommand[] = []
  const diagnostics: Diagnostic[] = []
  let quit: EntryReader | undefined
  for (const one of lexed) {
    if (quit) {
      quit.warn(
        'Nothing after this line is read.',
        quit.lexed.tokens[0],
        'Remove it to load the rest of the file.',
      )
      for (const diagnostic of quit.diagnostics) diagnostics.push(diagnostic)
      break
    }
    const reader = new EntryReader(parsing, one)
    const own = parseEntry(reader, mode)
    if (!own.some(({ kind }) => kind === 'add')) reader.wipeKeys()
    entries.push(new ParsedEntry(source, one, own, reader.diagnostics))
    for (const command of own) commands.push(command)
    for (const diagnostic of reader.diagnostics) diagnostics.push(diagnostic)
    if (own[0]?.kind === 'quit') quit = reader
  }
  return { entries, commands, diagnostics }
}

/** Keeps where the entry stands, not its words: a file of many thousand entries stays small in memory. */
class ParsedEntry implements KeyEntry {
  readonly firstLine: number
  readonly lastLine: number
  readonly commands: readonly KeyCommand[]
  readonly diagnostics: readonly Diagnostic[]
  readonly #source: SourceText
  readonly #start: number
  readonly #end: number

  constructor(
    source: SourceText,
    lexed: LexedEntry,
    commands: readonly KeyCommand[],
    diagnostics: readonly Diagnostic[],
  ) {
    this.firstLine = lexed.firstLine
    this.lastLine = lexed.lastLine
    this.commands = commands
    this.diagnostics = diagnostics
    this.#source = source
    this.#start = lexed.start
    this.#end = lexed.end
  }

  get text(): string {
    return redactEntry(this.#source.text.slice(this.#start, this.#end))
  }
}

const LEXICAL_PROBLEMS: Readonly<Record<LexicalProblemKind, readonly [message: string, hint: string]>> = {
  'unterminated-quote': ['Unterminated string.', 'A string ends with a double quote on the same command.'],
  'text-after-quote': ['Text directly after a string.', 'Put a blank after the closing quote.'],
  'empty-quote': ['Empty string.', 'A value cannot be empty.'],
  'comment-swallows': [
    'This comment ends in a backslash, so the next line is part of it.',
    'Remove the backslash if the next line is meant.',
  ],
}

/** Reports what is wrong with the quotes and line ends of an entry. */
export function reportLexicalProblems(reader: EntryReader): void {
  for (const problem of reader.lexed.problems) {
    const [message, hint] = LEXICAL_PROBLEMS[problem.kind]
    if (problem.kind === 'comment-swallows') reader.warn(message, problem, hint)
    else reader.error(message, problem, undefined, hint)
  }
}

function parseEntry(reader: EntryReader, mode: Mode): KeyCommand[] {
  reportLexicalProblems(reader)
  if (reader.failed) return []
  const token = reader.take()
  if (!token) return []
  const word = COMMANDS.get(token.text)
  if (!word) return unknownCommand(reader, token)
  if (mode === 'file' && !word.allowedInFile) {
    reader.error(`${token.text} not appropriate in config file.`, token)
    return []
  }
  if (mode === 'operands' && carriesKeys(word)) {
    const hint = 'Use a file (-f) or the prompt: a key on a command line can be read by every user with ps.'
    reader.error("can't do ADD or UPDATE from the command line.", token, undefined, hint)
    return []
  }
  const commands = parseOperands(reader, token, word)
  return reader.failed ? [] : commands
}

function carriesKeys(word: CommandWord): boolean {
  return word.operands === 'association'
}

function unknownCommand(reader: EntryReader, token: Token): KeyCommand[] {
  const hint = didYouMean(nearest(token.text, COMMANDS.keys())) ?? 'Type help or ? for usage info.'
  reader.error(`Unknown command (${reader.quote(token)}).`, token, 'a command', hint)
  return []
}

function parseOperands(reader: EntryReader, token: Token, word: CommandWord): KeyCommand[] {
  switch (word.kind) {
    case 'add':
    case 'update':
    case 'update-pair':
    case 'delete':
    case 'delete-pair':
    case 'get':
      return parseAssociation(reader, token, word.kind)
    case 'flush':
    case 'dump':
      return parseTyped(reader, token, word.kind)
    case 'save':
      return parseSave(reader)
    case 'monitor':
      noMoreArguments(reader, token)
      return [{ kind: 'monitor', passive: token.text !== 'monitor' }]
    case 'help':
      return parseHelp(reader, token)
    case 'quit':
      noMoreArguments(reader, token)
      return [{ kind: 'quit' }]
  }
}

type AssociationKind = Extract<
  KeyCommandKind,
  'add' | 'update' | 'update-pair' | 'delete' | 'delete-pair' | 'get'
>

function parseAssociation(reader: EntryReader, command: Token, kind: AssociationKind): KeyCommand[] {
  const onlyTarget = kind === 'delete' || kind === 'delete-pair' || kind === 'get'
  const protocol = takeProtocol(reader, onlyTarget ? 'single' : 'specific')
  const fields = readExtensions(reader, command.text, onlyTarget)
  if (reader.failed || !protocol) return []
  if (kind === 'add') return buildAdd(reader, protocol, fields)
  if (kind === 'update' || kind === 'update-pair') return buildUpdate(reader, kind, protocol, fields)
  return buildTarget(reader, kind, protocol, fields)
}

/** The SA type that must stand here, and must be one protocol. */
function takeProtocol(reader: EntryReader, need: 'specific' | 'single'): SaProtocol | undefined {
  const message = `Must specify a ${need} SA type.`
  const token = reader.take()
  if (!token) {
    reader.error(message, undefined, '"ah" or "esp"')
    return undefined
  }
  const type = saType(token.text)
  if (type === 'all') reader.error(message, token, '"ah" or "esp"')
  else if (!type) unknownType(reader, token)
  return type === 'all' ? undefined : type
}

function unknownType(reader: EntryReader, token: Token): void {
  const hint = token.text.startsWith('-')
    ? 'Options come before the command.'
    : didYouMean(nearest(token.text, SA_TYPE_WORDS))
  reader.error(`Unknown SA type (${reader.quote(token)}).`, token, '"ah", "esp" or "all"', hint)
}

function noMoreArguments(reader: EntryReader, command: Token): void {
  const surplus = reader.rest()[0]
  if (surplus) reader.error(`Too many arguments for ${command.text} command`, surplus)
}

function parseTyped(reader: EntryReader, command: Token, kind: 'flush' | 'dump'): KeyCommand[] {
  const token = reader.take()
  const type = token ? saType(token.text) : 'all'
  if (token && !type) unknownType(reader, token)
  noMoreArguments(reader, command)
  return [type === undefined || type === 'all' ? { kind } : { kind, protocol: type }]
}

function parseSave(reader: EntryReader): KeyCommand[] {
  const token = reader.take()
  if (!token) {
    reader.error('Must specify a specific SA type for save.', undefined, '"ah", "esp" or "all"')
    return []
  }
  const type = saType(token.text)
  if (!type) unknownType(reader, token)
  const file = reader.take()?.text
  noMoreArguments(reader, { ...token, text: 'save' })
  return [
    {
      kind: 'save',
      ...(type !== undefined && type !== 'all' && { protocol: type }),
      ...(file !== undefined && file !== '-' && { file }),
    },
  ]
}

function parseHelp(reader: EntryReader, command: Token): KeyCommand[] {
  const topic = reader.take()
  noMoreArguments(reader, command)
  return [topic ? { kind: 'help', topic: topic.text } : { kind: 'help' }]
}
