import { existsSync, mkdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { hasPlace, listenAt } from '../../../agent/runtime/listener.ts'
import * as libc from '../../../netlink/libc/socket.ts'
import { temporaryFolder } from '../../compat/commands/support/temporary.ts'

const SEQPACKET = { type: libc.SOCK_SEQPACKET, backlog: 1 }

t.test('who may open it is settled before anybody can', async (t) => {
  const path = join(temporaryFolder(t), 'socket')
  const umask = process.umask()
  for (const mode of [0o600, 0o666]) {
    const fd = listenAt(path, { ...SEQPACKET, mode })
    t.teardown(() => libc.close(fd))
    t.equal(statSync(path).mode & 0o777, mode)
    t.ok(statSync(path).isSocket())
    t.notOk(existsSync(`${path}.new`))
  }
  t.equal(process.umask(), umask)
})

t.test('the one that was there is replaced, and answers no more', async (t) => {
  const path = join(temporaryFolder(t), 'socket')
  libc.close(listenAt(path, { ...SEQPACKET, mode: 0o600 }))
  const fd = listenAt(path, { ...SEQPACKET, mode: 0o600 })
  const client = libc.socket(libc.AF_UNIX, libc.SOCK_SEQPACKET | libc.SOCK_NONBLOCK, 0)
  libc.connect(client, libc.unixAddress(path))
  const accepted = libc.accept(fd)
  t.equal(libc.peerCredentials(accepted).pid, process.pid)
  for (const one of [client, accepted, fd]) libc.close(one)
})

t.test('where it cannot be, nothing is left', async (t) => {
  const folder = temporaryFolder(t)
  const path = join(folder, 'socket')
  mkdirSync(path)
  writeFileSync(join(path, 'file'), '')
  const umask = process.umask()
  t.throws(() => listenAt(path, { ...SEQPACKET, mode: 0o600 }))
  t.notOk(existsSync(`${path}.new`))
  t.throws(() => listenAt(join(folder, 'none', 'socket'), { ...SEQPACKET, mode: 0o600 }), { code: 'ENOENT' })
  t.equal(process.umask(), umask)
})

t.test('places: of one user, of all but root, of all', async (t) => {
  const most = { all: 4, unprivileged: 3, ofUser: 2 }
  t.ok(hasPlace(1, [], most))
  t.ok(hasPlace(1, [1], most))
  t.notOk(hasPlace(1, [1, 1], most))
  t.ok(hasPlace(2, [1, 1], most))
  t.notOk(hasPlace(3, [1, 1, 2], most))
  t.ok(hasPlace(0, [1, 1, 2], most), 'root finds one')
  t.ok(hasPlace(0, [0, 0, 0], most))
  t.notOk(hasPlace(0, [0, 0, 0, 1], most))
  t.ok(hasPlace(1, [0, 0, 0], most))
})
