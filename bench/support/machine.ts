/**
 * What this machine can measure, and the virtual machine that stands in where its kernel has no ESP.
 *
 * @module
 */
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { run } from './execute.ts'
import { Workplace } from './host.ts'

/** Why policies cannot be measured here, or `undefined` where they can. */
export function lacksNamespaces(): string | undefined {
  if (process.getuid?.() !== 0) return 'needs root'
  try {
    using place = new Workplace()
    place.freshNamespace('probe')
    return undefined
  } catch (error) {
    return `needs network namespaces and ip(8): ${(error as Error).message.trim()}`
  }
}

/** True where the kernel takes ESP SAs. */
export function hasEsp(): boolean {
  using place = new Workplace()
  const sa = 'xfrm state add src 10.0.0.1 dst 10.0.0.2 proto esp spi 0x1000 enc cipher_null 0x'.split(' ')
  const auth = ['auth-trunc', 'hmac(sha256)', `0x${'0123456789abcdef'.repeat(4)}`, '128']
  try {
    run(['ip', '-n', place.freshNamespace('probe'), ...sa.slice(0, -2), 'ecb(cipher_null)', '', ...auth])
    return true
  } catch {
    return false
  }
}

/**
 * Runs a program of ours inside the virtual machine and returns what it printed.
 *
 * @param module path of the built program, and its arguments
 * @throws Error where there is no machine to be had, or the program failed in it
 */
export function outputInMachine(module: string, ...args: readonly string[]): string {
  const runner = fileURLToPath(new URL('../../../test/vm/run', import.meta.url))
  const { status, error, stdout, stderr } = spawnSync(runner, ['--', process.execPath, module, ...args], {
    encoding: 'utf8',
    // An emulated processor takes its time, and 20,000 SAs their memory. What the caller has set comes first.
    env: { SOLIPSEC_VM_MEMORY: '2048', SOLIPSEC_VM_TIMEOUT: '3600', ...process.env },
  })
  if (error) throw error
  if (status !== 0) throw new Error(stderr.trim())
  return stdout
}
