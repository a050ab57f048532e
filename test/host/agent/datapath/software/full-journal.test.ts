/**
 * The journal's file system has no room left: what does not fit is refused, and what comes when there is room again can
 * be read.
 */
import { execFileSync } from 'node:child_process'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { Journal } from '../../../../../agent/datapath/software/service/journal.ts'
import { dir } from '../../../../../netlink/xfrm/constants.ts'
import { defaultPolicy } from '../../../../../netlink/xfrm/defaults.ts'
import type { XfrmMessage } from '../../../../../netlink/xfrm/messages.ts'
import { temporaryFolder } from '../../../../compat/commands/support/temporary.ts'

const policy = (index: number): XfrmMessage => ({
  name: 'NEWPOLICY',
  body: { ...defaultPolicy(), dir: dir.OUT, index },
  attributes: {},
})

t.test('without room, and with room again', async (t) => {
  const folder = temporaryFolder(t)
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=32k', 'tmpfs', folder])
  t.teardown(() => execFileSync('umount', [folder]))
  const journal = new Journal(join(folder, 'journal'))
  journal.appendMessage(policy(1))
  const filling = join(folder, 'filling')
  t.throws(() => writeFileSync(filling, new Uint8Array(64 * 1024)), { code: 'ENOSPC' })
  let last = 1
  t.throws(() => {
    for (;;) {
      journal.appendMessage(policy(last + 1))
      last++
    }
  }, 'what is left of the last page fills up in the middle of a message')
  rmSync(filling)
  journal.appendMessage(policy(1000))
  const read = [...journal.read()].map(({ body }) => (body as { readonly index: number }).index)
  journal.close()
  t.same(read, [...Array.from({ length: last }, (_, i) => i + 1), 1000])
})
