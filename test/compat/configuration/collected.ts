/**
 * Every configuration that stands somewhere in the tests and the documentation: files, examples of manual pages, and
 * texts within the tests themselves.
 *
 * @module
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseManual } from '../../../compat/commands/support/manual/parse.ts'
import { root } from '../../support/tiers.ts'
import {
  ADD,
  ADD_AH,
  AUTH,
  ENCR,
  ENDS,
  KEY_64,
  KEY_128,
  KEY_160,
  KEY_256,
} from '../solaris/ipseckey/support.ts'

/** Texts, each once; most of them are configurations, and some are anything else. */
export function candidates(): string[] {
  const texts = ['test', 'docs'].flatMap((folder) => filesIn(join(root, folder)).flatMap(textsOf))
  return [...new Set([...texts, ...examplesIn(join(root, 'README.md'))])]
}

function filesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
}

function textsOf(file: string): string[] {
  if (file.endsWith('.ts')) return literalsIn(readFileSync(file, 'utf8'))
  if (file.endsWith('.md')) return examplesIn(file)
  return /ipsec|\.json$/.test(file) ? [readFileSync(file, 'utf8')] : []
}

function examplesIn(file: string): string[] {
  const blocks = parseManual(readFileSync(file, 'utf8'))
  return blocks.flatMap((block) => (block.kind === 'code' ? [`${block.lines.join('\n')}\n`] : []))
}

const LITERAL = /`((?:[^`\\]|\\.)*)`|'((?:[^'\\\n]|\\.)*)'/gs
const PLACEHOLDER = /\$\{([^{}]*)\}/g
const VALUES: Readonly<Record<string, string>> = {
  ENDS,
  AUTH,
  ENCR,
  ADD,
  ADD_AH,
  KEY_64,
  KEY_128,
  KEY_160,
  KEY_256,
}

/** String literals of a module, with the usual values for what is put into them. */
function literalsIn(source: string): string[] {
  return [...source.matchAll(LITERAL)].map(({ 1: template, 2: plain }) => {
    const text = unescaped(template ?? plain ?? '')
    return text.replace(PLACEHOLDER, (_, name: string) => VALUES[name] ?? KEY_256)
  })
}

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', '0': '\0' }

function unescaped(text: string): string {
  return text.replace(/\\(.)/gs, (_, letter: string) => ESCAPES[letter] ?? letter)
}
