/** The Debian package: built by nobody in particular, installed into a root of its own, removed, purged. */
import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { temporaryFolder } from '../../compat/commands/support/temporary.ts'
import { lacking } from '../../support/install.ts'
import { root } from '../../support/tiers.ts'

const skip = existsSync('/usr/bin/dpkg-deb') ? false : 'this is no Debian'

function run(program: string, argv: string[], options: object = {}) {
  const { status, stdout, stderr } = spawnSync(program, argv, { encoding: 'utf8', ...options })
  return { status, stdout, stderr }
}

/** Builds the package as a user without rights, if such a one may read the checkout. */
function build(folder: string): string {
  chmodSync(folder, 0o777)
  const program = join(root, 'dist/packaging/deb/build.js')
  const mayRead = run('test', ['-r', program], { uid: 65534, gid: 65534 }).status === 0
  const nobody = {
    uid: 65534,
    gid: 65534,
    env: { PATH: process.env.PATH, HOME: '/nonexistent', TMPDIR: '/tmp' },
  }
  const { status, stdout, stderr } = run(process.execPath, [program, folder], mayRead ? nobody : {})
  if (status !== 0) throw new Error(stderr)
  return stdout.trim()
}

t.test('the package', { skip }, async (t) => {
  const folder = temporaryFolder(t)
  const file = build(folder)

  await t.test('belongs to root, and has what belongs into it', async (t) => {
    const listing = run('dpkg-deb', ['--contents', file]).stdout.trim().split('\n')
    t.same(
      listing.filter((line) => !/^\S+ root\/root /.test(line)),
      [],
    )
    t.same(
      listing.filter((line) => /^-......(w|.w)/.test(line)),
      [],
      'nobody else writes',
    )
    const paths = listing.map((line) => line.split(/\s+/)[5] ?? '')
    for (const path of [
      './lib/systemd/system/solipsec-policy.service',
      './usr/share/man/man8/svcadm.8.gz',
      './usr/share/man/man1/svcs.1.gz',
      './usr/share/bash-completion/completions/svcs',
      './usr/share/zsh/vendor-completions/_solipsec',
      './usr/share/doc/solipsec/examples/ipsecinit.sample',
      './usr/lib/solipsec/schemas/solipsec-status.schema.json',
      './usr/sbin/ipsecconf',
      './usr/sbin/ndd',
      './usr/bin/svcs',
    ]) {
      t.ok(paths.includes(path), path)
    }
    t.match(run('dpkg-deb', ['--field', file, 'Depends']).stdout, /nodejs \(>= 20\)/)
  })

  await t.test('has no file that another package has', async (t) => {
    const files = run('dpkg-deb', ['--contents', file])
      .stdout.trim()
      .split('\n')
      .filter((line) => !line.startsWith('d'))
      .map((line) => line.split(/\s+/)[5]?.slice(1) ?? '')
    const { stdout } = run('dpkg-query', ['--search', ...files])
    t.same(
      stdout.split('\n').filter((line) => line !== '' && !line.startsWith('solipsec: ')),
      [],
    )
  })

  await t.test('is without fault to lintian', async (t) => {
    const reason = lacking('need_lintian')
    if (reason !== undefined) return t.pass(reason)
    const { stdout } = run('lintian', ['--allow-root', file])
    t.same(
      stdout.split('\n').filter((line) => /^[EW]:/.test(line)),
      [],
    )
  })

  await t.test('is installed, works, and goes without a trace', async (t) => {
    const target = temporaryFolder(t)
    chmodSync(target, 0o755)
    for (const path of ['var/lib/dpkg/info', 'var/lib/dpkg/updates', 'etc', 'var/log']) {
      mkdirSync(join(target, path), { recursive: true })
    }
    writeFileSync(join(target, 'var/lib/dpkg/status'), '')
    const before = tree(target)
    const dpkg = (...argv: string[]) =>
      run('dpkg', [
        `--root=${target}`,
        '--force-script-chrootless',
        '--force-depends',
        '--log=/dev/null',
        ...argv,
      ])
    const installed = dpkg('--install', file)
    t.equal(installed.status, 0, installed.stderr)

    const has = (path: string) => lstatSync(join(target, path), { throwIfNoEntry: false }) !== undefined
    const wants = 'etc/systemd/system/sysinit.target.wants'
    t.same(readdirSync(join(target, wants)).sort(), ['solipsec-ipsecalgs.service', 'solipsec-policy.service'])
    t.match(readFileSync(join(target, 'etc/group'), 'utf8'), /^solipsec:/m)
    t.equal(lstatSync(join(target, 'etc/inet/secret')).mode & 0o777, 0o700)
    const sample = join(target, 'etc/inet/ipsecinit.sample')
    t.match(run(join(target, 'usr/sbin/ipsecconf'), ['-c', sample]), { status: 0, stderr: '' })
    t.match(run(join(target, 'usr/bin/svcs'), ['--help']).stdout, /^Usage:/)
    t.match(
      run(join(target, 'usr/sbin/solipsec'), [
        'check',
        join(target, 'usr/share/doc/solipsec/examples/solipsec.json'),
      ]).stdout,
      /no errors/,
    )

    writeFileSync(join(target, 'etc/inet/ipsecinit.conf'), '# mine\n')
    mkdirSync(join(target, 'etc/solipsec/services'), { recursive: true })
    writeFileSync(join(target, 'etc/solipsec/services/policy.json'), '{}\n')
    writeFileSync(join(target, 'var/log/svc/network-ipsec-policy:default.log'), 'x\n')

    // Removed and installed again, what an administrator decided still holds.
    rmSync(join(target, wants, 'solipsec-policy.service'))
    const removed = dpkg('--remove', 'solipsec')
    t.equal(removed.status, 0, removed.stderr)
    t.ok(has('etc/inet/ipsecinit.sample'), 'a conffile stays')
    t.notOk(has('usr/lib/solipsec'))
    t.equal(dpkg('--install', file).status, 0)
    t.same(readdirSync(join(target, wants)), ['solipsec-ipsecalgs.service'])

    const purged = dpkg('--purge', 'solipsec')
    t.equal(purged.status, 0, purged.stderr)
    const left = tree(target).filter((path) => !before.includes(path) && !path.startsWith('var/lib/dpkg/'))
    const accounts = ['etc/.pwd.lock', 'etc/group', 'etc/gshadow']
    t.same(
      left.filter(
        (path) =>
          !accounts.includes(path) && !path.startsWith('var/lib/systemd') && !path.startsWith('etc/systemd'),
      ),
      ['etc/inet', 'etc/inet/ipsecinit.conf'],
      "the administrator's own stays",
    )
    t.same(
      left.filter((path) => path.includes('solipsec')),
      [],
    )
  })
})

function tree(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort()
}
