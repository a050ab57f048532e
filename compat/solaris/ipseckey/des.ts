/**
 * DES key hygiene: parity bits, and the keys under which DES is no cipher (FIPS 74).
 *
 * @module
 */
const BLOCK = 8

/** Weak (first four) and semi-weak keys, with odd parity. */
const WEAK_KEYS: ReadonlySet<string> = new Set([
  '0101010101010101',
  'fefefefefefefefe',
  'e0e0e0e0f1f1f1f1',
  '1f1f1f1f0e0e0e0e',
  '011f011f010e010e',
  '1f011f010e010e01',
  '01e001e001f101f1',
  'e001e001f101f101',
  '01fe01fe01fe01fe',
  'fe01fe01fe01fe01',
  '1fe01fe00ef10ef1',
  'e01fe01ff10ef10e',
  '1ffe1ffe0efe0efe',
  'fe1ffe1ffe0efe0e',
  'e0fee0fef1fef1fe',
  'fee0fee0fef1fef1',
])

/** Sets the lowest bit of every byte so that the byte has an odd number of ones. Changes `key` in place. */
export function setOddParity(key: Uint8Array): void {
  for (let i = 0; i < key.length; i++) {
    let bits = (key[i] ?? 0) & 0xfe
    const data = bits
    bits ^= bits >> 4
    bits ^= bits >> 2
    bits ^= bits >> 1
    key[i] = data | (~bits & 1)
  }
}

/**
 * True for a DES key, or a 3DES key (three of them in a row), that must not be used: a weak or semi-weak part,
 * or two neighbouring parts that are the same and so undo each other. Parity must be set.
 */
export function isWeakDesKey(key: Uint8Array): boolean {
  let previous = ''
  for (let at = 0; at < key.length; at += BLOCK) {
    const part = Buffer.from(key.subarray(at, at + BLOCK)).toString('hex')
    if (WEAK_KEYS.has(part) || part === previous) return true
    previous = part
  }
  return false
}
