import fc from 'fast-check'
import t from 'tap'
import { SERVICES } from '../../../../compat/commands/services/catalogue.ts'
import { matcher, namesOf, resolve } from '../../../../compat/commands/services/fmri.ts'

const names = (word: string): string[] => resolve(word).services.map(({ name }) => name)

t.test('all that a service may be called', async (t) => {
  for (const word of [
    'svc:/network/ipsec/policy:default',
    'svc:/network/ipsec/policy',
    'svc://localhost/network/ipsec/policy:default',
    '/network/ipsec/policy',
    'network/ipsec/policy:default',
    'network/ipsec/policy',
    'ipsec/policy',
    'policy:default',
    'policy',
  ]) {
    t.same(names(word), ['policy'], word)
  }
  for (const word of [
    '',
    'pol',
    'sec/policy',
    'policy:',
    'policy:other',
    'ssh',
    'svc:/',
    'network',
    '../policy',
    'POLICY',
  ]) {
    t.same(names(word), [], JSON.stringify(word))
  }
  t.same(names('default').length, SERVICES.length, 'the name of an instance')
  t.notOk(resolve('default').isPattern)
})

t.test('glob patterns', async (t) => {
  t.same(names('*ipsec*'), ['ipsecalgs', 'policy', 'manual-key', 'agent'])
  t.same(names('svc:/network/ipsec/*'), ['ipsecalgs', 'policy', 'manual-key', 'agent'])
  t.same(names('ipsec/p*'), ['policy'])
  t.same(names('polic?'), ['policy'])
  t.same(names('[ap]*'), ['policy', 'agent'])
  t.same(names('[!n-z/]*-key'), ['manual-key'])
  t.same(names('[]x]*'), [])
  t.same(names('*ssh*'), [])
  t.ok(resolve('polic?').isPattern)
})

t.test('patterns fit what they say', async (t) => {
  t.pass('or fast-check throws')
  fc.assert(
    fc.property(fc.string(), (text) => {
      const literal = text.replace(/[\\*?[]/g, '\\$&')
      return matcher(literal)(text) && matcher('*')(text) && matcher(`*${literal}`)(`x${text}`)
    }),
  )
  fc.assert(
    fc.property(fc.string(), fc.string(), (pattern, text) => {
      const parts = pattern.split('*').map((part) => part.replace(/[^\w]/g, ''))
      const plain = parts.join('*')
      const expected = new RegExp(`^${parts.join('[^]*')}$`).test(text)
      return matcher(plain)(text) === expected
    }),
  )
})

t.test('no pattern takes long', async (t) => {
  const started = performance.now()
  t.notOk(matcher(`${'*a'.repeat(200)}b`)('a'.repeat(4000)))
  t.ok(performance.now() - started < 2000)
})

t.test('no two services share a name, but that of the instance', async (t) => {
  const all = SERVICES.flatMap(namesOf).filter((name) => name !== 'default')
  t.equal(new Set(all).size, all.length)
})
