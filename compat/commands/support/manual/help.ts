/**
 * `--help` and usage texts, from the same source as the manual page.
 *
 * @module
 */
import { readFileSync } from 'node:fs'
import { PACKAGE_ROOT } from '../package-root.ts'
import { type Block, parseManual } from './parse.ts'
import { manualToText, section } from './text.ts'

/** Where the pages are written. */
export const MANUAL_SOURCES = new URL('docs/man/', PACKAGE_ROOT)

/** Sections of the manual that have commands. */
const COMMAND_SECTIONS = ['8', '1']

/** SYNOPSIS, OPTIONS and COMMANDS of a command's page. */
export function helpText(command: string): string {
  const blocks = page(command)
  const options = manualToText(section(blocks, 'OPTIONS'))
  const commands = manualToText(section(blocks, 'COMMANDS'))
  const words = commands === '' ? '' : `\nCommands:\n${commands}`
  return `${usage(blocks)}\nOptions:\n${options}${words}\nMore: man ${pageName(command)}\n`
}

/** SYNOPSIS alone: what follows an error in the command line. */
export function synopsisText(command: string): string {
  return usage(page(command))
}

function usage(blocks: readonly Block[]): string {
  return `Usage:\n${manualToText(section(blocks, 'SYNOPSIS'))}`
}

/** `solipsec snoop` has its page under `solipsec-snoop`. */
function pageName(command: string): string {
  return command.replaceAll(' ', '-')
}

/** An installation without its documentation is no reason to answer bad usage with an exception. */
function page(command: string): Block[] {
  for (const section of COMMAND_SECTIONS) {
    try {
      return parseManual(readFileSync(new URL(`${pageName(command)}.${section}.md`, MANUAL_SOURCES), 'utf8'))
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    }
  }
  return [
    { kind: 'heading', level: 2, text: 'SYNOPSIS' },
    { kind: 'code', lines: [`see man ${pageName(command)}`] },
  ]
}
