import fc from 'fast-check'
import t from 'tap'
import {
  ControlError,
  code,
  formatError,
  formatNotification,
  formatResult,
  parseRequest,
} from '../../../../agent/daemon/control/protocol.ts'
import { times } from '../../../support/fuzz.ts'

/** The code that a line is refused with. */
function refusalOf(line: string): number | undefined {
  try {
    parseRequest(line)
    return undefined
  } catch (error) {
    return error instanceof ControlError ? error.code : undefined
  }
}

t.test('requests', async (t) => {
  t.same(parseRequest('{"jsonrpc":"2.0","id":1,"method":"a"}'), { id: 1, method: 'a', params: {} })
  t.same(parseRequest('{"jsonrpc":"2.0","method":"a","params":{"b":2}}'), { method: 'a', params: { b: 2 } })
  for (const [line, wanted] of [
    ['', code.PARSE_ERROR],
    ['{', code.PARSE_ERROR],
    ['[]', code.INVALID_REQUEST],
    ['null', code.INVALID_REQUEST],
    ['{"id":1,"method":"a"}', code.INVALID_REQUEST],
    ['{"jsonrpc":"2.0","id":{},"method":"a"}', code.INVALID_REQUEST],
    ['{"jsonrpc":"2.0","id":1,"method":1}', code.INVALID_REQUEST],
    ['{"jsonrpc":"2.0","id":1,"method":"a","params":[1]}', code.INVALID_PARAMS],
  ] as const) {
    t.equal(refusalOf(line), wanted, line)
  }
})

t.test('whatever comes, it is a request or a refusal', async () => {
  const method = fc.json().map((text) => `{"jsonrpc":"2.0","method":${text}}`)
  const line: fc.Arbitrary<string> = fc.oneof(fc.string(), fc.json(), method)
  fc.assert(
    fc.property(line, (text) => {
      try {
        return typeof parseRequest(text).method === 'string'
      } catch (error) {
        return error instanceof ControlError
      }
    }),
    { seed: 4, ...times(1000) },
  )
})

t.test('answers are one line each', async (t) => {
  t.equal(formatResult('x', undefined), '{"jsonrpc":"2.0","id":"x","result":null}\n')
  t.equal(
    formatError(null, new ControlError(code.FAILED, 'two\nlines')),
    '{"jsonrpc":"2.0","id":null,"error":{"code":-32002,"message":"two\\nlines"}}\n',
  )
  t.equal(
    formatNotification('agent.event', { a: 1 }),
    '{"jsonrpc":"2.0","method":"agent.event","params":{"a":1}}\n',
  )
})
