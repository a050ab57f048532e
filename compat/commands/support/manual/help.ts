/**
 * `--help` and usage texts, from the same source as the manual page.
 *
 * @module
 */
import { readFileSync } from 'node:fs'
import { parseManual } from './parse.ts'
import { manualToText, section } from './text.ts'

/** Where the pages are written, seen from the built module. */
export const MANUAL_SOURCES = new URL('../../../../../docs/man/', import.meta.url)

/** SYNOPSIS and OPTIONS of a command's page. */
export function helpText(command: string): string {
  const blocks = parseManual(readFileSync(new URL(`${command}.8.md`, MANUAL_SOURCES), 'utf8'))
  const synopsis = manualToText(section(blocks, 'SYNOPSIS'))
  const options = manualToText(section(blocks, 'OPTIONS'))
  return `Usage:\n${synopsis}\nOptions:\n${options}\nMore: man ${command}\n`
}

/** SYNOPSIS alone: what follows an error in the command line. */
export function synopsisText(command: string): string {
  const blocks = parseManual(readFileSync(new URL(`${command}.8.md`, MANUAL_SOURCES), 'utf8'))
  return `Usage:\n${manualToText(section(blocks, 'SYNOPSIS'))}`
}
