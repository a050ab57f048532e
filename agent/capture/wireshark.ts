/**
 * Wireshark's table `esp_sa`, with which it decrypts ESP by itself: a file of that name in its configuration folder, or
 * options `-o uat:esp_sa:…` of tshark.
 *
 * @module
 */
import { family as af } from '../../netlink/xfrm/constants.ts'
import { formatSpi } from '../model/association.ts'
import type { ViewedSa } from './viewed-sa.ts'

/** Wireshark's names for ciphers, by XFRM's. CCM, ChaCha20-Poly1305 and GMAC it does not decrypt. */
const CIPHERS: Readonly<Record<string, string>> = {
  'ecb(cipher_null)': 'NULL',
  'cbc(des)': 'DES-CBC [RFC2405]',
  'cbc(des3_ede)': 'TripleDES-CBC [RFC2451]',
  'cbc(blowfish)': 'BLOWFISH-CBC [RFC2451]',
  'cbc(twofish)': 'TWOFISH-CBC',
  'cbc(cast5)': 'CAST5-CBC [RFC2144]',
  'cbc(aes)': 'AES-CBC [RFC3602]',
  'rfc3686(ctr(aes))': 'AES-CTR [RFC3686]',
  'rfc4106(gcm(aes)) 64': 'AES-GCM with 8 octet ICV [RFC4106]',
  'rfc4106(gcm(aes)) 96': 'AES-GCM with 12 octet ICV [RFC4106]',
  'rfc4106(gcm(aes)) 128': 'AES-GCM with 16 octet ICV [RFC4106]',
}

/** The same for integrity, with the bits of the ICV. Of others it knows the length only. */
const INTEGRITIES: Readonly<Record<string, string>> = {
  'hmac(md5) 96': 'HMAC-MD5-96 [RFC2403]',
  'hmac(sha1) 96': 'HMAC-SHA-1-96 [RFC2404]',
  'hmac(sha256) 96': 'HMAC-SHA-256-96 [draft-ietf-ipsec-ciph-sha-256-00]',
  'hmac(sha256) 128': 'HMAC-SHA-256-128 [RFC4868]',
  'hmac(sha384) 192': 'HMAC-SHA-384-192 [RFC4868]',
  'hmac(sha512) 256': 'HMAC-SHA-512-256 [RFC4868]',
  'hmac(rmd160) 96': 'MAC-RIPEMD-160-96 [RFC2857]',
}

/** What makes a line; for SAs that are not from XFRM. */
export interface TableRow {
  readonly version: 4 | 6
  readonly spi: number
  /** Wireshark's name. */
  readonly encryption: string
  readonly encryptionKey: Uint8Array
  readonly authentication: string
  readonly authenticationKey: Uint8Array
}

/** Wireshark's name of a cipher, by that of XFRM, and for combined ones the bits of the ICV. */
export function wiresharkCipher(name: string, icvBits = 0): string | undefined {
  return CIPHERS[icvBits > 0 ? `${name} ${icvBits}` : name]
}

/** The same of a code. */
export function wiresharkIntegrity(name: string, icvBits: number): string | undefined {
  const known = INTEGRITIES[`${name} ${icvBits}`]
  if (known !== undefined) return known
  return [64, 96, 128, 192, 256, 384].includes(icvBits)
    ? `ANY ${icvBits} bit authentication [no checking]`
    : undefined
}

/** One line of the file, without its end. Addresses are `*`: behind address translation they are others. */
export function tableLine({ version, spi, ...rest }: TableRow): string {
  const columns = [
    version === 4 ? 'IPv4' : 'IPv6',
    '*',
    '*',
    formatSpi(spi),
    rest.encryption,
    hex(rest.encryptionKey),
    rest.authentication,
    hex(rest.authenticationKey),
  ]
  return columns.map((column) => `"${column}"`).join(',')
}

function hex(key: Uint8Array): string {
  return key.length > 0 ? `0x${Buffer.from(key).toString('hex')}` : ''
}

/** @returns `undefined` for AH, which is not encrypted, and for algorithms that Wireshark does not decrypt */
export function wiresharkRow({ protocol, body, attributes, isExtended }: ViewedSa): TableRow | undefined {
  if (protocol !== 'esp') return undefined
  const { alg_aead, alg_crypt, alg_auth, alg_auth_trunc } = attributes
  const encryption = alg_aead
    ? wiresharkCipher(alg_aead.alg_name, alg_aead.alg_icv_len)
    : wiresharkCipher(alg_crypt?.alg_name ?? 'ecb(cipher_null)')
  const mac = alg_auth_trunc ?? (alg_auth && { ...alg_auth, alg_trunc_len: 96 })
  const authentication = mac ? integrityOf(mac.alg_name, mac.alg_trunc_len, isExtended) : 'NULL'
  if (encryption === undefined || authentication === undefined) return undefined
  const cipher = alg_aead ?? alg_crypt
  return {
    version: body.family === af.INET ? 4 : 6,
    spi: body.id.spi,
    encryption,
    encryptionKey: cipher?.alg_key ?? new Uint8Array(0),
    authentication,
    authenticationKey: mac?.alg_key ?? new Uint8Array(0),
  }
}

/** A separate code over extended numbers it cannot check without a column of its own: it must not call it wrong. */
function integrityOf(name: string, icvBits: number, isExtended: boolean): string | undefined {
  return wiresharkIntegrity(isExtended ? '' : name, icvBits)
}

/** The file, and how many SAs are not in it because Wireshark does not decrypt them. */
export function wiresharkTable(sas: Iterable<ViewedSa>): { readonly text: string; readonly leftOut: number } {
  let leftOut = 0
  const lines = [
    '# This file holds keys. Wireshark: Preferences, Protocols, ESP. Fields: protocol, addresses, SPI, …',
  ]
  for (const sa of sas) {
    const row = wiresharkRow(sa)
    if (row) lines.push(tableLine(row))
    else if (sa.protocol === 'esp') leftOut++
  }
  return { text: `${lines.join('\n')}\n`, leftOut }
}
