/**
 * What is inside ESP, found out without the product and without the kernel: by tshark where it knows the cipher, by
 * OpenSSL where it does not.
 *
 * @module
 */
import { createDecipheriv } from 'node:crypto'
import type { Packet } from '../../support/pcap.ts'
import { keyOf, type TestSa } from './keys.ts'

/** tshark's names (of `esp_sa`, version 4) for the ciphers that it decrypts. CCM, ChaCha20 and GMAC it does not. */
const CIPHERS: Readonly<Record<string, string>> = {
  null: 'NULL',
  'des-cbc': 'DES-CBC [RFC2405]',
  '3des-cbc': 'TripleDES-CBC [RFC2451]',
  'blowfish-cbc': 'BLOWFISH-CBC [RFC2451]',
  'aes-cbc': 'AES-CBC [RFC3602]',
  aes: 'AES-CBC [RFC3602]',
  'aes-ctr': 'AES-CTR [RFC3686]',
  'aes-gcm8': 'AES-GCM with 8 octet ICV [RFC4106]',
  'aes-gcm12': 'AES-GCM with 12 octet ICV [RFC4106]',
  'aes-gcm': 'AES-GCM with 16 octet ICV [RFC4106]',
}

/** The same for integrity. Of AES-XCBC and AES-CMAC it knows the length only. */
const INTEGRITIES: Readonly<Record<string, string>> = {
  'hmac-md5': 'HMAC-MD5-96 [RFC2403]',
  'hmac-sha1': 'HMAC-SHA-1-96 [RFC2404]',
  'hmac-sha256': 'HMAC-SHA-256-128 [RFC4868]',
  sha256: 'HMAC-SHA-256-128 [RFC4868]',
  'hmac-sha384': 'HMAC-SHA-384-192 [RFC4868]',
  'hmac-sha512': 'HMAC-SHA-512-256 [RFC4868]',
  'aes-xcbc-mac': 'ANY 96 bit authentication [no checking]',
  'aes-cmac': 'ANY 96 bit authentication [no checking]',
}

/** What tshark says of a good ICV: 1; 0 where it cannot check it, nothing where there is none. */
export function goodIcv({ protocol, cipher, integrity }: TestSa): '1' | '0' | '' {
  if (protocol === 'ah') return ''
  if (!integrity) return cipher?.name.startsWith('aes-gcm') ? '1' : ''
  return INTEGRITIES[integrity.name]?.startsWith('ANY') ? '0' : '1'
}

/** tshark options that make it decrypt with these SAs; those that it does not know are left out. */
export function tsharkOptions(sas: readonly TestSa[]): string[] {
  const options = ['esp.enable_encryption_decode:TRUE', 'esp.enable_authentication_check:TRUE']
  return [...options, ...sas.flatMap(uatRow)].flatMap((option) => ['-o', option])
}

function uatRow({ protocol, spi, source, cipher, integrity }: TestSa): string[] {
  const encryption = protocol === 'esp' && CIPHERS[cipher?.name ?? 'null']
  if (!encryption) return []
  const family = source.includes(':') ? 'IPv6' : 'IPv4'
  const encryptionKey = keyOf(spi, 'cipher', (cipher?.bits ?? 0) + (cipher?.salt ?? 0))
  const authenticationKey = keyOf(spi, 'integrity', integrity?.bits ?? 0)
  const columns = [
    family,
    '*',
    '*',
    hex(spi),
    encryption,
    hex(encryptionKey),
    integrity ? (INTEGRITIES[integrity.name] ?? '') : 'NULL',
    hex(authenticationKey),
  ]
  return [`uat:esp_sa:${columns.map((column) => `"${column}"`).join(',')}`]
}

function hex(value: number | Buffer): string {
  if (typeof value === 'number') return `0x${value.toString(16).padStart(8, '0')}`
  return value.length > 0 ? `0x${value.toString('hex')}` : ''
}

/** ICV bytes of the combined modes that tshark does not know. */
const COMBINED_ICV: Readonly<Record<string, number>> = {
  'aes-ccm8': 8,
  'aes-ccm12': 12,
  'aes-ccm': 16,
  'null-aes-gmac': 16,
  'chacha20-poly1305': 16,
}

/** True for the ciphers that {@link openCombined} is for. */
export function needsOpenssl({ cipher }: TestSa): boolean {
  return cipher !== undefined && COMBINED_ICV[cipher.name] !== undefined
}

/**
 * Checks and decrypts an ESP packet of a combined mode (RFC 4309, 4543, 7634).
 *
 * @returns the payload without padding and trailer
 * @throws Error where the ICV is wrong
 */
export function openCombined({ payload }: Packet, { spi, cipher }: TestSa): Buffer {
  const { name = '', bits = 0, salt = 0 } = cipher ?? {}
  const icv = payload.subarray(-(COMBINED_ICV[name] ?? 0))
  const head = payload.subarray(0, 8)
  const iv = payload.subarray(8, 16)
  const text = payload.subarray(16, -icv.length)
  const key = keyOf(spi, 'cipher', bits + salt)
  const nonce = Buffer.concat([key.subarray(bits / 8), iv])
  const cipherKey = key.subarray(0, bits / 8)
  const plain = decrypt(name, cipherKey, nonce, icv, head, iv, text)
  const padding = plain[plain.length - 2] ?? 0
  return plain.subarray(0, plain.length - 2 - padding)
}

function decrypt(
  name: string,
  key: Buffer,
  nonce: Buffer,
  icv: Buffer,
  head: Buffer,
  iv: Buffer,
  text: Buffer,
): Buffer {
  const options = { authTagLength: icv.length }
  if (name === 'null-aes-gmac') {
    const mac = createDecipheriv(`aes-${key.length * 8}-gcm` as 'aes-128-gcm', key, nonce, options)
    mac
      .setAAD(Buffer.concat([head, iv, text]))
      .setAuthTag(icv)
      .final()
    return text
  }
  const algorithm = name.startsWith('aes-ccm') ? `aes-${key.length * 8}-ccm` : 'chacha20-poly1305'
  const decipher = createDecipheriv(algorithm as 'aes-128-ccm', key, nonce, options)
  decipher.setAuthTag(icv).setAAD(head, { plaintextLength: text.length })
  return Buffer.concat([decipher.update(text), decipher.final()])
}
