import t from 'tap'
import type { OptionTable } from '../../../../compat/commands/support/getopt.ts'
import { start } from '../../../../compat/commands/support/start.ts'
import { captureIo } from './capture-io.ts'

const table: OptionTable = { short: 'lf:', long: { json: 'flag' } }

t.test('good arguments come through', async (t) => {
  const io = captureIo()
  t.same(await start('ipsecalgs', table, ['-l', '--json', 'x'], io), {
    options: [{ name: 'l' }, { name: 'json' }],
    operands: ['x'],
  })
  t.same([io.out(), io.err()], ['', ''])
})

t.test('bad usage is answered with the synopsis, but not to a log', async (t) => {
  const shell = captureIo()
  t.equal(await start('ipsecalgs', table, ['-x'], shell), 1)
  t.match(shell.err(), /^ipsecalgs: illegal option -- x\nUsage:\n {2}ipsecalgs /)
  const service = captureIo({ service: { name: 'S' } })
  t.equal(await start('ipsecalgs', table, ['-x'], service), 95)
  t.equal(service.err(), 'ipsecalgs: illegal option -- x\nService S fatal error.\n')
})

t.test('--help wins over what is wrong after it', async (t) => {
  const io = captureIo()
  t.equal(await start('ipsecalgs', table, ['--help', '-x'], io), 0)
  t.match(io.out(), /^Usage:/)
})
