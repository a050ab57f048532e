/**
 * Sections of a JSON document as files of Solaris.
 *
 * @module
 */
import { defaultAlgorithmTable } from '../../../agent/model/default-algorithms.ts'
import type { Algorithms } from '../../../schemas/generated/configuration.ts'
import { EXTENSIONS } from '../../solaris/ipseckey/extension-names.ts'
import type { Token } from '../../solaris/ipseckey/lexer.ts'
import { formatCommand, quotedWord } from '../../solaris/ipseckey/print/words.ts'
import { commentLines, type SolarisItem, solarisText } from '../comments.ts'
import type { JsonDocument } from '../document.ts'
import { type JsonArray, type JsonObject, textsOf } from '../json/tree.ts'
import { algorithmLines, readAlgorithms } from '../read/algorithms.ts'
import { associationSyntax } from '../read/associations.ts'
import { Flaws } from '../validate.ts'

/** `associations` as a key file. What the language cannot say is reported. */
export function associationsToSolaris(
  document: JsonDocument,
  items: JsonArray,
  head: readonly string[],
): string {
  const refuseReference = (reference: JsonObject): undefined => {
    document.report.error(document.token(reference), 'A key file of Solaris holds the keys themselves', {
      hint: 'Put the digits in place of the reference to convert.',
    })
  }
  // Nothing is written where a key is missing, so the algorithms are none of its business.
  const table = defaultAlgorithmTable
  const syntaxes = associationSyntax(document, items, '/associations', new Flaws([]), refuseReference, table)
  const texts = new Map(
    syntaxes.map(({ node, entry }) => [node, formatCommand(groupsOf(document, entry.tokens))]),
  )
  const entries = items.items.flatMap((node): SolarisItem[] => {
    if (node.kind !== 'object') return []
    const comment = commentLines(textsOf(node.members.get('comment')?.value))
    const text = texts.get(node)
    return [text === undefined ? { comment } : { comment, text }]
  })
  return solarisText([{ comment: head }, ...entries])
}

/** `add TYPE`, then each name with its values. */
function groupsOf(document: JsonDocument, tokens: readonly Token[]): string[][] {
  const groups: string[][] = []
  let values = 2
  for (const token of tokens) {
    const word = quotedWord(token.text)
    if (word === undefined) {
      document.report.error(
        document.tokenOf(token),
        'ipseckeys has no way to write a quote in text with blanks',
        {
          expected: 'text without a double quote or a newline',
        },
      )
    }
    if (values > 0) {
      const group = groups.at(-1)
      if (group) group.push(word ?? '')
      else groups.push([word ?? ''])
      values--
    } else {
      groups.push([word ?? ''])
      values = valueCount(token.text)
    }
  }
  return groups
}

function valueCount(extension: string): number {
  const slot = EXTENSIONS.get(extension)?.slot
  if (slot === 'inbound' || slot === 'outbound') return 0
  return slot === 'sourceIdentity' || slot === 'destinationIdentity' ? 2 : 1
}

/** `algorithms` as an `ipsecalgs` file. What is wrong with the table is reported. */
export function algorithmsToSolaris(
  document: JsonDocument,
  section: Algorithms,
  head: readonly string[],
): string {
  if (!readAlgorithms(document, section, ['algorithms'])) return ''
  const lines = algorithmLines(section, ['algorithms'])
  const items = lines.map(({ comment, text }): SolarisItem => ({ comment: commentLines(comment), text }))
  return solarisText([{ comment: head }, { comment: commentLines(section.comment) }, ...items])
}
