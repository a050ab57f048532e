import { randomBytes } from 'node:crypto'
import { readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { Journal } from '../../../../../agent/datapath/software/service/journal.ts'
import { dir } from '../../../../../netlink/xfrm/constants.ts'
import { defaultPolicy, defaultSelector, defaultState } from '../../../../../netlink/xfrm/defaults.ts'
import { encodeMessage, type XfrmMessage } from '../../../../../netlink/xfrm/messages.ts'
import { temporaryFolder } from '../../../../compat/commands/support/temporary.ts'

const policy = (last: number): XfrmMessage => {
  const sel = { ...defaultSelector(), saddr: Uint8Array.from({ length: 16 }, (_, i) => (i === 3 ? last : 0)) }
  return { name: 'NEWPOLICY', body: { ...defaultPolicy(), sel, dir: dir.OUT }, attributes: {} }
}
const state: XfrmMessage = {
  name: 'NEWSA',
  body: defaultState(),
  attributes: {
    alg_aead: {
      alg_name: 'rfc4106(gcm(aes))',
      alg_key_len: 160,
      alg_icv_len: 128,
      alg_key: new Uint8Array(randomBytes(20)),
    },
  },
}
const bytesOf = (messages: Iterable<XfrmMessage>) =>
  [...messages].map((message) => Buffer.from(encodeMessage(message)).toString('hex'))

t.test('what was written is read, by the next one too, and stays when its file is gone', async (t) => {
  const path = join(temporaryFolder(t), 'journal')
  const messages = [policy(1), state, policy(2)]
  const first = new Journal(path)
  for (const message of messages) first.appendMessage(message)
  t.same(bytesOf(first.read()), bytesOf(messages))
  first.close()
  t.equal(statSync(path).mode & 0o777, 0o600)
  const second = new Journal(path)
  const read = [...second.read()]
  second.rewrite([])
  second.close()
  t.same(bytesOf(read), bytesOf(messages), 'the messages own their bytes')
})

t.test('a last message that is not whole is left out', async (t) => {
  const path = join(temporaryFolder(t), 'journal')
  const journal = new Journal(path)
  for (const message of [policy(1), policy(2)]) journal.appendMessage(message)
  const { size } = statSync(path)
  for (const cut of [1, 5, 100, size / 2 - 1]) {
    truncateSync(path, size - cut)
    t.same(bytesOf(journal.read()), bytesOf([policy(1)]), `${cut} bytes`)
  }
  journal.close()
})

t.test('written anew, it holds what it is given and nothing before', async (t) => {
  const path = join(temporaryFolder(t), 'journal')
  const journal = new Journal(path)
  t.notOk(journal.isLong)
  for (let i = 0; i < 6000; i++) journal.appendMessage(policy(i & 255))
  t.ok(journal.isLong, 'a megabyte of history')
  journal.rewrite([policy(7)])
  journal.appendMessage(policy(8))
  t.same(bytesOf(journal.read()), bytesOf([policy(7), policy(8)]))
  t.notOk(journal.isLong)
  t.equal(statSync(path).mode & 0o777, 0o600)
  t.equal(readFileSync(path).length % 4, 0)
  journal.close()
})

t.test('a message in the middle that cannot be read is no end', async (t) => {
  const path = join(temporaryFolder(t), 'journal')
  const journal = new Journal(path)
  for (const message of [policy(1), policy(2), policy(3)]) journal.appendMessage(message)
  const bytes = readFileSync(path)
  // The type of the second one: there is no such message.
  bytes.writeUInt16LE(0xffff, bytes.length / 3 + 4)
  writeFileSync(path, bytes)
  t.throws(() => [...journal.read()], {
    message: `${path} is damaged; remove it, and load policy and keys again`,
  })
  journal.close()
})
