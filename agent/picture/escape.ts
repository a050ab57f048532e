/**
 * Texts of others in SVG and HTML: rules, comments, names of files and interfaces can say anything.
 *
 * @module
 */

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

/** What no XML document may have, and what turns the direction of text: each becomes U+FFFD. */
const FORBIDDEN = /(?![\t\n\r])[\p{Cc}\p{Cs}\u200e\u200f\u202a-\u202e\u2066-\u2069\ufffe\uffff]/gu

/** For content and for quoted attributes. */
export function escapeXml(text: string): string {
  return text.replace(FORBIDDEN, '\ufffd').replace(/[&<>"']/g, (one) => ENTITIES[one] ?? one)
}

/** JSON for a `script` element: nothing in it can end the element or open another. */
export function escapeJson(value: unknown): string {
  return JSON.stringify(value).replace(
    /[<>&\u2028\u2029]/g,
    (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}

/** A text that fits into a width, with an ellipsis where it had to be cut. */
export function fitted(text: string, pixels: number, fontSize: number): string {
  // The mean width of a letter of a usual sans-serif face.
  const most = Math.max(4, Math.floor(pixels / (fontSize * 0.53)))
  const letters = [...text]
  return letters.length <= most
    ? text
    : `${letters
        .slice(0, most - 1)
        .join('')
        .trimEnd()}…`
}
