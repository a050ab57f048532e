/**
 * What a language of another tool cannot say: never left out without a word.
 *
 * @module
 */
import { formatAddress } from '../../agent/model/address.ts'
import type { SecurityAssociation } from '../../agent/model/association.ts'
import type { Rule } from '../../agent/model/policy.ts'
import { printable } from '../diagnostics.ts'

/** Something that is not in the output, or only in part. */
export interface Unsaid {
  readonly file: string
  /** 1-based. */
  readonly line: number
  /** The rule as written, or the name of the SA or section. Holds no key. */
  readonly text: string
  /** Why, and where it helps, the way out. */
  readonly reason: string
}

/** An SA and where it was written. */
export interface PlacedAssociation {
  readonly association: SecurityAssociation
  readonly file: string
  readonly line: number
}

export function unsaidRule({ file, span, text }: Rule, reason: string): Unsaid {
  return { file, line: span.line, text, reason }
}

export function unsaidAssociation({ association, file, line }: PlacedAssociation, reason: string): Unsaid {
  return { file, line, text: associationName(association), reason }
}

/** Protocol, number and both ends of an SA: enough to know it by, and no key. */
export function associationName({ protocol, spi, source, destination }: SecurityAssociation): string {
  return `${protocol} spi 0x${spi.toString(16)} src ${formatAddress(source)} dst ${formatAddress(destination)}`
}

/** Two lines for each: place and reason, then what was written. Neither can end a comment that they stand in. */
export function unsaidLines(unsaid: readonly Unsaid[]): string[] {
  return unsaid.flatMap(({ file, line, text, reason }) => [
    oneLine(`${file}:${line}: not said: ${reason}`),
    `    ${oneLine(text)}`,
  ])
}

/** Text as one line that may be shown, or stand in a comment. */
export function oneLine(text: string): string {
  return printable(text.replace(/\s+/g, ' ').trim())
}

/** What is kept with an SA for people and for other commands, and has no place in the kernel: in the words of ipseckey. */
export function bookkeeping(sa: SecurityAssociation): string[] {
  const { idle, soft, hard, encapsulation } = sa
  return [
    ...(idle.addTime !== 0n || idle.useTime !== 0n ? ['idle limits'] : []),
    ...(soft.allocations !== 0n || hard.allocations !== 0n ? ['limits of allocations'] : []),
    ...(sa.pairSpi === undefined ? [] : ['the pair']),
    ...(sa.sourceIdentity || sa.destinationIdentity ? ['identities'] : []),
    ...(encapsulation?.local || encapsulation?.remote ? ['addresses of address translation'] : []),
  ]
}
