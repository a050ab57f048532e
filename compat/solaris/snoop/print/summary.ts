/**
 * Packets in short: one line, or with `layers` one for each layer.
 *
 * @module
 */
import type { Frame } from '../../../../agent/capture/frame.ts'
import { coverText } from './cover.ts'
import type { Layer } from './layer.ts'
import type { PrintOptions } from './options.ts'
import { seconds, timeOfDay } from './time.ts'
import { walk } from './walk.ts'

/** Before the lines of each packet in the form with all layers. */
const RULE = '________________________________'

/**
 * The lines of a packet, without newlines: number, time and length as `options` ask, the two hosts, and the uppermost
 * protocol, or all of them.
 */
export function summaryLines(frame: Frame, options: PrintOptions = {}): string[] {
  const { layers, source, destination, tag } = walk(frame, options)
  const columns = `${leading(frame, options)}${source.padStart(12)} -> ${destination.padEnd(12)} ${tag}`
  const shown = layers.filter(({ quoted }) => !quoted)
  if (options.layers) return [RULE, ...shown.map(({ summary }) => columns + summary)]
  return [columns + uppermost(shown)]
}

/** The last layer, and before it what covers it, as far as there is a verdict. */
function uppermost(layers: readonly Layer[]): string {
  let text = ''
  for (const { cover } of layers.slice(0, -1)) if (cover !== undefined) text += `${coverText(cover)} `
  return text + (layers.at(-1)?.summary ?? '')
}

function leading(frame: Frame, options: PrintOptions): string {
  let text = options.numbers ? `${String(frame.number).padStart(3)} ` : ''
  const { first = frame.time, previous = frame.time } = options
  if (options.time === 'absolute') text += `${timeOfDay(frame.time, options)} `
  else if (options.time === 'relative') text += `${seconds(first, frame.time).padStart(9)} `
  else if (options.time === 'delta') text += `${seconds(previous, frame.time).padStart(9)} `
  if (options.sizes) text += `length: ${String(frame.wireLength).padStart(4)}  `
  return text
}
