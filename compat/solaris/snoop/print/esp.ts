/**
 * The IP Encapsulating Security Payload (RFC 4303) as it is on the wire: what it covers is not looked at.
 *
 * @module
 */
import { read32 } from '../../../../agent/packet/octets.ts'
import { ESP_HEADER_LENGTH } from '../../../../agent/packet/protocols.ts'
import { brokenOf, failureOf, failureText } from './cover.ts'
import { add, addBroken, type Context, lack, type Step } from './layer.ts'
import { hex } from './text.ts'

const TITLE = 'Encapsulating Security Payload'

export function decodeEsp(context: Context, { at, end }: Step): undefined {
  const { bytes } = context
  const wrong = lack(context, at, ESP_HEADER_LENGTH, end)
  if (wrong !== undefined) return addBroken(context, 'ESP', TITLE, wrong, brokenOf(context.frame, 'esp'))
  const spi = read32(bytes, at)
  const replay = read32(bytes, at + 4)
  const cover = failureOf(context.frame, 'esp', spi, replay)
  const details = [
    `SPI = 0x${hex(spi)}`,
    `Replay = ${replay}`,
    ...(cover === undefined ? [] : [`Verdict = ${cover.verdict}`]),
    '   ....ENCRYPTED DATA....',
  ]
  add(context, 'ESP', TITLE, `ESP SPI=0x${hex(spi)} Replay=${replay}${failureText(cover)}`, details, cover)
  return undefined
}
