/**
 * The end of pins: their policies go at once, and nothing else changes. A plan from the rules would move SAs to other
 * classes as well; that waits for the next change of rules. Pure.
 *
 * @module
 */
import { dir } from '../../netlink/xfrm/constants.ts'
import { flowKey } from '../latch/connections.ts'
import { type Pin, pinnedRules } from '../latch/pins.ts'
import { BAND } from '../translate/priorities.ts'
import { selectorPairs } from '../translate/selectors.ts'
import type { InstalledPolicy } from './plan.ts'
import type { PolicyState } from './policy-state.ts'
import type { Step } from './steps.ts'

/** @param installed policies of ours */
export function planRelease(
  state: PolicyState,
  ended: readonly Pin[],
  installed: readonly InstalledPolicy[],
): { readonly next: PolicyState; readonly steps: readonly Step[] } {
  const gone = new Set(ended.map(flowKey))
  if (!state.pins.some((pin) => !pin.isEnded && gone.has(flowKey(pin)))) return { next: state, steps: [] }
  const selectors = new Set(selectorTexts(state.pins.filter((pin) => gone.has(flowKey(pin)))))
  const steps = installed
    .filter(({ info }) => info.priority >= BAND.pin && info.priority < BAND.system)
    .filter(({ info }) => selectors.has(selectorText(info.dir, info.sel)))
    .map((policy): Step => ({ kind: 'remove', policy }))
  const pins = state.pins.map((pin): Pin => (gone.has(flowKey(pin)) ? { ...pin, isEnded: true } : pin))
  return { next: { ...state, pins }, steps }
}

function* selectorTexts(pins: readonly Pin[]): Generator<string> {
  for (const { rule, pair } of pinnedRules(pins.map(({ isEnded: _, ...pin }) => pin)).placed) {
    const { family } = pair.remote ?? {}
    if (!family) continue
    for (const selectors of selectorPairs(rule.selector, pair, family)) {
      yield rule.direction === 'out'
        ? selectorText(dir.OUT, selectors.out)
        : selectorText(dir.IN, selectors.in)
    }
  }
}

function selectorText(direction: number, sel: InstalledPolicy['info']['sel']): string {
  const { family, proto, saddr, sport, daddr, dport } = sel
  return `${direction} ${family} ${proto} ${saddr.join('.')} ${sport} ${daddr.join('.')} ${dport}`
}
