import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import t from 'tap'
import { defaultAlgorithmTable as algorithms } from '../../../agent/model/default-algorithms.ts'
import { readRequest, writeAnswer, writeRefusal } from '../../../agent/sockets/message.ts'
import { SocketError } from '../../../agent/sockets/socket-error.ts'
import { socketPolicyReader } from '../../../compat/configuration/socket-policy.ts'
import { resolver } from '../../compat/configuration/support.ts'
import { violations } from '../../schemas/support.ts'
import { times } from '../../support/fuzz.ts'

const vocabulary = { algorithms, readPolicy: socketPolicyReader({ algorithms, resolver }) }
const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text)
const read = (text: string) => readRequest(bytesOf(text), vocabulary)

t.test('requests', async (t) => {
  t.same(read('?'), { form: 'binary', kind: 'query' })
  t.same(readRequest(new Uint8Array(16), vocabulary), { form: 'binary', kind: 'remove' })
  t.same(read('{"action": "query"}'), { form: 'json', kind: 'query' })
  t.same(read('{"action": "none"}'), { form: 'json', kind: 'remove' })
  t.match(read('{"action": "bypass"}'), { kind: 'set', demand: { action: { kind: 'bypass' } }, wait: 0 })
  t.match(read('{"protect": {"ah": "sha256"}, "peer": "192.0.2.1", "wait": 2.5}'), {
    kind: 'set',
    peer: { family: 'inet' },
    wait: 2.5,
  })
  t.same(read('{"action": "service"}'), { form: 'json', kind: 'service', wait: 0 })
  t.match(read('{"action": "service", "peer": "192.0.2.1", "wait": 2.5}'), {
    kind: 'service',
    peer: { family: 'inet' },
    wait: 2.5,
  })
  t.match(read('{"request": {"ipsr_esp_req": 2}}'), {
    kind: 'set',
    demand: { action: { protection: { esp: { encryption: { algorithm: 0 } } } } },
  })
})

t.test('what is no request', async (t) => {
  const wrong = [
    '',
    'x',
    '{',
    '{"action": "query", "wait": 61}',
    '{"action": "query", "protect": {}}',
    '{"action": "none", "selfEncapsulation": true}',
    '{"action": "service", "protect": {"ah": "sha256"}}',
    '{"action": "service", "service": "a.service"}',
    '{"action": "service", "selfEncapsulation": true}',
    '{"action": "bypass", "wait": -1}',
    '{"action": "bypass", "wait": "1"}',
    '{"action": "bypass", "peer": "host"}',
    '{"action": "bypass", "peer": 1}',
    '{"request": []}',
    '{"request": {"ipsr_esp_req": -1}}',
    '{"request": {"ipsr_esp_req": 2, "ipsr_esp_alg": 256}}',
    '{"request": {"ipsr_esp_req": 2, "more": 1}}',
    '{"request": {"ipsr_esp_req": 2}, "protect": {"ah": "sha256"}}',
    '{"protect": {"ah": "sha256"}, "__proto__": {}}',
  ]
  for (const text of wrong) t.throws(() => read(text), { code: 'EINVAL' }, text)
})

t.test('property: any bytes are a request or EINVAL', async () => {
  const begun = fc.uint8Array({ maxLength: 64 }).map((bytes) => Uint8Array.of(0x7b, ...bytes))
  const json = fc.json({ maxDepth: 3 }).map((text) => bytesOf(`{"protect": ${text}}`))
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 64 }), begun, json), (bytes) => {
      try {
        readRequest(bytes, vocabulary)
        return true
      } catch (error) {
        return error instanceof SocketError && error.code === 'EINVAL'
      }
    }),
    times(1000),
  )
})

t.test('requests of the schema are read', async (t) => {
  const [file, schema] = ['socket-request.schema.json', new URL('../../../../schemas/', import.meta.url)]
  const { examples } = JSON.parse(readFileSync(new URL(file, schema), 'utf8')) as { examples: object[] }
  for (const example of examples) {
    t.same(violations(file, JSON.stringify(example)), [])
    t.ok(read(JSON.stringify(example)))
  }
  for (const wrong of [{}, { action: 'drop' }, { action: 'query', protect: {} }, { request: { more: 1 } }]) {
    t.ok(violations(file, JSON.stringify(wrong)).length > 0)
    t.throws(() => read(JSON.stringify(wrong)), { code: 'EINVAL' })
  }
})

t.test('answers', async (t) => {
  const text = (bytes: Uint8Array) => {
    const json = new TextDecoder().decode(bytes)
    t.same(violations('socket-answer.schema.json', json), [])
    return JSON.parse(json)
  }
  const refusal = new SocketError('EAGAIN', 'later')
  t.same([...writeRefusal('binary', refusal)], [11, 0, 0, 0, ...bytesOf('later')])
  t.same(text(writeRefusal('json', refusal)), { errno: 11, code: 'EAGAIN', reason: 'later' })
  t.same([...writeAnswer('binary', { kind: 'done' }, algorithms)], [0, 0, 0, 0])
  t.same(text(writeAnswer('json', { kind: 'set', associations: ['ESP'], isApplied: true }, algorithms)), {
    errno: 0,
    associations: ['ESP'],
    applied: true,
  })
  const none = { kind: 'policy', demand: undefined, isInherited: false } as const
  t.same([...writeAnswer('binary', none, algorithms)], new Array(20).fill(0))
  t.match(text(writeAnswer('json', none, algorithms)), { policy: { action: 'none' } })
  const request = read('{"protect": {"encryption": "aes(256)"}}')
  if (request.kind !== 'set') return t.fail()
  const { demand } = request
  const unsayable = writeAnswer('binary', { kind: 'policy', demand, isInherited: false }, algorithms)
  t.equal(unsayable[0], 34, 'ERANGE')
})
