/**
 * What may make cryptography fast: instructions of the processor, the kernel's drivers, and network devices.
 *
 * @module
 */
import { existsSync, readFileSync } from 'node:fs'
import { type DeviceFeature, deviceFeatures } from '../../../netlink/libc/ethtool.ts'
import { type Known, look } from '../known.ts'
import type { InterfaceFacts } from './settings.ts'

/** An implementation of an algorithm in the kernel (`/proc/crypto`). */
export interface CryptoDriver {
  /** The algorithm: `cbc(aes)`. */
  readonly name: string
  /** Who does it: `cbc-aes-aesni`. */
  readonly driver: string
  readonly priority: number
}

export interface SpeedFacts {
  /** Whether the processor has instructions for AES. */
  readonly hasAesInstructions: Known<boolean>
  /** Those that are loaded just now; others may be had. */
  readonly drivers: Known<readonly CryptoDriver[]>
  /** FIPS mode: the kernel refuses what is not approved. */
  readonly isFips: Known<boolean>
  readonly devices: readonly { readonly name: string; readonly features: Known<readonly DeviceFeature[]> }[]
}

/** Read it after algorithms were tried: then what they need is loaded. */
export function readSpeed(interfaces: readonly InterfaceFacts[]): SpeedFacts {
  return {
    hasAesInstructions: look(() => parseAesInstructions(readFileSync('/proc/cpuinfo', 'utf8'))),
    drivers: look(() => parseDrivers(readFileSync('/proc/crypto', 'utf8'))),
    // A kernel that was built without it has no such file.
    isFips: look(() => existsSync(FIPS) && readFileSync(FIPS, 'utf8').trim() === '1'),
    devices: interfaces
      .filter(({ isLoopback }) => !isLoopback)
      .map(({ name }) => ({ name, features: look(() => deviceFeatures(name)) })),
  }
}

const FIPS = '/proc/sys/crypto/fips_enabled'

/** `flags` on x86, `Features` on ARM. */
export function parseAesInstructions(cpuinfo: string): boolean {
  const [, flags = ''] = /^(?:flags|Features)\s*:(.*)$/m.exec(cpuinfo) ?? []
  return /\b(aes|aes-ce)\b/.test(flags)
}

/** Reads `/proc/crypto`, without what only other drivers use. */
export function parseDrivers(text: string): CryptoDriver[] {
  return text.split(/\n\s*\n/).flatMap((entry) => {
    const fields = new Map(
      [...entry.matchAll(/^(\S[^:]*?)\s*:\s*(.*)$/gm)].map(([, key, value]) => [key, value]),
    )
    const name = fields.get('name')
    const driver = fields.get('driver')
    if (!name || !driver || fields.get('internal') === 'yes') return []
    return [{ name, driver, priority: Number(fields.get('priority') ?? 0) }]
  })
}
