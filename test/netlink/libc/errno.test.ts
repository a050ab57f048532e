import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { errnoName, errnoNumber, errnoText, SystemError } from '../../../netlink/libc/errno.ts'
import { lockFile } from '../../../netlink/libc/lock.ts'
import { NamespaceError, netnsPath, openNetns } from '../../../netlink/libc/netns.ts'
import { getSockName, socket } from '../../../netlink/libc/socket.ts'

t.test('error numbers have names and texts', async (t) => {
  for (const [number, name] of [
    [2, 'ENOENT'],
    [3, 'ESRCH'],
    [11, 'EAGAIN'],
    [93, 'EPROTONOSUPPORT'],
    [95, 'EOPNOTSUPP'],
    [105, 'ENOBUFS'],
    [126, 'ENOKEY'],
    [524, 'ENOTSUPP'],
  ] as const) {
    t.equal(errnoName(number), name)
    t.equal(errnoNumber(name), number)
    t.not(errnoText(number), 'unknown error', name)
  }
  t.equal(errnoName(4711), 'errno 4711')
  t.equal(errnoNumber('ENOSUCH'), undefined)
  t.equal(errnoText(4711), 'unknown error')
})

t.test('a failing call tells the call and the error', async (t) => {
  t.throws(() => getSockName(-1), new SystemError('getsockname', 9))
  t.throws(() => socket(4711, 1, 0), { code: 'EAFNOSUPPORT', syscall: 'socket', errno: 97 })
})

t.test('names that could leave the folder of namespaces are refused', async (t) => {
  for (const name of ['', '.', '..', 'a/b', '../x', '/proc/1/ns/net', 'a\0b']) {
    t.throws(() => netnsPath(name), { code: 'ERR_NETNS_NAME' }, JSON.stringify(name))
  }
  t.equal(netnsPath('blue-1.x'), '/run/netns/blue-1.x')
  try {
    openNetns('solipsec-there-is-none')
    t.fail('opened')
  } catch (error) {
    t.ok(error instanceof NamespaceError)
    t.match(error, { code: 'ERR_NETNS_MISSING', message: /solipsec-there-is-none/ })
  }
})

t.test('modules load without the foreign-function library', async (t) => {
  const modules = ['libc/ffi', 'libc/names', 'libc/netns', 'libc/lock', 'socket/socket', 'xfrm/connection']
  const urls = modules.map((name) => new URL(`../../../netlink/${name}.js`, import.meta.url).href)
  const script = `
    const [ffi] = await Promise.all(${JSON.stringify(urls)}.map((url) => import(url)))
    const before = ffi.isLoaded()
    ffi.koffi()
    console.log(before, ffi.isLoaded())`
  const output = execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' })
  t.equal(output, 'false true\n')
})

t.test('a lock file has one owner', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'solipsec-lock-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  const path = join(folder, 'lock')
  const first = lockFile(path)
  t.ok(first)
  t.equal(lockFile(path), undefined, 'a second descriptor does not get it')
  const start = performance.now()
  t.equal(lockFile(path, 50), undefined, 'nor by waiting')
  t.ok(performance.now() - start >= 49)
  first?.release()
  const second = lockFile(path)
  t.ok(second, 'free after release')
  second?.release()
  symlinkSync(path, join(folder, 'link'))
  t.throws(() => lockFile(join(folder, 'link')), { code: 'ELOOP' }, 'no link is followed')
})
