import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { release } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { run } from '../../../../compat/commands/ipsecalgs.ts'
import { lockFile } from '../../../../netlink/libc/lock.ts'
import { captureIo } from '../../../compat/commands/support/capture-io.ts'
import { temporaryFolder } from '../../../compat/commands/support/temporary.ts'

const BIN = fileURLToPath(new URL('../../../../../bin/', import.meta.url))

t.test('-s asks the kernel and writes what -l then shows', async (t) => {
  const root = temporaryFolder(t)
  const places = {
    table: join(root, 'table'),
    synchronised: join(root, 'run/list'),
    lock: join(root, 'run/lock'),
  }
  const command = async (...argv: string[]) => {
    const io = captureIo()
    return { code: await run(argv, io, places), out: io.out() }
  }
  t.same(await command('-s'), { code: 0, out: '' })
  const written = readFileSync(places.synchronised, 'utf8')
  t.ok(written.startsWith(`# Kernel ${release()}\n`))
  const listed = await command('-l', '--json')
  rmSync(places.synchronised)
  t.same(await command('-l', '--json'), listed, 'the same as when asked on the spot')
  // A number that Linux does not know can never be valid.
  const unknown = '-a -p 3 -N 99 -n x -m CKM_X -k 0 -b 8 -s'.split(' ')
  t.equal((await command(...unknown)).code, 0)
  const { protocols } = JSON.parse((await command('-l', '--json')).out)
  t.match(
    protocols[1].algorithms.find((entry: { number: number }) => entry.number === 99),
    { valid: false },
  )
})

t.test('without privilege: listing works, asking the kernel and writing do not', async (t) => {
  const nobody = (...argv: string[]) =>
    spawnSync(`${BIN}ipsecalgs`, argv, { uid: 65534, gid: 65534, encoding: 'utf8' })
  t.match(nobody(), { status: 0, stdout: /^List of algorithms/, stderr: '' })
  for (const line of ['-s', '-r -p 3 -n aes']) {
    t.match(
      nobody(...line.split(' ')),
      { status: 1, stdout: '', stderr: /^ipsecalgs: insufficient privilege: / },
      line,
    )
  }
})

t.test('a second ipsecalgs waits for the first', async (t) => {
  const root = temporaryFolder(t)
  const places = { table: join(root, 'table'), synchronised: join(root, 'list'), lock: join(root, 'lock') }
  const lock = lockFile(places.lock)
  t.ok(lock)
  const io = captureIo()
  t.equal(await run(['-r', '-p', '3', '-n', 'aes'], io, places), 1)
  t.match(io.err(), /another ipsecalgs is at work/)
  lock?.release()
  t.equal(await run(['-r', '-p', '3', '-n', 'aes'], captureIo(), places), 0)
})

t.test('the launchers work from any folder and through symbolic links', async (t) => {
  const root = temporaryFolder(t)
  symlinkSync(join(BIN, 'ipsecalgs'), join(root, 'link'))
  symlinkSync('link', join(root, 'ipsecalgs'))
  const out = execFileSync('./ipsecalgs', ['--version'], { cwd: root, encoding: 'utf8' })
  t.match(out, /^ipsecalgs \(solipsec\) /)
})

t.test('a launcher without a build says how to build', async (t) => {
  const root = temporaryFolder(t)
  mkdirSync(join(root, 'bin'))
  for (const file of ['ipsecalgs', 'launch.js']) execFileSync('cp', [join(BIN, file), join(root, 'bin')])
  execFileSync('cp', [join(BIN, '../package.json'), root])
  const { status, stderr } = spawnSync(join(root, 'bin/ipsecalgs'), { encoding: 'utf8' })
  t.equal(status, 1)
  t.match(stderr, /^ipsecalgs: not built yet; run: cd .* && npm install && npm run build\n$/)
})

t.test('a reader that stops early is no error', async (t) => {
  const { status, stdout, stderr } = spawnSync('sh', ['-c', `${BIN}ipsecalgs | head -n 1`], {
    encoding: 'utf8',
  })
  t.equal(status, 0)
  t.equal(stdout, 'List of algorithms, grouped by IPsec protocol:\n')
  t.equal(stderr, '')
  const pipe = spawnSync('bash', ['-c', `set -o pipefail; ${BIN}ipsecalgs | true`], { encoding: 'utf8' })
  t.same([pipe.status, pipe.stderr], [0, ''])
})

t.test('output that cannot be written is an error', async (t) => {
  const { status, stderr } = spawnSync('sh', ['-c', `${BIN}ipsecalgs > /dev/full`], { encoding: 'utf8' })
  t.equal(status, 1)
  t.equal(stderr, 'ipsecalgs: cannot write output: ENOSPC\n')
})
