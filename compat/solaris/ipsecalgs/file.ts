/**
 * The file format of `/etc/inet/ipsecalgs`. Lines keep their text, so that an edit changes the lines that it is
 * about and leaves comments, package markers and the writing of all other lines as they were.
 *
 * @module
 */
import type { Algorithm, AlgorithmProtocol, AlgorithmTable } from '../../../agent/model/algorithm.ts'
import type { Diagnostic } from '../../../agent/model/diagnostic.ts'
import {
  formatKeySizes,
  formatSizes,
  isKeyword,
  isWord,
  MAX_NUMBER,
  readBlockSizes,
  readFlags,
  readKeySizes,
  readMechanism,
  readMode,
  readNames,
  readNumber,
} from './fields.ts'

/** Bytes in a line at most. */
const LINE_LIMIT = 1024

/** One line as written. Package markers (`# Start SUNWcs`) are comments. */
export type Line =
  | { readonly kind: 'comment'; readonly text: string }
  | { readonly kind: 'protocol'; readonly text: string; readonly protocol: AlgorithmProtocol }
  | { readonly kind: 'algorithm'; readonly text: string; readonly algorithm: Algorithm }

export interface AlgorithmFile {
  readonly lines: readonly Line[]
}

/**
 * The table that a file describes, in file order. The rows that a Solaris file has for the words `any` and
 * `none`, number 0, are no algorithms and stay out of it.
 */
export function tableOf(file: AlgorithmFile): AlgorithmTable {
  return {
    protocols: file.lines.flatMap((line) => (line.kind === 'protocol' ? [line.protocol] : [])),
    algorithms: file.lines.flatMap((line) =>
      line.kind === 'algorithm' && line.algorithm.number !== 0 ? [line.algorithm] : [],
    ),
  }
}

/** A file that describes a table: each protocol followed by its algorithms. */
export function fileOf(table: AlgorithmTable, comments: readonly string[] = []): AlgorithmFile {
  const lines = table.protocols.flatMap((protocol) => [
    protocolLine(protocol),
    ...table.algorithms.filter((entry) => entry.protocol === protocol.number).map(algorithmLine),
  ])
  return { lines: [...comments.map((text): Line => ({ kind: 'comment', text: `# ${text}` })), ...lines] }
}

export function protocolLine(protocol: AlgorithmProtocol): Line {
  const text = `PROTO|${protocol.number}|${protocol.name}|${protocol.mode}`
  return { kind: 'protocol', text, protocol }
}

export function algorithmLine(algorithm: Algorithm): Line {
  const { parameters, flags } = algorithm
  const fields = [
    algorithm.protocol,
    algorithm.number,
    algorithm.names.join(','),
    algorithm.mechanism || '-',
    formatKeySizes(algorithm.keySizes),
    formatSizes(algorithm.blockOrMacSizes),
  ]
  if (parameters || flags !== 0) {
    fields.push(parameters ? `${parameters.iv},${parameters.icv},${parameters.salt}` : '', flags)
  }
  return { kind: 'algorithm', text: `ALG|${fields.join('|')}`, algorithm }
}

/** Writes a file as text. */
export function printAlgorithmFile(file: AlgorithmFile): string {
  return file.lines.map((line) => `${line.text}\n`).join('')
}

/**
 * Reads a file. One bad line spoils the whole file, as on Solaris: a table with holes would make an unchanged
 * policy mean something else. All bad lines are reported.
 *
 * @returns `file` only where there is no error
 */
export function parseAlgorithmFile(
  text: string,
  name: string,
): { readonly file?: AlgorithmFile; readonly diagnostics: readonly Diagnostic[] } {
  const texts = text.split('\n')
  if (texts.at(-1) === '') texts.pop()
  const lines: Line[] = []
  const diagnostics: Diagnostic[] = []
  const complain = (index: number, complaint: Complaint): void => {
    const source = texts[index] ?? ''
    const span = { line: index + 1, column: complaint.column, length: complaint.length }
    const message = `Corrupt line ${index + 1}: ${complaint.message}`
    diagnostics.push({ severity: 'error', message, file: name, span, source, expected: complaint.expected })
  }
  for (const [index, source] of texts.entries()) {
    const result = parseLine(source)
    if ('message' in result) complain(index, result)
    else {
      const clash = clashWith(lines, result)
      if (clash) complain(index, whole(source, clash, 'numbers and names that are unique'))
      lines.push(result)
    }
  }
  return diagnostics.length === 0 ? { file: { lines }, diagnostics } : { diagnostics }
}

interface Complaint {
  readonly message: string
  readonly expected: string
  /** 1-based. */
  readonly column: number
  readonly length: number
}

function whole(source: string, message: string, expected: string): Complaint {
  return { message, expected, column: 1, length: source.length }
}

/** Says what an entry has in common with earlier ones that it must not. */
function clashWith(lines: readonly Line[], line: Line): string | undefined {
  if (line.kind === 'comment') return undefined
  if (line.kind === 'protocol') {
    const { number, name } = line.protocol
    const twice = lines.some(
      (other) =>
        other.kind === 'protocol' && (other.protocol.number === number || other.protocol.name === name),
    )
    return twice ? 'the protocol exists already' : undefined
  }
  const { algorithm } = line
  if (!lines.some((other) => other.kind === 'protocol' && other.protocol.number === algorithm.protocol)) {
    return `no PROTO line for protocol ${algorithm.protocol} before it`
  }
  const twice = lines.some((other) => other.kind === 'algorithm' && sameAlgorithm(other.algorithm, algorithm))
  return twice ? 'the algorithm exists already' : undefined
}

/** Same protocol, and the same number or a name in common. */
export function sameAlgorithm(a: Algorithm, b: Algorithm): boolean {
  if (a.protocol !== b.protocol) return false
  const names = new Set(a.names.map((name) => name.toLowerCase()))
  return a.number === b.number || b.names.some((name) => names.has(name.toLowerCase()))
}

function parseLine(text: string): Line | Complaint {
  if (Buffer.byteLength(text) >= LINE_LIMIT) {
    return whole(text, 'too long', `fewer than ${LINE_LIMIT} bytes`)
  }
  const bare = text.trim()
  if (bare === '' || bare.startsWith('#')) return { kind: 'comment', text }
  const fields = text.trimEnd().split('|')
  const kind = (fields[0] ?? '').trim().toUpperCase()
  if (kind === 'PROTO') return parseProtocol(text, fields)
  if (kind === 'ALG') return parseAlgorithm(text, fields)
  return whole(text, 'of no known kind', 'PROTO|…, ALG|… or a comment')
}

function parseProtocol(text: string, fields: readonly string[]): Line | Complaint {
  if (fields.length !== 4) return whole(text, 'wrong number of fields', 'PROTO|NUMBER|NAME|sync or async')
  const [, number = '', name = '', mode = ''] = fields
  const value = readNumber(number, MAX_NUMBER)
  if (value === undefined) return field(fields, 1, 'Invalid protocol number.', `a number 0..${MAX_NUMBER}`)
  if (!isWord(name)) return field(fields, 2, 'Invalid protocol name.', 'a word')
  const known = readMode(mode)
  if (!known) return field(fields, 3, 'Invalid execution mode.', 'sync or async')
  return { kind: 'protocol', text, protocol: { number: value, name, mode: known } }
}

const ALG_FORM = 'ALG|PROTOCOL|NUMBER|NAMES|MECHANISM|KEY SIZES|BLOCK OR MAC SIZES[|IV,ICV,SALT|FLAGS]'

function parseAlgorithm(text: string, fields: readonly string[]): Line | Complaint {
  if (fields.length < 7 || fields.length > 9) return whole(text, 'wrong number of fields', ALG_FORM)
  const at = (index: number): string => fields[index] ?? ''
  const byte = `a number 0..${MAX_NUMBER}`
  const protocol = readNumber(at(1), MAX_NUMBER)
  if (protocol === undefined) return field(fields, 1, 'Invalid protocol number.', byte)
  const number = readNumber(at(2), MAX_NUMBER)
  if (number === undefined) return field(fields, 2, 'Invalid algorithm number.', byte)
  const names = readNames(at(3))
  if ('error' in names) return field(fields, 3, names.error, 'names with commas between them')
  if (number !== 0 && names.value.some(isKeyword)) {
    return field(fields, 3, 'Invalid algorithm name(s) value.', 'names other than any and none')
  }
  const mechanism = readMechanism(at(4))
  if ('error' in mechanism) return field(fields, 4, mechanism.error, 'a word, or - for none')
  const keySizes = readKeySizes(at(5))
  if ('error' in keySizes) return field(fields, 5, keySizes.error, 'BITS,… or DEFAULT/MIN-MAX,INCREMENT')
  const blocks = readBlockSizes(at(6))
  if ('error' in blocks) return field(fields, 6, blocks.error, 'sizes in bytes with commas between them')
  const parameters = readParameters(at(7))
  if (parameters === 'invalid')
    return field(fields, 7, 'Invalid algorithm parameters.', 'IV,ICV,SALT in bytes')
  const flags: ReturnType<typeof readFlags> = at(8) === '' ? { value: 0 } : readFlags(at(8))
  if ('error' in flags) return field(fields, 8, flags.error, 'a number')
  const algorithm: Algorithm = {
    protocol,
    number,
    names: names.value,
    mechanism: mechanism.value,
    keySizes: keySizes.value,
    blockOrMacSizes: blocks.value,
    ...(parameters && { parameters }),
    flags: flags.value,
  }
  return { kind: 'algorithm', text, algorithm }
}

function readParameters(text: string): Algorithm['parameters'] | 'invalid' {
  if (text === '') return undefined
  const numbers = text.split(',').map((part) => readNumber(part, MAX_NUMBER))
  const [iv, icv, salt] = numbers
  if (numbers.length !== 3 || iv === undefined || icv === undefined || salt === undefined) return 'invalid'
  return { iv, icv, salt }
}

function field(fields: readonly string[], index: number, message: string, expected: string): Complaint {
  const column = fields.slice(0, index).reduce((sum, text) => sum + text.length + 1, 1)
  return { message, expected, column, length: Math.max(1, fields[index]?.length ?? 0) }
}
