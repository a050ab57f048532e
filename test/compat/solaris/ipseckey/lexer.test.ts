import t from 'tap'
import { isContinued, lex, SourceText } from '../../../../compat/solaris/ipseckey/lexer.ts'

function words(text: string): string[][] {
  return [...lex(text)].map(({ tokens }) => tokens.map((token) => token.text))
}

const CASES: [name: string, text: string, expected: string[][]][] = [
  ['blanks of every kind separate words', ' a\tb\v c\fd \r\n', [['a', 'b', 'c', 'd']]],
  ['each line is an entry, empty ones are none', 'a\n\n  \nb', [['a'], ['b']]],
  ['a backslash before the newline joins lines', 'a \\\n  b', [['a', 'b']]],
  ['a join adds no blank', 'spi 1\\\nsrc a', [['spi', '1src', 'a']]],
  ['joins in a row', 'a\\\n\\\nb \\\n\\\n c', [['ab', 'c']]],
  ['a join before a blank ends the word', 'a\\\n b', [['a', 'b']]],
  ['a backslash elsewhere is a word', 'a \\ \nb', [['a', '\\'], ['b']]],
  ['a backslash before CR LF does not join', 'a \\\r\nb', [['a', '\\'], ['b']]],
  ['an empty line ends a continued entry', 'a \\\n\nb', [['a'], ['b']]],
  ['a backslash at the end of the file is a word', 'a \\', [['a', '\\']]],
  ['comments', '# a\n  # b\nc', [['c']]],
  ['a comment is one only where it begins the joined command', ' \\\n # a\nb', [['b']]],
  ['a hash within a command is a word', 'a # b', [['a', '#', 'b']]],
  ['quotes group blanks', 'a "b c" d', [['a', 'b c', 'd']]],
  ['a quote within a word is literal', 'a b"c d"', [['a', 'b"c', 'd"']]],
  ['quotes across a join', '"a\\\nb" c', [['ab', 'c']]],
  ['a byte order mark is no word', '\ufeffa', [['a']]],
]

for (const [name, text, expected] of CASES) {
  t.test(name, (t) => {
    t.same(words(text), expected)
    t.end()
  })
}

const PROBLEMS: [text: string, kinds: string[]][] = [
  ['a "b', ['unterminated-quote']],
  ['a "b"c d', ['text-after-quote']],
  ['a "b"\\\nc d', ['text-after-quote']],
  ['a "" b', ['empty-quote']],
  ['# a \\\nadd esp', ['comment-swallows']],
  ['# a \\\n# b', []],
  ['# a \\\n\nb', []],
  ['a "b"\\\n c', []],
]

for (const [text, kinds] of PROBLEMS) {
  t.test(`problems of ${JSON.stringify(text)}`, (t) => {
    t.same(
      [...lex(text)].flatMap(({ problems }) => problems.map(({ kind }) => kind)),
      kinds,
    )
    t.end()
  })
}

t.test('entries and words know their places', (t) => {
  const text = 'a\nb \\\n "c d"\n'
  const entry = [...lex(text)][1]
  t.same([entry?.firstLine, entry?.lastLine], [2, 3])
  t.equal(text.slice(entry?.start, entry?.end), 'b \\\n "c d"')
  const source = new SourceText(text, 'f')
  t.same(
    entry?.tokens.map((token) => source.position(token.start)),
    [
      { line: 2, column: 1 },
      { line: 3, column: 2 },
    ],
  )
  t.equal(text.slice(entry?.tokens[1]?.start, entry?.tokens[1]?.end), '"c d"')
  t.end()
})

t.test('isContinued', (t) => {
  t.equal(isContinued('add esp \\'), true)
  t.equal(isContinued('add esp \\ '), false)
  t.end()
})
