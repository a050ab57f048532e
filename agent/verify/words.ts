/**
 * Protection in words: what policy asks for, and what a packet has.
 *
 * @module
 */
import { action, mode, proto } from '../../netlink/xfrm/constants.ts'
import type { Cover } from '../capture/frame.ts'
import type { Policy } from '../datapath/software/policy/policy.ts'
import type { Protector } from '../datapath/software/policy/templates.ts'
import { isOurReqid } from '../translate/classes.ts'

const MODES: Readonly<Record<number, string>> = {
  [mode.TUNNEL]: ' in tunnel mode',
  [mode.BEET]: ' in BEET mode',
}
const PROTOCOLS: Readonly<Record<number, string>> = { [proto.AH]: 'AH', [proto.ESP]: 'ESP' }

/** Our own reqids are hashes, which tell nobody anything; those of others are known to who made them. */
function layerText(protocol: number, itsMode: number, reqid: number): string {
  const name = PROTOCOLS[protocol] ?? `protocol ${protocol}`
  return `${name}${MODES[itsMode] ?? ''}${reqid === 0 || isOurReqid(reqid) ? '' : ` with reqid ${reqid}`}`
}

/** What a policy asks for: `AH around ESP`. */
export function askedText({ info, templates }: Pick<Policy, 'info' | 'templates'>): string {
  if (info.action === action.BLOCK) return 'no such packet at all (drop)'
  // Of templates the first is the innermost.
  const required = templates.filter(({ optional }) => optional === 0).reverse()
  if (required.length === 0) return 'clear text'
  return required.map((tmpl) => layerText(tmpl.id.proto, tmpl.mode, tmpl.reqid)).join(' around ')
}

/**
 * What a packet had: `ESP SPI 0x1001 (aes-cbc, hmac-sha256)`.
 *
 * @param path the SAs, the outermost first
 * @param covers the same as they were taken off
 */
export function protectionText(path: readonly Protector[], covers: readonly Cover[]): string {
  return path
    .map(({ body }, n) => {
      const { encryption, authentication } = covers[n] ?? {}
      const algorithms = [encryption, authentication].filter((name) => name !== undefined)
      const suffix = algorithms.length > 0 ? ` (${algorithms.join(', ')})` : ''
      return `${layerText(body.id.proto, body.mode, body.reqid)} SPI ${spiText(body.id.spi)}${suffix}`
    })
    .join(' around ')
}

/** `0x1001`. */
export function spiText(spi: number): string {
  return `0x${spi.toString(16)}`
}
