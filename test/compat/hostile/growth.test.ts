/**
 * Texts of very many pieces, each piece wrong in its own way or right: the time that a parser takes grows as they do, and
 * no number of errors is too large for it. A part of a parser's name as argument takes that one alone.
 */
import t from 'tap'
import { plainDiagnostics, renderDiagnostics } from '../../../compat/diagnostics.ts'
import { growth } from '../../support/hostile.ts'
import { read } from '../configuration/support.ts'

/** What makes a text of so many pieces, by what it is made of. */
type Growing = Readonly<Record<string, (count: number) => string>>

interface Parser {
  readonly take: (text: string) => void
  readonly texts: Growing
}

/** One piece after the other; each knows its number. */
function many(count: number, piece: (index: number) => string, between = ''): string {
  return Array.from({ length: count }, (_, index) => piece(index)).join(between)
}

const items = (section: string, item: (index: number) => string) => (count: number) =>
  `{"${section}":[${many(count, item, ',')}]}`

const parsers: Readonly<Record<string, Parser>> = {
  'JSON document': {
    take: (text) => {
      const { diagnostics } = read(text)
      renderDiagnostics(diagnostics)
      JSON.stringify(plainDiagnostics(diagnostics))
    },
    texts: {
      'policies with a wrong member': items('policies', () => '{"a":1}'),
      'unknown members': (count) => `{${many(count, (index) => `"m${index}":${index}`, ',')}}`,
      'members that are there twice': (count) => `{${many(count, (index) => `"m${index >> 1}":0`, ',')}}`,
    },
  },
}

t.setTimeout(0)
const wanted = process.argv[2] ?? ''
for (const [name, { take, texts }] of Object.entries(parsers)) {
  if (!name.includes(wanted)) continue
  t.test(name, async (t) => {
    for (const [what, make] of Object.entries(texts))
      t.comment(`${what}: ${growth(make, take).toFixed(0)} ms`)
  })
}
