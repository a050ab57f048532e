import t from 'tap'
import { Lexer, stripComments, type Token } from '../../../../compat/solaris/ipsecconf/syntax/lexer.ts'

function tokens(text: string): Token[] {
  const lexer = new Lexer(text)
  const all: Token[] = []
  for (let token = lexer.next(); token.kind !== 'end'; token = lexer.next()) all.push(token)
  return all
}
const words = (text: string): string[] => tokens(text).map((token) => token.text)

const CASES: readonly (readonly [string, string, readonly string[]])[] = [
  [
    'braces need no blanks',
    '{lport 53}ipsec{auth_algs any}',
    ['{', 'lport', '53', '}', 'ipsec', '{', 'auth_algs', 'any', '}'],
  ],
  ['every blank of isspace', 'a\tb\vc\fd\re\r\nf g', ['a', 'b', 'c', 'd', 'e', 'f', 'g']],
  ['comments end at the newline', '# one\na # two\nb', ['a', 'b']],
  ['a comment starts in the middle of a word', 'ab#cd\nef', ['ab', 'ef']],
  ['a comment directly after a brace', '{}#x\n{}', ['{', '}', '{', '}']],
  ['a comment at the end without a newline', 'a # b', ['a']],
  ['a byte order mark', '\ufeff{}', ['{', '}']],
  ['nothing', '', []],
  ['a backslash is a word', 'a \\\nb', ['a', '\\', 'b']],
]

for (const [name, text, expected] of CASES) {
  t.test(name, async (t) => {
    t.same(words(text), expected)
  })
}

t.test('places count from 1, over LF and CRLF', async (t) => {
  for (const newline of ['\n', '\r\n']) {
    const [a, b, c] = tokens(`a${newline}  b # x${newline}${newline}\tc`)
    t.match(a, { line: 1, column: 1 })
    t.match(b, { line: 2, column: 3 })
    t.match(c, { line: 4, column: 2 })
  }
})

t.test('look-ahead does not take, and the end repeats', async (t) => {
  const lexer = new Lexer('a b')
  t.equal(lexer.current.text, 'a')
  t.equal(lexer.ahead().text, 'b')
  t.equal(lexer.next().text, 'a')
  t.equal(lexer.next().text, 'b')
  t.equal(lexer.next().kind, 'end')
  t.equal(lexer.next().kind, 'end')
})

t.test('comments are cut, newlines stay', async (t) => {
  t.equal(stripComments('{a # b\n c}'), '{a\n c}')
})
