/**
 * Numbers as `strtol(3)` with base 0 reads them.
 *
 * @module
 */
const INTEGER = /^(?:0[xX][0-9a-fA-F]{1,8}|0[0-7]{0,10}|[1-9][0-9]{0,9})$/

/**
 * Reads an unsigned integer: decimal, `0x` hexadecimal or leading-zero octal, and nothing after it.
 *
 * @returns `undefined` where the text is anything else, or above `max`
 */
export function parseInteger(text: string, max: number): number | undefined {
  if (!INTEGER.test(text)) return undefined
  const octal = text.charCodeAt(0) === 48 && text.length > 1 && text.charCodeAt(1) < 58
  const value = octal ? Number.parseInt(text, 8) : Number(text)
  return value <= max ? value : undefined
}
