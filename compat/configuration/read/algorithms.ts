/**
 * The algorithm table of a JSON document as lines of `ipsecalgs`, which are checked as those of the file are.
 *
 * @module
 */
import type { AlgorithmTable, KeySizes } from '../../../agent/model/algorithm.ts'
import type { AlgorithmProtocol, Algorithms } from '../../../schemas/generated/configuration.ts'
import { formatKeySizes, formatSizes } from '../../solaris/ipsecalgs/fields.ts'
import { parseAlgorithmFile, tableOf } from '../../solaris/ipsecalgs/file.ts'
import type { JsonDocument } from '../document.ts'

type Algorithm = NonNullable<AlgorithmProtocol['algorithms']>[number]

/** A line, and where in the document each of its fields comes from. */
export interface AlgorithmLine {
  readonly text: string
  /** Path of the object. */
  readonly path: readonly string[]
  /** Members by place in the line; '' is the object itself. */
  readonly fields: readonly string[]
  readonly comment: Algorithm['comment']
}

const PROTOCOL_FIELDS = ['', 'number', 'name', 'mode']
const ALGORITHM_FIELDS = [
  ...['', '', 'number', 'names', 'mechanism', 'keySizes', 'blockOrMacSizes'],
  ...['parameters', 'flags'],
]

/** The lines of a table, each protocol followed by its algorithms. */
export function algorithmLines({ protocols = [] }: Algorithms, path: readonly string[]): AlgorithmLine[] {
  return protocols.flatMap((protocol, index) => {
    const here = [...path, 'protocols', String(index)]
    const { number, name, mode = 'sync', algorithms = [], comment } = protocol
    return [
      { text: `PROTO|${number}|${name}|${mode}`, path: here, fields: PROTOCOL_FIELDS, comment },
      ...algorithms.map((algorithm, place) => ({
        text: lineOf(number, algorithm),
        path: [...here, 'algorithms', String(place)],
        fields: ALGORITHM_FIELDS,
        comment: algorithm.comment,
      })),
    ]
  })
}

function lineOf(protocol: number, algorithm: Algorithm): string {
  const { number, names, mechanism, keySizes, blockOrMacSizes, parameters, flags = 0 } = algorithm
  const fields = [
    ...['ALG', protocol, number, names.join(','), mechanism || '-'],
    ...[formatKeySizes(keySizesOf(keySizes)), formatSizes(blockOrMacSizes)],
  ]
  if (parameters || flags !== 0) {
    fields.push(parameters ? `${parameters.iv},${parameters.icv},${parameters.salt}` : '', flags)
  }
  return fields.join('|')
}

/** What the kind asks for is there: the schema has seen to it. */
function keySizesOf({
  kind,
  sizes = [],
  default: usual = 0,
  min = 0,
  max = 0,
  step = 0,
}: Algorithm['keySizes']): KeySizes {
  return kind === 'range' ? { kind, default: usual, min, max, step } : { kind, sizes }
}

/** The table of a section that the schema has accepted; `undefined` where something is wrong with it. */
export function readAlgorithms(
  document: JsonDocument,
  section: Algorithms,
  path: readonly string[],
): AlgorithmTable | undefined {
  const lines = algorithmLines(section, path)
  const text = lines.map((line) => `${line.text}\n`).join('')
  const { file, diagnostics } = parseAlgorithmFile(text, document.file)
  for (const { message, expected, span } of diagnostics) {
    const line = lines[span.line - 1]
    if (!line) continue
    const whole = span.length === line.text.length
    const field = line.text.slice(0, span.column - 1).split('|').length - 1
    const member = whole ? '' : (line.fields[field] ?? '')
    const bare = message.replace(/^Corrupt line \d+: /, '')
    document.error(
      member === '' ? line.path : [...line.path, member],
      bare,
      expected === undefined ? {} : { expected },
    )
  }
  return file && tableOf(file)
}
