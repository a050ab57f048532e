/**
 * AH and ESP that were taken off before the packet came here, or could not be: the verdicts of decryption.
 *
 * @module
 */
import type { Cover, Frame } from '../../../../agent/capture/frame.ts'
import { add, type Context } from './layer.ts'
import { hex, safe } from './text.ts'

const TITLES = { ah: 'Authentication Header', esp: 'Encapsulating Security Payload' }

/** A layer for each cover that was opened: their headers are no longer in the packet. */
export function addOpened(context: Context): void {
  for (const cover of context.frame.covers) if (cover.verdict === 'opened') addCover(context, cover)
}

/** A layer for each cover that was not opened and that no header in the packet turned out to be. */
export function addUnseen(context: Context): void {
  for (const cover of context.frame.covers) {
    if (!context.layers.some((layer) => layer.cover === cover)) addCover(context, cover)
  }
}

/** How the header read, and what came of it. */
function addCover(context: Context, cover: Cover): void {
  const name = cover.protocol === 'ah' ? 'AH' : 'ESP'
  const { spi, sequence, verdict, mode, encryption, authentication } = cover
  const details = [
    `SPI = 0x${hex(spi >>> 0)}`,
    `Replay = ${sequence}`,
    ...(mode === undefined ? [] : [`Mode = ${mode}`]),
    ...(encryption === undefined ? [] : [`Encryption = ${safe(encryption)}`]),
    ...(authentication === undefined ? [] : [`Authentication = ${safe(authentication)}`]),
    `Verdict = ${verdict}`,
  ]
  const summary = `${nameOf(cover)} Replay=${sequence} ${verdictText(cover)}`
  add(context, name, TITLES[cover.protocol], summary, details, cover)
}

function nameOf({ protocol, spi }: Cover): string {
  return `${protocol.toUpperCase()} SPI=0x${hex(spi >>> 0)}`
}

function verdictText({ verdict, encryption, authentication }: Cover): string {
  if (verdict !== 'opened') return `(${verdict})`
  const algorithms = [encryption, authentication].filter((name) => name !== undefined).map(safe)
  return algorithms.length === 0 ? '(opened)' : `(opened: ${algorithms.join(', ')})`
}

/** A cover before the line of what is inside: `ESP SPI=0x1f4`, and what was wrong with it. */
export function coverText(cover: Cover): string {
  return nameOf(cover) + failureText(cover)
}

/** The cover that this header is and that could not be opened, or `undefined`. */
export function failureOf(
  { covers }: Frame,
  protocol: Cover['protocol'],
  spi: number,
  sequence: number,
): Cover | undefined {
  return covers.find(
    (cover) =>
      cover.verdict !== 'opened' &&
      cover.protocol === protocol &&
      cover.spi >>> 0 === spi &&
      // Extended sequence numbers may be told whole, of which the packet has the low half.
      cover.sequence % 0x1_0000_0000 === sequence,
  )
}

/** The cover that a header is whose SPI cannot be read, or `undefined`. */
export function brokenOf({ covers }: Frame, protocol: Cover['protocol']): Cover | undefined {
  return covers.find((cover) => cover.verdict === 'malformed' && cover.protocol === protocol)
}

/** ` (no key)`, or nothing. */
export function failureText(cover: Cover | undefined): string {
  return cover === undefined || cover.verdict === 'opened' ? '' : ` (${cover.verdict})`
}
