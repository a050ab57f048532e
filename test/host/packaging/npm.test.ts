/** The npm package: packed, and installed globally without a network. */
import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { temporaryFolder } from '../../compat/commands/support/temporary.ts'
import { root } from '../../support/tiers.ts'

interface Manifest {
  readonly version: string
  readonly bin: Readonly<Record<string, string>>
  readonly man: readonly string[]
}

function run(cwd: string, program: string, ...argv: string[]): string {
  const { status, stdout, stderr } = spawnSync(program, argv, { cwd, encoding: 'utf8' })
  if (status !== 0) throw new Error(`${program} ${argv.join(' ')}: ${stderr}`)
  return stdout
}

t.test('packed, installed globally, removed', async (t) => {
  const folder = temporaryFolder(t)
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Manifest
  const file = run(root, 'npm', 'pack', '--silent', '--ignore-scripts', '--pack-destination', folder).trim()
  run(folder, 'tar', '-xzf', file)

  // npm would fetch the one dependency from the registry. Here it comes along.
  const unpacked = join(folder, 'package')
  mkdirSync(join(unpacked, 'node_modules'))
  for (const name of ['koffi', '@koromix']) {
    cpSync(join(root, 'node_modules', name), join(unpacked, 'node_modules', name), { recursive: true })
  }
  const packed = JSON.parse(readFileSync(join(unpacked, 'package.json'), 'utf8')) as object
  writeFileSync(join(unpacked, 'package.json'), JSON.stringify({ ...packed, bundleDependencies: ['koffi'] }))
  const whole = run(
    unpacked,
    'npm',
    'pack',
    '--silent',
    '--ignore-scripts',
    '--pack-destination',
    folder,
  ).trim()

  const prefix = join(folder, 'prefix')
  const global = [
    '--global',
    '--prefix',
    prefix,
    '--offline',
    '--ignore-scripts',
    '--no-audit',
    '--no-fund',
    '--silent',
  ]
  run(folder, 'npm', 'install', ...global, join(folder, whole))
  const home = join(prefix, 'lib/node_modules/solipsec')
  for (const name of Object.keys(manifest.bin)) {
    const said = run(folder, join(prefix, 'bin', name), '--version')
    t.equal(said, `${name} (solipsec) ${manifest.version}\n`)
    t.match(run(folder, join(prefix, 'bin', name), '--help'), /^Usage:/, name)
  }
  for (const page of manifest.man) t.match(readFileSync(join(home, page), 'utf8'), /^('.*\n)?\.TH /, page)
  const policy = join(folder, 'policy')
  writeFileSync(policy, '{raddr 192.0.2.1} drop {}\n')
  t.match(run(folder, join(prefix, 'bin/ipsecconf'), '-c', policy), 'does not contain any errors')
  // The dependency that is a library of C.
  t.match(run(folder, join(prefix, 'bin/ipsecalgs')), /^List of algorithms/)
  t.match(readFileSync(join(home, 'packaging/systemd/solipsec-policy.service'), 'utf8'), 'ExecStart=')

  run(folder, 'npm', 'uninstall', ...global, 'solipsec')
  t.equal(run(prefix, 'find', '.', '-not', '-type', 'd'), '')
})
