/**
 * Keys as text: the one place of this language that turns a `Secret` into digits.
 *
 * @module
 */
import type { Secret } from '../../../../agent/model/secret.ts'

/** The digits of a key, or `XX` for each byte. */
export function keyDigits(key: Secret, paranoid: boolean): string {
  const bytes = key.reveal()
  if (paranoid) return 'XX'.repeat(bytes.length)
  let text = ''
  for (const byte of bytes) text += byte.toString(16).padStart(2, '0')
  return text
}

/** `HEX/BITS`, the form that the parser reads. */
export function loadableKey(key: Secret, paranoid: boolean): string {
  return `${keyDigits(key, paranoid)}/${key.bits}`
}

/** `HEX/BITS`, or with salt `HEX[SALT]/BITS+SALTBITS`. */
export function displayedKey(key: Secret, saltBits: number, paranoid: boolean): string {
  const digits = keyDigits(key, paranoid)
  if (saltBits === 0) return `${digits}/${key.bits}`
  const split = digits.length - saltBits / 4
  return `${digits.slice(0, split)}[${digits.slice(split)}]/${key.bits - saltBits}+${saltBits}`
}
