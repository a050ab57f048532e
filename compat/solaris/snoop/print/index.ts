/**
 * Packets as text, in the manner of Solaris's snoop: in short, by layers, at length, and as hexadecimal digits.
 *
 * @module
 */
export { hexLines } from './hex.ts'
export type { PrintOptions, Transport } from './options.ts'
export { summaryLines } from './summary.ts'
export { safe } from './text.ts'
export { verboseLines } from './verbose.ts'
