/**
 * The three kinds of test files and what each asks of the machine.
 *
 * @module
 */
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { join, relative, sep } from 'node:path'

export const tiers = ['unit', 'host', 'vm'] as const
export type Tier = (typeof tiers)[number]

/** Root of the checkout: this file is `dist/test/support/tiers.js` in it. */
export const root = join(import.meta.dirname, '..', '..', '..')

/** The tier of a test file, given relative to the built `test` folder. */
export function tierOf(file: string): Tier {
  const [first] = file.split(sep)
  return first === 'host' || first === 'vm' ? first : 'unit'
}

/** True for tests that start a system of their own: they cannot share a machine with others. */
export function needsBoot(file: string): boolean {
  return file.startsWith(join('vm', 'boot') + sep)
}

/**
 * Built test files of a tier, relative to `dist/test`, sorted. A built file whose source is gone is left out.
 *
 * @param filters - parts of file names; a file needs to contain one of them; none = all files
 */
export function testFiles(tier: Tier, filters: readonly string[]): string[] {
  const built = join(root, 'dist', 'test')
  return readdirSync(built, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.test.js'))
    .map((entry) => relative(built, join(entry.parentPath, entry.name)))
    .filter((file) => existsSync(join(root, 'test', file.replace(/\.js$/, '.ts'))))
    .filter((file) => tierOf(file) === tier)
    .filter((file) => filters.length === 0 || filters.some((part) => `test/${file}`.includes(part)))
    .sort()
}

const works = (command: string, ...args: string[]): boolean =>
  spawnSync(command, args, { stdio: 'ignore' }).status === 0

/** What a command said on standard error, if it failed. */
function complaint(command: string, args: string[]): string | undefined {
  const { status, stderr, error } = spawnSync(command, args, { cwd: root, encoding: 'utf8' })
  return status === 0 ? undefined : stderr?.trim() || error?.message || `${command} failed`
}

/** Why this machine cannot run the tier; `undefined` where it can. Installs Debian packages where that is possible. */
export function obstacle(tier: Tier): string | undefined {
  if (tier === 'unit') return undefined
  const missing = complaint('bash', ['-c', 'source test/support/packages; need_for_tests'])
  if (missing) return missing
  const native = process.env.SOLIPSEC_VM === 'native'
  if (tier === 'vm' && !native) return complaint(join('test', 'vm', 'run'), ['--check'])
  if (process.getuid?.() !== 0) return 'needs root'
  if (!works('unshare', '--net', 'true')) return 'this machine lets nobody make a network namespace'
  if (tier === 'vm' && !kernelHasEsp())
    return 'SOLIPSEC_VM=native, but the running kernel has no ESP or no AH'
  return undefined
}

/** True where the kernel takes an ESP and an AH SA; tried in a namespace of its own, for modules load on demand. */
function kernelHasEsp(): boolean {
  const key = `0x${'00'.repeat(20)}`
  const sa = (proto: string) => `ip xfrm state add src 192.0.2.1 dst 192.0.2.2 proto ${proto} spi 0x100`
  const auth = `auth-trunc 'hmac(sha1)' ${key} 96`
  const script = `${sa('esp')} enc 'cipher_null' '' ${auth} && ${sa('ah')} ${auth}`
  return works('unshare', '--net', 'sh', '-c', script)
}
