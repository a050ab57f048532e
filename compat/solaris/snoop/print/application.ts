/**
 * What is inside TCP and UDP, as far as the port tells: a name, and the beginning of what is text.
 *
 * @module
 */
import { dnsText } from './dns.ts'
import { add, type Context } from './layer.ts'
import type { Transport } from './options.ts'
import { knownService } from './protocols.ts'
import { ascii } from './text.ts'

/** What the summary shows of a text protocol. */
const SUMMARY_TEXT = 20
/** What the verbose form shows of it. */
const DETAIL_TEXT = 60

export interface Payload {
  readonly transport: Transport
  readonly source: number
  readonly destination: number
  readonly at: number
  readonly end: number
  /** Only the beginning is here, by fragmentation. */
  readonly partial: boolean
}

/** Adds a layer where there is data and one of the ports is well known. */
export function decodeApplication(context: Context, payload: Payload): void {
  const { transport, source, destination, at } = payload
  const end = Math.min(payload.end, context.captured)
  if (end <= at) return
  const asked = knownService(destination, transport)
  const service = asked ?? knownService(source, transport)
  if (service === undefined) return
  const direction = asked === undefined ? 'R' : 'C'
  const { name, text } = service
  const head = `${name} ${direction}`
  if (name === 'DNS') {
    const { summary, details } = dnsText(context.bytes, transport === 'tcp' ? at + 2 : at, end)
    add(context, name, 'DNS Header', `${head} ${summary}`, details)
    return
  }
  const port = `port=${asked === undefined ? destination : source}`
  const shown = text ? ascii(context.bytes, at, Math.min(end, at + SUMMARY_TEXT)) : ''
  const detail = text ? `"${ascii(context.bytes, at, Math.min(end, at + DETAIL_TEXT))}"` : `${end - at} bytes`
  add(context, name, `${name}:`, `${head} ${port} ${shown}`.trimEnd(), [detail])
}
