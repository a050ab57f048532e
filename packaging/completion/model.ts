/**
 * What completion has to know of a command, out of its manual page: the same text that `--help` shows. Pure.
 *
 * @module
 */
import { SERVICES } from '../../compat/commands/services/catalogue.ts'
import { DATA_PATH_CHOICES } from '../../compat/commands/support/data-path-option.ts'
import { type Block, parseManual, plain } from '../../compat/commands/support/manual/parse.ts'
import { section } from '../../compat/commands/support/manual/text.ts'
import { COLUMNS } from '../../compat/commands/svcs/columns.ts'

/** What an argument is. */
export type ArgumentKind = 'file' | 'service' | 'netns' | 'datapath' | 'column' | 'other'

export interface CompletedOption {
  /** `-a`, `--netns`. */
  readonly name: string
  readonly argument?: ArgumentKind
  /** A sentence. */
  readonly text: string
}

export interface Word {
  readonly name: string
  readonly text: string
}

export interface CompletedCommand {
  /** `solipsec check` is one of its own. */
  readonly name: string
  readonly options: readonly CompletedOption[]
  /** Subcommands. */
  readonly words: readonly Word[]
  readonly operand?: ArgumentKind
}

/** By the option that it belongs to, or by the word that the page has for it. */
const KINDS: Readonly<Record<string, ArgumentKind>> = {
  '--netns': 'netns',
  '--datapath': 'datapath',
  FILE: 'file',
  FMRI: 'service',
  COLUMN: 'column',
}

/** All that an argument of a kind can be, where that is known beforehand. */
export const CHOICES: Readonly<Record<'service' | 'datapath' | 'column', string>> = {
  service: SERVICES.map(({ name }) => `ipsec/${name}`).join(' '),
  datapath: DATA_PATH_CHOICES.join(' '),
  column: Object.keys(COLUMNS).join(' '),
}

/** Reads a page. @param name the command, as it is typed */
export function readCommand(name: string, page: string): CompletedCommand {
  const blocks = parseManual(page)
  const operand = operandOf(name, blocks)
  return {
    name,
    options: terms(section(blocks, 'OPTIONS')).flatMap(({ term, text }) => optionsOf(term, text)),
    words: terms(section(blocks, 'COMMANDS')).flatMap(({ term, text }) =>
      term.split(', ').map((one) => ({ name: one.split(' ')[0] ?? '', text })),
    ),
    ...(operand && { operand }),
  }
}

function terms(blocks: readonly Block[]): { readonly term: string; readonly text: string }[] {
  return blocks.flatMap((block) =>
    block.kind === 'term' ? [{ term: block.term, text: firstSentence(plain(block.text)) }] : [],
  )
}

/** `-a FILE -f` is about `-f`, which has a term of its own or is no more than a flag. */
function optionsOf(term: string, text: string): CompletedOption[] {
  const [name = '', argument, ...more] = term.split(' ')
  if (!name.startsWith('-') || more.some((word) => word.startsWith('-'))) return []
  if (argument === undefined) return [{ name, text }]
  return [{ name, argument: KINDS[name] ?? KINDS[argument.replace(/\W.*/, '')] ?? 'other', text }]
}

/** The last word of the synopsis tells what operands are. */
function operandOf(name: string, blocks: readonly Block[]): ArgumentKind | undefined {
  const synopsis = section(blocks, 'SYNOPSIS').flatMap((block) => (block.kind === 'code' ? block.lines : []))
  const last = synopsis.map((line) => /([A-Z]+)\]?(\.\.\.)?\]?$/.exec(line.trim()))
  const words = new Set(last.flatMap((match) => (match?.[1] ? [match[1]] : [])))
  if (words.has('FMRI') || words.has('PATTERN')) return 'service'
  return name.startsWith('solipsec ') && words.has('FILE') ? 'file' : undefined
}

function firstSentence(text: string): string {
  return /^(.*?[^.])(?:\. |\.$|: |; |$)/.exec(text)?.[1] ?? text
}
