import t from 'tap'
import { formatAddress } from '../../../../../agent/model/address.ts'
import type { Diagnostic } from '../../../../../agent/model/diagnostic.ts'
import { ConflictError } from '../../../../../agent/reconcile/joint-plan.ts'
import { LockedError } from '../../../../../agent/reconcile/store.ts'
import { describeError } from '../../../../../compat/commands/solipsec/agent/describe.ts'
import { awaited } from '../../../../../compat/commands/solipsec/agent/load.ts'
import {
  AwaitedNamesError,
  missingNames,
  partWithoutNames,
  writtenForm,
} from '../../../../../compat/commands/solipsec/agent/part.ts'
import { FileErrors } from '../../../../../compat/commands/solipsec/change/configuration.ts'
import { addedBy } from '../../../../../compat/configuration/read/files.ts'
import { parsePolicy } from '../../../../../compat/solaris/ipsecconf/index.ts'
import { ADD, algorithms, options, parse } from '../../../solaris/ipseckey/support.ts'

const problem = (message: string, line: number, unresolved?: string): Diagnostic => ({
  severity: 'error',
  message,
  file: 'f',
  span: { line, column: 2, length: 1 },
  ...(unresolved !== undefined && { unresolved }),
})
const warning: Diagnostic = { ...problem('Hm', 9), severity: 'warning' }
const two = [problem('Could not resolve address a.', 1, 'a'), problem('Could not resolve address b.', 3, 'b')]

t.test('names count where nothing else is wrong', async (t) => {
  t.same(missingNames([]), [])
  t.same(missingNames([...two, warning, problem('again', 5, 'a')]), ['a', 'b'])
  t.equal(missingNames([...two, problem('Bad', 2)]), undefined)
})

t.test('what is told of them', async (t) => {
  const settings = { algorithms, drift: 'enforce' } as const
  const lines = 'f:1:2: Could not resolve address a. f:3:2: Could not resolve address b.'
  t.equal(describeError(new AwaitedNamesError(two)), `No address is known for a, b. ${lines}`)
  t.equal(
    describeError(new AwaitedNamesError(two, settings)),
    `No address is known for a, b. Rules and SAs that name them are not in force: packets of these hosts are dealt with as other rules say, and pass in clear where none does. ${lines}`,
  )
  const many = Array.from({ length: 20 }, (_, i) => problem(`no ${i}`, i + 1, `h${i}`))
  t.match(describeError(new AwaitedNamesError(many)), /h6, h7 and 12 more\. .*no 7\.$/)
  const failure = new FileErrors([problem('Bad', 2)])
  t.equal(describeError(failure), '1 error; nothing was changed. f:2:2: Bad.')
  t.match(describeError(new AwaitedNamesError(two, settings, failure)), /address b\. 1 error/)

  t.same(awaited(new AwaitedNamesError(two)), { isTunnel: false, names: ['a', 'b'] })
  t.same(awaited(new AwaitedNamesError(two, settings, failure)), {
    isTunnel: true,
    names: ['a', 'b'],
    settings,
  })
  t.equal(awaited(failure), undefined)
  t.equal(awaited(new Error('x')), undefined)
  const full = Object.assign(new Error('x'), { code: 'ENOSPC', syscall: 'write' })
  t.match(awaited(full), { names: [], passing: 'system' })
  for (const error of [new ConflictError([]), new LockedError('x', 1)]) {
    t.match(awaited(error), { names: [], passing: 'others' }, 'not for what is in the file')
  }
})

const back = 'add esp spi 0x4321 src 198.51.100.2 dst 192.0.2.1'
const rest = ADD.slice(ADD.indexOf('encr_alg'))
const associationsOf = (...lines: string[]) => addedBy(parse(lines.join('\n')))

t.test('SAs without their names', async (t) => {
  const plain = associationsOf(ADD)
  const lone = associationsOf(ADD, `${back} ${rest} pair-spi 0x9999`)
  const pair = associationsOf(ADD, `${back} ${rest} pair-spi 0x1234`)
  const base = { algorithms, hasAlgorithms: false }
  const texts = (part: ReturnType<typeof partWithoutNames>) =>
    part.associations?.map(({ spi, destination }) => `${spi} ${formatAddress(destination)}`)
  const one = ['4660 198.51.100.2']
  t.same(texts(partWithoutNames({ ...base, associations: plain }, [])), one)
  t.same(texts(partWithoutNames({ ...base, associations: lone }, [])), one, 'no half of a pair')
  t.same(texts(partWithoutNames({ ...base, associations: pair }, [])), [...one, '17185 192.0.2.1'])
  t.same(texts(partWithoutNames({ ...base, associations: pair }, plain)), [...one, '17185 192.0.2.1'])
  t.notOk(
    'associations' in partWithoutNames({ ...base, associations: plain }, pair),
    'none that is there goes',
  )
  const none = { ...base, rules: [] }
  t.equal(partWithoutNames(none, plain), none)
})

t.test('rules are known by what was written', async (t) => {
  const rules = (host: string, text = '{raddr there} ipsec {encr_algs aes}') =>
    parsePolicy(text, 'f', {
      ...options,
      resolver: { ...options.resolver, addresses: () => options.resolver.addresses(host) },
    }).rules
  t.equal(writtenForm(rules('left')), writtenForm(rules('right')))
  t.not(writtenForm(rules('left')), writtenForm(rules('left', '{raddr there} drop {}')))
  t.not(writtenForm(rules('left')), writtenForm([]))
})
