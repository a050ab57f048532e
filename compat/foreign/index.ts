/**
 * Rules and SAs in the language of another tool, with a list of what it cannot say. Pure.
 *
 * @module
 */
import type { ForeignHost, ForeignInput, ForeignText } from './input.ts'
import { toIproute2 } from './iproute2/index.ts'
import type { ForeignKind } from './kinds.ts'
import { toSetkey } from './setkey/index.ts'
import { toSwanctl } from './swanctl/index.ts'
import { oneLine, type Unsaid, unsaidLines } from './unsaid.ts'

export type { ForeignHost, ForeignInput } from './input.ts'
export { type PlacedAssociation, type Unsaid, unsaidLines } from './unsaid.ts'

type Printer = (input: ForeignInput, host: ForeignHost) => ForeignText

interface Language {
  readonly print: Printer
  /** How to load what is written. */
  readonly head: string
}

const LANGUAGES: Readonly<Record<ForeignKind, Language>> = {
  iproute2: { print: toIproute2, head: 'Load with: ip -batch FILE' },
  setkey: { print: toSetkey, head: 'Load with: setkey -k -f FILE' },
  'swanctl.conf': { print: toSwanctl, head: 'Load with: swanctl --load-conns --file FILE' },
}

export interface ForeignFile {
  readonly text: string
  /** In the order of files and lines. */
  readonly unsaid: readonly Unsaid[]
  readonly remarks: readonly string[]
}

/**
 * @param also what the input could not hold already: sections of a document
 */
export function toForeign(
  kind: ForeignKind,
  input: ForeignInput,
  host: ForeignHost,
  also: readonly Unsaid[] = [],
): ForeignFile {
  const { print, head } = LANGUAGES[kind]
  const { lines, unsaid, remarks } = print(input, host)
  const all = [...also, ...unsaid].sort(
    (a, b) => (a.file < b.file ? -1 : Number(a.file > b.file)) || a.line - b.line,
  )
  const comments = [
    `Made by solipsec convert. ${head}`,
    ...remarks.map((remark) => `Note: ${oneLine(remark)}`),
    ...(all.length > 0 ? ['Not all could be said:', ...unsaidLines(all)] : []),
  ]
  const text = [...comments.map((line) => `# ${line}`), ...lines].map((line) => `${line}\n`).join('')
  return { text, unsaid: all, remarks }
}
