/**
 * Algorithms in the words of setkey(8), as Linux understands them.
 *
 * @module
 */

/** By number of ipsecalgs(8). SERPENT and all combined modes have no word. */
const CIPHERS: Readonly<Record<number, string>> = {
  2: 'des-cbc',
  3: '3des-cbc',
  6: 'cast128-cbc',
  7: 'blowfish-cbc',
  11: 'null',
  12: 'aes-cbc',
  13: 'aes-ctr',
  22: 'camellia-cbc',
  253: 'twofish-cbc',
}

interface Integrity {
  readonly word: string
  readonly keyBits: number
  /** What Linux cuts the value to where PF_KEY names the algorithm. */
  readonly icvBits: number
}

/** AES-CMAC has no word. */
const INTEGRITY: Readonly<Record<number, Integrity>> = {
  2: { word: 'hmac-md5', keyBits: 128, icvBits: 96 },
  3: { word: 'hmac-sha1', keyBits: 160, icvBits: 96 },
  5: { word: 'hmac-sha256', keyBits: 256, icvBits: 96 },
  6: { word: 'hmac-sha384', keyBits: 384, icvBits: 192 },
  7: { word: 'hmac-sha512', keyBits: 512, icvBits: 256 },
  8: { word: 'hmac-ripemd160', keyBits: 160, icvBits: 96 },
  9: { word: 'aes-xcbc-mac', keyBits: 128, icvBits: 96 },
}

export function cipherWord(number: number): string | undefined {
  return CIPHERS[number]
}

export function integrityOf(number: number): Integrity | undefined {
  return INTEGRITY[number]
}
