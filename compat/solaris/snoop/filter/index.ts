/**
 * The filter expressions of snoop(8): which frames are to be shown.
 *
 * A filter judges one frame. A packet that was protected comes as two frames, as it was on the wire and uncovered: it
 * matches if either does. `ah`, `esp` and `spi` are true of an uncovered frame by what covered it, so that
 * `esp and port 22` finds what is inside of ESP.
 *
 * @module
 */
import type { Frame } from '../../../../agent/capture/frame.ts'
import { type FilterNames, NO_NAMES } from './names.ts'
import { locate, newPacket } from './packet.ts'
import { parseExpression } from './parser.ts'

export { FilterError } from './error.ts'
export type { FilterNames } from './names.ts'

/** True of a frame that is to be shown. Allocates nothing, never throws, and reads nothing beyond `frame.end`. */
export type Filter = (frame: Frame) => boolean

/**
 * Compiles an expression; an empty one is true of everything. Names are looked up here, once. Fields that a packet does
 * not have make a comparison false, also with `!=`.
 *
 * @param names without it, hosts, networks and ports can be literal only
 * @throws FilterError with a diagnostic about the first error
 */
export function parseFilter(text: string, names: FilterNames = NO_NAMES): Filter {
  const condition = parseExpression(text, names)
  const packet = newPacket()
  return (frame) => {
    locate(packet, frame)
    return condition(packet)
  }
}
