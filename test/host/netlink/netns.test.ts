import { execFileSync, spawnSync } from 'node:child_process'
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import t from 'tap'
import { netnsCookie, netnsInode, withNetns } from '../../../netlink/libc/netns.ts'
import { makeNetns, skip } from './namespace.ts'

const own = () => readlinkSync('/proc/thread-self/ns/net')

t.test('a visit to a namespace', { skip }, async (t) => {
  const name = makeNetns(t)
  const home = own()
  const there = withNetns(name, own)
  t.not(there, home, 'is elsewhere')
  t.equal(own(), home, 'and ends at home')
  t.throws(
    () =>
      withNetns(name, () => {
        throw new Error('on the way')
      }),
    { message: 'on the way' },
  )
  t.equal(own(), home, 'also after an error')
  t.throws(() => withNetns(name, async () => 1), TypeError, 'but not with a promise')
  t.equal(own(), home)
  t.equal(withNetns(undefined, own), home, 'without a name nothing moves')
  t.throws(() => withNetns(`${name}-not`, own), { code: 'ERR_NETNS_MISSING' })
  t.throws(() => withNetns(`../netns/${name}`, own), { code: 'ERR_NETNS_NAME' })
})

t.test('the files of /proc are those of the namespace', { skip }, async (t) => {
  const name = makeNetns(t)
  execFileSync('ip', ['-n', name, 'link', 'add', 'solip0', 'type', 'veth', 'peer', 'name', 'solip1'])
  const devices = () => readFileSync('/proc/thread-self/net/dev', 'utf8')
  const settings = () => readdirSync('/proc/sys/net/ipv4/conf')
  t.match(withNetns(name, devices), /solip0/)
  t.ok(withNetns(name, settings).includes('solip0'))
  t.notMatch(devices(), /solip0/)
  t.notOk(settings().includes('solip0'))
})

t.test('namespaces are told apart', { skip }, async (t) => {
  const [a, b] = [makeNetns(t), makeNetns(t)]
  const cookies = [netnsCookie(), withNetns(a, netnsCookie), withNetns(b, netnsCookie)]
  t.equal(new Set(cookies).size, 3, cookies.join(' '))
  t.strictSame([netnsCookie(), withNetns(a, netnsCookie), withNetns(b, netnsCookie)], cookies, 'and stay so')
  for (const cookie of cookies) t.match(cookie, /^[1-9][0-9]*$/, 'a cookie of the kernel, no inode')
  const inodes = [netnsInode(), withNetns(a, netnsInode), withNetns(b, netnsInode)]
  t.equal(new Set(inodes).size, 3, inodes.join(' '))
  for (const inode of inodes) t.match(inode, /^i[1-9][0-9]*$/)
})

t.test('a process that cannot come back ends', { skip }, async (t) => {
  const name = makeNetns(t)
  const url = new URL('../../../netlink/libc/netns.js', import.meta.url).href
  const script = `
    import { withNetns } from ${JSON.stringify(url)}
    try {
      withNetns(${JSON.stringify(name)}, () => process.setuid(65534))
    } finally {
      console.log('still here')
    }`
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    encoding: 'utf8',
  })
  t.equal(status, 71)
  t.equal(stdout, '')
  t.match(stderr, /cannot leave the network namespace: setns: EPERM/)
})

t.test('who may not enter is told so', { skip }, async (t) => {
  const name = makeNetns(t)
  const url = new URL('../../../netlink/libc/netns.js', import.meta.url).href
  const script = `
    import { enterNetns } from ${JSON.stringify(url)}
    process.setuid(65534)
    try {
      enterNetns(${JSON.stringify(name)})
    } catch (error) {
      console.log(error.code, error.message)
    }`
  const output = execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' })
  t.match(output, new RegExp(`^ERR_NETNS_DENIED .*'${name}': EPERM .*CAP_SYS_ADMIN`))
})
