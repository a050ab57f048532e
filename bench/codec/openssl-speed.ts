/**
 * What OpenSSL itself takes, by openssl-speed(1).
 *
 * @module
 */
import { spawnSync } from 'node:child_process'

/** Why there is nothing to hold the codec against, or `undefined`. */
export function lackingOpenssl(): string | undefined {
  const { error, status } = spawnSync('openssl', ['version'])
  return error || status !== 0 ? 'there is no openssl (Debian package openssl)' : undefined
}

/**
 * Nanoseconds for `size` bytes.
 *
 * @throws Error where this openssl does not know the algorithm
 */
export function opensslSpeed(size: number, options: readonly string[]): number {
  const args = ['speed', '-mr', '-elapsed', '-seconds', '1', '-bytes', String(size), ...options]
  const { stdout, stderr } = spawnSync('openssl', args, { encoding: 'utf8' })
  return (1e9 * size) / bytesPerSecond(stdout, stderr)
}

/** Of the machine-readable report. @throws Error where there is nothing in it */
export function bytesPerSecond(report: string, complaints: string): number {
  const rate = Number(/^\+F:\d+:[^:]*:([\d.]+)$/m.exec(report)?.[1])
  if (!(rate > 0)) throw new Error(`openssl speed: ${complaints.trim().split('\n')[0] || 'no result'}`)
  return rate
}
