import { readFileSync, renameSync } from 'node:fs'
import t from 'tap'
import { systemReason, systemText } from '../../../../compat/commands/support/system-text.ts'

/** What `action` throws. */
function errorOf(action: () => unknown): Error {
  try {
    action()
  } catch (error) {
    if (error instanceof Error) return error
  }
  throw new TypeError('nothing was thrown')
}

t.test('a file that is not there', async (t) => {
  const error = errorOf(() => readFileSync('/no/such, open file'))
  t.equal(systemReason(error), 'no such file or directory')
  t.equal(systemText(error), '/no/such, open file: no such file or directory')
})

t.test('two files', async (t) => {
  const error = errorOf(() => renameSync('/no/such', '/no/other'))
  t.equal(systemText(error), '/no/such to /no/other: no such file or directory')
})

t.test('other messages stay as they are', async (t) => {
  const error = Object.assign(new Error('no ESP here'), { code: 'EPROTONOSUPPORT', syscall: 'sendmsg' })
  t.equal(systemReason(error), 'no ESP here')
  t.equal(systemText(error), 'no ESP here')
})
