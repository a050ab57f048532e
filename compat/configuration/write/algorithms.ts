/**
 * An `ipsecalgs` file as JSON.
 *
 * @module
 */
import type { KeySizes } from '../../../agent/model/algorithm.ts'
import type { Diagnostic } from '../../../agent/model/diagnostic.ts'
import { append } from '../../../agent/model/lists.ts'
import type { AlgorithmProtocol, Algorithms, Comment } from '../../../schemas/generated/configuration.ts'
import { type Line, parseAlgorithmFile } from '../../solaris/ipsecalgs/file.ts'
import { commentOf, textOfComment } from '../comments.ts'
import { attach } from './attach.ts'

type JsonAlgorithm = NonNullable<AlgorithmProtocol['algorithms']>[number]

export interface AlgorithmsFromSolaris {
  readonly algorithms: Algorithms
  readonly diagnostics: readonly Diagnostic[]
}

/** The file as the section `algorithms`. Use it only where no diagnostic is an error. */
export function algorithmsFromSolaris(text: string, name: string): AlgorithmsFromSolaris {
  const { file, diagnostics } = parseAlgorithmFile(text, name)
  const numbered = (file?.lines ?? []).map((line, index) => ({ line, number: index + 1 }))
  const comments = numbered.filter(({ line }) => line.kind === 'comment' && line.text.trim() !== '')
  const entries = numbered.filter(({ line }) => line.kind !== 'comment')
  const attached = attach(
    comments.map(({ line, number }) => ({ text: textOfComment(line.text), line: number, start: number })),
    entries.map(({ number }) => ({ start: number, end: number + 1, firstLine: number, lastLine: number })),
  )
  const protocols: AlgorithmProtocol[] = []
  const rest: string[] = []
  for (const [index, { standing, own }] of attached.entries()) {
    // Blocks between entries go with the one that follows: the table has no place for them alone.
    const comment = index === 0 ? own : joined([...standing, own])
    if (index === 0) append(rest, joined(standing))
    const entry = entries[index]
    if (entry) add(protocols, entry.line, commentOf(comment))
    else append(rest, comment)
  }
  const comment = commentOf(rest)
  return { algorithms: { ...(comment !== undefined && { comment }), protocols }, diagnostics }
}

/** Blocks with an empty line between them. */
function joined(blocks: readonly (readonly string[])[]): string[] {
  return blocks
    .filter((block) => block.length > 0)
    .flatMap((block, index) => (index > 0 ? ['', ...block] : block))
}

function add(protocols: AlgorithmProtocol[], line: Line, comment: Comment | undefined): void {
  const said = comment !== undefined && { comment }
  if (line.kind === 'protocol') protocols.push({ ...said, ...line.protocol, algorithms: [] })
  else if (line.kind === 'algorithm') {
    const { protocol, names, mechanism, keySizes, blockOrMacSizes, parameters, flags, number } =
      line.algorithm
    const [first = '', ...others] = names
    const algorithm: JsonAlgorithm = {
      ...said,
      number,
      names: [first, ...others],
      mechanism,
      keySizes: jsonKeySizes(keySizes),
      blockOrMacSizes: [...blockOrMacSizes],
      ...(parameters && { parameters: { ...parameters } }),
      ...(flags !== 0 && { flags }),
    }
    protocols.find((one) => one.number === protocol)?.algorithms?.push(algorithm)
  }
}

function jsonKeySizes(sizes: KeySizes): JsonAlgorithm['keySizes'] {
  return sizes.kind === 'list' ? { kind: 'list', sizes: [...sizes.sizes] } : { ...sizes }
}
