/**
 * Numbers as `strtoull(3)` base 0 reads them: decimal, `0x` hexadecimal, leading-zero octal. No sign, no blanks,
 * nothing after the digits.
 *
 * @module
 */
const NUMBER = /^(?:0x[0-9a-f]+|0[0-7]*|[1-9][0-9]*)$/i

/** The value, or `undefined` where the text is no number. Values beyond 2^53 come back inexact but large. */
export function parseNumber(text: string): number | undefined {
  if (!NUMBER.test(text)) return undefined
  return isOctal(text) ? Number.parseInt(text, 8) : Number(text)
}

/** The same, exact at any size. */
export function parseBigNumber(text: string): bigint | undefined {
  if (!NUMBER.test(text)) return undefined
  return BigInt(isOctal(text) ? `0o${text}` : text)
}

function isOctal(text: string): boolean {
  return text.length > 1 && text.charCodeAt(0) === 48 && text.charCodeAt(1) <= 57
}
