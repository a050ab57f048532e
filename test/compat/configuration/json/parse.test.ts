/**
 * The parser against `JSON.parse`, and what it knows beyond: places, and names that are there twice.
 */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { formatJson } from '../../../../compat/configuration/json/format.ts'
import { parseJson } from '../../../../compat/configuration/json/parse.ts'
import {
  type JsonNode,
  nodeAt,
  pathAt,
  pathOf,
  plainValue,
  pointerOf,
} from '../../../../compat/configuration/json/tree.ts'
import { times } from '../../../support/fuzz.ts'

/** As `JSON.parse` has it: with prototypes. */
function valueIn(text: string): unknown {
  const { root, problems } = parseJson(text)
  assert.deepEqual(problems, [])
  return root && JSON.parse(JSON.stringify(plainValue(root)))
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

t.test('every value is read as JSON.parse reads it', async () => {
  const property = fc.property(fc.json(), fc.nat({ max: 4 }), (text, indent) => {
    const value: unknown = JSON.parse(text)
    for (const written of [text, JSON.stringify(value, undefined, indent), formatJson(value)]) {
      assert.deepEqual(valueIn(written), JSON.parse(JSON.stringify(value)))
    }
  })
  fc.assert(property, times(200))
})

const PIECES = [
  ...'{}[]",:\\/#\'0123456789.-+eEtrufalsn \t\n\r\0\u2028\ud800'.split(''),
  'null',
  '\\u00e9',
  '1e999',
  '""',
]

t.test('what JSON.parse refuses is refused, and nothing else', async () => {
  const soup = fc.array(fc.constantFrom(...PIECES), { maxLength: 12 }).map((pieces) => pieces.join(''))
  const cut = fc
    .tuple(fc.json(), fc.nat(), fc.nat({ max: 2 }), fc.constantFrom('', ...PIECES))
    .map(([text, at, remove, piece]) => {
      const place = at % (text.length + 1)
      return text.slice(0, place) + piece + text.slice(place + remove)
    })
  const property = fc.property(fc.oneof(soup, cut), (text) => {
    const { root, problems } = parseJson(text)
    const isTwice = problems.length > 0 && problems.every(({ message }) => message.includes('already'))
    assert.equal(isTwice || problems.length === 0, isJson(text), JSON.stringify(text))
    assert.equal(root !== undefined, isJson(text))
    for (const { start, end } of problems) assert.ok(start >= 0 && start <= text.length && end >= start)
  })
  fc.assert(property, times(1000))
})

t.test('every node knows its place', async () => {
  const property = fc.property(fc.json(), (json) => {
    const text = formatJson(JSON.parse(json))
    const { root } = parseJson(text)
    assert.ok(root)
    visit(root, [], (node, path) => {
      assert.deepEqual(
        JSON.parse(text.slice(node.start, node.end)),
        JSON.parse(JSON.stringify(plainValue(node))),
      )
      assert.equal(nodeAt(root, path)?.value, node)
      assert.deepEqual(pathAt(root, node.start), path)
      assert.deepEqual(pathOf(pointerOf(path)), path)
    })
  })
  fc.assert(property, times(200))
})

function visit(node: JsonNode, path: string[], check: (node: JsonNode, path: string[]) => void): void {
  if (node.kind === 'array')
    for (const [index, item] of node.items.entries()) visit(item, [...path, `${index}`], check)
  else if (node.kind === 'object') {
    for (const [name, { value }] of node.members) visit(value, [...path, name], check)
  }
  check(node, path)
}

const WRONG: readonly (readonly [string, RegExp, at: number])[] = [
  ['', /empty/, 0],
  [' \n', /empty/, 2],
  ['{"a": 1} // so', /no comments/, 9],
  ['# so\n{}', /no comments/, 0],
  ["{'a': 1}", /double quotes/, 1],
  ['{a: 1}', /name of a member, in double quotes/, 1],
  ['{"a" 1}', /`:`/, 5],
  ['{"a": 1 "b": 2}', /`,` or `}`/, 8],
  ['[1 2]', /`,` or `]`/, 3],
  ['[1,]', /Nothing follows the comma/, 3],
  ['{"a": 1,}', /Nothing follows the comma/, 8],
  ['{"a": 0x10}', /no number/, 6],
  ['{"a": 01}', /no number/, 6],
  ['{"a": yes}', /double quotes/, 6],
  ['{"a": "b\n"}', /closing double quote/, 6],
  ['{"a": "\t"}', /control character/, 7],
  ['{"a": "\\x"}', /means nothing/, 7],
  ['{"a": 1', /ends where/, 7],
  ['{"a": 1, "b": 2, "a": 3}', /already/, 17],
]
for (const [text, message, at] of WRONG) {
  t.test(JSON.stringify(text), async (t) => {
    const { problems } = parseJson(text)
    t.match(problems, [{ message, start: at }])
    t.equal(problems.length, 1)
  })
}

t.test('every name that is there twice is told, and the rest is read', async (t) => {
  const { root, problems } = parseJson('{"a": {"b": 1, "b": 2}, "a": 3, "c": 4}')
  t.equal(problems.length, 2)
  t.same(root && JSON.parse(JSON.stringify(plainValue(root))), { a: { b: 1 }, c: 4 })
})

t.test('no name means anything by itself', async (t) => {
  const { root } = parseJson('{"__proto__": {"x": 1}, "constructor": 2}')
  t.same(root && Object.keys(plainValue(root) as object), ['__proto__', 'constructor'])
  t.equal(({} as { x?: unknown }).x, undefined)
})

t.test('brackets without end', async (t) => {
  for (const text of ['['.repeat(100_000), '{"a":'.repeat(100_000)]) {
    t.match(parseJson(text).problems, [{ message: /brackets stand within each other/ }])
  }
})
