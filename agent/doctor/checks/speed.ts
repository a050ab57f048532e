/**
 * What makes cryptography fast or slow, and FIPS mode.
 *
 * @module
 */

import type { CryptoDriver } from '../facts/speed.ts'
import type { Facts } from '../facts.ts'
import { type Finding, findingsOf, unknownFinding } from '../finding.ts'
import { type KernelPart, wayToPart } from './modules.ts'

const finding = findingsOf('speed')

/** Parts of names of drivers in plain C. */
const PLAIN = /generic|fixed-time|\blib\b|-lib/
/** Those of AES that SAs use, by the name of what does the work. */
const AES = /^(cbc|ctr|gcm|ccm|rfc4106\(gcm|rfc3686\(ctr|rfc4309\(ccm)\(aes/
/** Drivers that use instructions of the processor, by architecture. */
const FAST_AES: Readonly<Record<string, KernelPart>> = {
  x64: { module: 'aesni_intel', option: 'CRYPTO_AES_NI_INTEL' },
  arm64: { module: 'aes_ce_blk', option: 'CRYPTO_AES_ARM64_CE_BLK' },
}
const ESP_OFFLOAD = 'esp-hw-offload'
const OTHER_OFFLOADS = ['esp-tx-csum-hw-offload', 'tx-esp-segmentation']

/** Only where the kernel has ESP to use it with. */
export function checkAcceleration({ speed, kernel, abilities }: Facts): Finding[] {
  const { features } = abilities
  if (features && !Object.values(features.families).some(({ esp }) => esp.works)) return []
  const { hasAesInstructions, drivers } = speed
  const subject = 'AES in the kernel'
  if ('unknown' in hasAesInstructions)
    return [unknownFinding('speed', 'aes', subject, hasAesInstructions.unknown)]
  if ('unknown' in drivers) return [unknownFinding('speed', 'aes', subject, drivers.unknown)]
  const used = bestDrivers(drivers.value)
  const plain = used.filter(({ driver }) => PLAIN.test(driver))
  const names = used.map(({ driver }) => driver).join(', ')
  if (!hasAesInstructions.value) {
    const meaning = 'The processor has no instructions for it: chacha20-poly1305 is likely to be faster.'
    return [finding('aes', subject, 'note', meaning)]
  }
  if (used.length === 0) {
    const meaning =
      'The processor has instructions for it; no driver is loaded that would show whether they are used.'
    return [finding('aes', subject, 'ok', meaning)]
  }
  if (plain.length === 0) {
    return [finding('aes', subject, 'ok', `The processor has instructions for it; loaded are ${names}.`)]
  }
  const fast = FAST_AES[kernel.architecture]
  const slow = plain.map(({ driver }) => driver).join(', ')
  return [
    finding(
      'aes',
      subject,
      'note',
      `The processor has instructions for it, which these drivers do not use: ${slow}. The kernel's ESP is slower for it.`,
      ...(fast ? wayToPart(fast, kernel) : []),
    ),
  ]
}

/** Of each algorithm the one that the kernel would take. */
function bestDrivers(drivers: readonly CryptoDriver[]): CryptoDriver[] {
  const best = new Map<string, CryptoDriver>()
  for (const one of drivers) {
    if (AES.test(one.name) && one.priority > (best.get(one.name)?.priority ?? -1)) best.set(one.name, one)
  }
  return [...best.values()]
}

export function checkLibrary({ abilities }: Facts): Finding[] {
  const subject = 'software data path'
  if (abilities.library === 'openssl') {
    return [
      finding('library', subject, 'ok', "It uses OpenSSL's own functions, and so what the processor has."),
    ]
  }
  const meaning =
    "OpenSSL's functions cannot be reached in this Node.js: it uses node:crypto, at a higher price a packet."
  return [
    finding('library', subject, 'note', meaning, 'use the Node.js of nodejs.org or of the distribution'),
  ]
}

export function checkFips({ speed }: Facts): Finding[] {
  const { isFips } = speed
  if ('unknown' in isFips) return [unknownFinding('speed', 'fips', 'FIPS mode', isFips.unknown)]
  if (!isFips.value)
    return [finding('fips', 'FIPS mode', 'ok', 'It is off: the kernel refuses no algorithm for it.')]
  const meaning =
    'It is on: the kernel refuses what is not approved (MD5, DES, Blowfish, ChaCha20 and others).'
  return [
    finding('fips', 'FIPS mode', 'note', meaning, 'name approved algorithms in rules: aes, aes-gcm, sha256'),
  ]
}

/** Network devices that can do ESP. solipsec asks none of them to. */
export function checkOffload({ speed }: Facts): Finding[] {
  return speed.devices.map(({ name, features }) => {
    const subject = `ESP offload of ${name}`
    if ('unknown' in features) return unknownFinding('speed', 'offload', subject, features.unknown)
    const has = (wanted: string) => features.value.some((one) => one.name === wanted && one.isAvailable)
    const other = OTHER_OFFLOADS.filter(has)
    if (has(ESP_OFFLOAD)) {
      const meaning =
        'The device can do ESP by itself. solipsec does not use that; where another program does, solipsec verify does not see the packets.'
      return finding('offload', subject, 'note', meaning)
    }
    const rest = other.length > 0 ? ` It has ${other.join(' and ')}.` : ''
    return finding('offload', subject, 'ok', `The device has none: the processor does all.${rest}`)
  })
}
