/**
 * Tables of packets and what is to be said of them.
 *
 * @module
 */
import t from 'tap'
import type { Category } from '../../../agent/verify/verdict.ts'
import { askedText } from '../../../agent/verify/words.ts'
import {
  AH_ATTRIBUTES,
  association,
  both,
  type FrameOptions,
  LEFT,
  packet,
  protect,
  RIGHT,
  stateOf,
  World,
  type WorldOptions,
} from './world.ts'

export interface Row {
  readonly is: Category
  readonly bytes: Uint8Array
  readonly frame?: FrameOptions
  /** What it has to say of it. */
  readonly seen?: string | RegExp
  readonly asked?: string
}

/** Each packet is shown to a world of its own. */
export function judge(title: string, world: WorldOptions, rows: Readonly<Record<string, Row>>): void {
  t.test(title, async (t) => {
    for (const [name, { is, bytes, frame = {}, seen, asked }] of Object.entries(rows)) {
      const here = new World({ addresses: [frame.way === 'in' ? RIGHT : LEFT], ...world })
      t.same(here.see(bytes, frame), [is], name)
      if (seen !== undefined) t.match(here.last.seen, seen, name)
      if (asked !== undefined) t.equal(here.last.policy && askedText(here.last.policy), asked, name)
    }
  })
}

/** An SA of ESP and one of AH, and what they make of a packet. */
export const esp = association()
export const ah = association({ protocol: 'ah', attributes: AH_ATTRIBUTES })
export const inEsp = () => protect(esp, packet())
export const inBoth = () => protect(ah, protect(esp, packet()))
export const states = [stateOf(esp), stateOf(ah)]
export const IN = { way: 'in' } as const

/** A packet that was changed on its way. */
export const forged = () => inEsp().fill(1, -3)
/** ESP is asked for, in and out. */
export const asked = both({ asks: ['esp'] })
