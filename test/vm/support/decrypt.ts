/**
 * What is inside ESP, found out without the product's cryptography and without the kernel: by tshark where it knows the
 * cipher, by OpenSSL where it does not.
 *
 * @module
 */
import { createDecipheriv } from 'node:crypto'
import { tableLine, wiresharkCipher, wiresharkIntegrity } from '../../../agent/capture/wireshark.ts'
import { algorithmByName, PROTOCOL_AH, PROTOCOL_ESP } from '../../../agent/model/algorithm.ts'
import { defaultAlgorithmTable } from '../../../agent/model/default-algorithms.ts'
import { type KernelAlgorithm, kernelAlgorithm } from '../../../agent/translate/kernel-algorithms.ts'
import type { Packet } from '../../support/pcap.ts'
import { keyOf, type TestSa } from './keys.ts'

/** Wireshark's name for the cipher, by that of ipsecalgs(8); `undefined` for CCM, ChaCha20 and GMAC. */
function cipherOf({ cipher }: TestSa): string | undefined {
  const kernel = kernelOf(PROTOCOL_ESP, cipher?.name ?? 'null')
  return wiresharkCipher(kernel.name, kernel.icvBits)
}

/** The same for integrity. Of AES-XCBC and AES-CMAC it knows the length only. */
function integrityOf({ integrity }: TestSa): string {
  if (!integrity) return 'NULL'
  const kernel = kernelOf(PROTOCOL_AH, integrity.name)
  return wiresharkIntegrity(kernel.name, kernel.icvBits) ?? ''
}

function kernelOf(protocol: number, name: string): KernelAlgorithm {
  const entry = algorithmByName(defaultAlgorithmTable, protocol, name)
  const kernel = entry && kernelAlgorithm(protocol, entry.number)
  if (!kernel) throw new TypeError(`${name} is no algorithm`)
  return kernel
}

/** What tshark says of a good ICV: 1; 0 where it cannot check it, nothing where there is none. */
export function goodIcv(sa: TestSa): '1' | '0' | '' {
  const { protocol, cipher, integrity } = sa
  if (protocol === 'ah') return ''
  if (!integrity) return cipher?.name.startsWith('aes-gcm') ? '1' : ''
  return integrityOf(sa).startsWith('ANY') ? '0' : '1'
}

/** tshark options that make it decrypt with these SAs; those that it does not know are left out. */
export function tsharkOptions(sas: readonly TestSa[]): string[] {
  const options = ['esp.enable_encryption_decode:TRUE', 'esp.enable_authentication_check:TRUE']
  return [...options, ...sas.flatMap(uatRow)].flatMap((option) => ['-o', option])
}

function uatRow(sa: TestSa): string[] {
  const { protocol, spi, source, cipher, integrity } = sa
  const encryption = protocol === 'esp' ? cipherOf(sa) : undefined
  if (encryption === undefined) return []
  const line = tableLine({
    version: source.includes(':') ? 6 : 4,
    spi,
    encryption,
    encryptionKey: keyOf(spi, 'cipher', (cipher?.bits ?? 0) + (cipher?.salt ?? 0)),
    authentication: integrityOf(sa),
    authenticationKey: keyOf(spi, 'integrity', integrity?.bits ?? 0),
  })
  return [`uat:esp_sa:${line}`]
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
