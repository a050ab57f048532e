import t from 'tap'
import { nearest } from '../../compat/nearest.ts'

const WORDS = ['laddr', 'raddr', 'lport', 'dst', 'negotiate']

t.test('the nearest word', async (t) => {
  const cases: readonly (readonly [string, string | undefined])[] = [
    ['ladr', 'laddr'],
    ['LADDR', 'laddr'],
    ['dest', 'dst'],
    ['negociate', 'negotiate'],
    ['laddr', 'laddr'],
    ['x', undefined],
    ['anything', undefined],
    ['', undefined],
    ['l'.repeat(1000), undefined],
  ]
  for (const [word, expected] of cases) t.equal(nearest(word, WORDS), expected, word)
})
