/**
 * The kinds of files that say something about IPsec, and how to tell them apart.
 *
 * @module
 */
import { COMMANDS } from '../solaris/ipseckey/words.ts'

export const FILE_KINDS = ['json', 'ipsecinit.conf', 'ipseckeys', 'ipsecalgs'] as const
export type FileKind = (typeof FILE_KINDS)[number]

/** The kind that a word names. */
export function fileKind(word: string): FileKind | undefined {
  return FILE_KINDS.find((kind) => kind === word)
}

/** Tells the kind from the contents, and of an empty file, or one of comments, from the name; `undefined`: unclear. */
export function recognise(text: string, file: string): FileKind | undefined {
  const bare = text.replace(/^\ufeff/, '').replace(/^(?:\s|#[^\n]*)+/, '')
  if (bare === '') return kindOfName(file)
  if (/^\[|^\{\s*(?:"|\}\s*$)/.test(bare)) return 'json'
  if (bare.startsWith('{')) return kindOfName(file) === 'json' ? 'json' : 'ipsecinit.conf'
  if (/^(?:PROTO|ALG)\|/i.test(bare)) return 'ipsecalgs'
  const [word = ''] = bare.split(/\s/, 1)
  return COMMANDS.has(word) ? 'ipseckeys' : kindOfName(file)
}

function kindOfName(file: string): FileKind | undefined {
  const name = file.slice(file.lastIndexOf('/') + 1)
  if (name.endsWith('.json')) return 'json'
  return FILE_KINDS.find((kind) => name.startsWith(kind))
}
