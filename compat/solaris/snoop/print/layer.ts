/**
 * What the decoders share: the list of layers that they add to, and the two ways in which bytes can be missing.
 *
 * The `end` that a decoder is given is where its layer ends by the lengths in the headers before it. That may be beyond
 * the captured bytes, so a decoder asks {@link lack} before it reads.
 *
 * @module
 */
import type { Cover, Frame } from '../../../../agent/capture/frame.ts'
import type { PrintOptions } from './options.ts'

/** One layer of a packet: the one description that all styles are printed from. */
export interface Layer {
  /** Before each verbose line: `ETHER`, `IP`. */
  readonly name: string
  /** `Ether Header`, as it stands in the first verbose line. */
  readonly title: string
  /** The line of this layer, which begins with the protocol. */
  readonly summary: string
  /** The verbose lines, without their prefix; none where other layers say it all. */
  readonly details: readonly string[]
  /** Part of a packet that an ICMP error quotes: for the verbose form only. */
  readonly quoted: boolean
  /** The verdict on this AH or ESP, where there is one. */
  readonly cover?: Cover | undefined
}

/** One packet on its way through the decoders. */
export interface Context {
  readonly frame: Frame
  readonly bytes: Uint8Array
  /** End of the bytes that are there. */
  readonly captured: number
  readonly options: PrintOptions
  readonly layers: Layer[]
  /** The columns of the two hosts. */
  source: string
  destination: string
  /** `VLAN#5: ` before each summary, or nothing. */
  tag: string
  /** Inside a packet that an ICMP error quotes, which is seldom whole. */
  quoted: boolean
}

/** Where the walk goes on: an IP protocol, its place, and its end by the lengths so far. */
export interface Step {
  readonly protocol: number
  readonly at: number
  readonly end: number
  /** The first fragment of a packet, or part of a quoted one: lengths inside may be greater than what is here. */
  readonly partial: boolean
}

/** Adds its layer to the context; returns what comes next, or nothing at the end of the walk. */
export type Decoder = (context: Context, step: Step) => Step | undefined

/** Why `length` octets at `at` cannot be read: they were not captured, or they are not part of the packet. */
export function lack(context: Context, at: number, length: number, end: number): string | undefined {
  if (at + length > end && !context.quoted) {
    return `[malformed: ${Math.max(0, end - at)} of ${length} bytes]`
  }
  return at + length > Math.min(end, context.captured) ? '[truncated]' : undefined
}

/** Adds a layer. */
export function add(
  context: Context,
  name: string,
  title: string,
  summary: string,
  details: readonly string[],
  cover?: Cover,
): void {
  context.layers.push({ name, title, summary, details, quoted: context.quoted, cover })
}

/** Adds a layer of which no more can be said than what is wrong with it. */
export function addBroken(
  context: Context,
  name: string,
  title: string,
  wrong: string,
  cover?: Cover,
): undefined {
  add(context, name, title, `${name} ${wrong}`, [wrong], cover)
  return undefined
}
