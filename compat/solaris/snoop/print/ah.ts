/**
 * The IP Authentication Header (RFC 4302).
 *
 * @module
 */
import { read16, read32 } from '../../../../agent/packet/octets.ts'
import { AH_FIXED_LENGTH } from '../../../../agent/packet/protocols.ts'
import { brokenOf, failureOf, failureText } from './cover.ts'
import { add, addBroken, type Context, lack, type Step } from './layer.ts'
import { protocolText } from './protocols.ts'
import { hex, hexOctets } from './text.ts'

const TITLE = 'Authentication Header'

export function decodeAh(context: Context, { at, end, partial }: Step): Step | undefined {
  const { bytes } = context
  const wrong = lack(context, at, AH_FIXED_LENGTH, end)
  if (wrong !== undefined) return addBroken(context, 'AH', TITLE, wrong, brokenOf(context.frame, 'ah'))
  const next = bytes[at] ?? 0
  const field = bytes[at + 1] ?? 0
  const length = (field + 2) * 4
  const spi = read32(bytes, at + 4)
  const replay = read32(bytes, at + 8)
  const short = length < AH_FIXED_LENGTH ? `[malformed: AH length ${field}]` : undefined
  const cut = short ?? lack(context, at, length, end)
  const cover = failureOf(context.frame, 'ah', spi, replay)
  const icvEnd = cut === undefined ? at + length : Math.min(at + AH_FIXED_LENGTH, end)
  const summary = `AH SPI=0x${hex(spi)} Replay=${replay}${failureText(cover)}${cut === undefined ? '' : ` ${cut}`}`
  const details = [
    `Next header = ${protocolText(next)}`,
    `AH length = ${field} (${length} bytes)`,
    `<Reserved field = 0x${hex(read16(bytes, at + 2))}>`,
    `SPI = 0x${hex(spi)}`,
    `Replay = ${replay}`,
    `ICV = ${hexOctets(bytes, at + AH_FIXED_LENGTH, icvEnd)}`,
    ...(cover === undefined ? [] : [`Verdict = ${cover.verdict}`]),
    ...(cut === undefined ? [] : [cut]),
  ]
  add(context, 'AH', TITLE, summary, details, cover)
  return cut === undefined ? { protocol: next, at: at + length, end, partial } : undefined
}
