/**
 * What `ipsecalgs` and `ipsecalgs -l` print.
 *
 * @module
 */
import type { Algorithm, AlgorithmTable, KeySizes } from '../../../agent/model/algorithm.ts'
import { FLAG_VALID } from '../../../agent/model/algorithm.ts'
import { formatFlags } from './fields.ts'

/** The file's contents, by protocol. */
export function listFile(table: AlgorithmTable): string {
  return list('List of algorithms, grouped by IPsec protocol:', table, (entry) => [
    ...identity(entry),
    `Algorithm names: ${entry.names.join(',')}`,
    ...properties(entry),
    ...(entry.flags === 0 ? [] : [`Algorithm flags: ${formatFlags(entry.flags)}`]),
  ])
}

/**
 * The kernel's list: numbers and mechanisms, no names.
 *
 * @param table as synchronised: the VALID bit says what the kernel has
 */
export function listKernel(table: AlgorithmTable): string {
  return list('Kernel list of algorithms:', table, (entry) => [
    ...identity(entry),
    ...properties(entry),
    `Algorithm flags: ${isValid(entry) ? formatFlags(entry.flags) : invalid(entry.flags)}`,
  ])
}

/** A listing for programs, `--json`. `valid` is there for the kernel's list only. */
export function listJson(table: AlgorithmTable, kernel: boolean): string {
  const protocols = table.protocols.map(({ number, name, mode }) => ({
    number,
    name,
    mode,
    algorithms: table.algorithms
      .filter((entry) => entry.protocol === number)
      .map((entry) => ({
        number: entry.number,
        names: entry.names,
        mechanism: entry.mechanism,
        keySizes: entry.keySizes,
        blockOrMacSizes: entry.blockOrMacSizes,
        ...(entry.parameters && { parameters: entry.parameters }),
        flags: entry.flags,
        ...(kernel && { valid: isValid(entry) }),
      })),
  }))
  return `${JSON.stringify({ protocols }, undefined, 2)}\n`
}

function isValid(entry: Pick<Algorithm, 'flags'>): boolean {
  return (entry.flags & FLAG_VALID) !== 0
}

function invalid(flags: number): string {
  return ['INVALID', ...(flags === 0 ? [] : [formatFlags(flags)])].join(',')
}

function list(title: string, table: AlgorithmTable, describe: (entry: Algorithm) => string[]): string {
  let text = `${title}\n`
  for (const { number, name, mode } of table.protocols) {
    text += `\nProtocol ${number}/${name} (execution mode: ${mode})\n`
    const entries = table.algorithms.filter((entry) => entry.protocol === number)
    text += entries
      .map((entry) =>
        describe(entry)
          .map((line) => `\t${line}\n`)
          .join(''),
      )
      .join('\n')
  }
  return text
}

function identity(entry: Algorithm): string[] {
  return [`Protocol number: ${entry.protocol}`, `Algorithm number: ${entry.number}`]
}

function properties(entry: Algorithm): string[] {
  const { parameters } = entry
  return [
    `Mechanism Name: ${entry.mechanism}`,
    `Block sizes or MAC sizes: ${entry.blockOrMacSizes.join(',')}`,
    `Key sizes: ${describeKeySizes(entry.keySizes)}`,
    ...(parameters
      ? [`Algorithm parameters: IV ${parameters.iv}, ICV ${parameters.icv}, salt ${parameters.salt} bytes`]
      : []),
  ]
}

function describeKeySizes(sizes: KeySizes): string {
  if (sizes.kind === 'list') return sizes.sizes.join(',')
  return `${sizes.min}-${sizes.max}, increment ${sizes.step}, default ${sizes.default}`
}
