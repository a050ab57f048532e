/**
 * Packets at length: all fields of all layers, each line with its layer's name.
 *
 * @module
 */
import type { Frame } from '../../../../agent/capture/frame.ts'
import type { Layer } from './layer.ts'
import type { PrintOptions } from './options.ts'
import { walk } from './walk.ts'

/** The lines of a packet, without newlines; an empty one stands at the end. */
export function verboseLines(frame: Frame, options: PrintOptions = {}): string[] {
  const lines: string[] = []
  for (const layer of walk(frame, options).layers) addLayer(lines, layer)
  lines.push('')
  return lines
}

function addLayer(lines: string[], { name, title, details, quoted }: Layer): void {
  if (details.length === 0) return
  const shown = quoted ? `ICMP:${name}` : name
  // The names of IP's own lines are set off by one blank more.
  const prefix = `${shown}:${name === 'IP' ? '   ' : '  '}`
  lines.push(`${prefix}----- ${title} -----`, `${shown}:`)
  for (const detail of details) lines.push(prefix + detail)
  if (name !== 'ESP') lines.push(`${shown}:`)
}
