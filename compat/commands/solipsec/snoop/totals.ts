/**
 * What is said at the end of a capture.
 *
 * @module
 */
import type { Verdict } from '../../../../agent/capture/frame.ts'

export interface Totals {
  readonly seen: number
  readonly shown: number
  readonly verdicts: ReadonlyMap<Verdict, number>
  /** Of a live capture: those that the kernel had no room for. */
  readonly dropped?: number
  /** The file that they were written to. */
  readonly output?: string
}

const ORDER: readonly Verdict[] = ['opened', 'no key', 'wrong ICV', 'malformed', 'unsupported']

/** `12 packets, 3 shown, 0 dropped; AH and ESP: 2 opened, 1 no key`. */
export function totalsText({ seen, shown, verdicts, dropped, output }: Totals): string {
  const counts = [
    `${seen} ${seen === 1 ? 'packet' : 'packets'}`,
    output === undefined ? `${shown} shown` : `${shown} written to ${output}`,
    ...(dropped === undefined ? [] : [`${dropped} dropped`]),
  ]
  const outcomes = ORDER.flatMap((verdict) => {
    const count = verdicts.get(verdict)
    return count === undefined ? [] : [`${count} ${verdict}`]
  })
  return `${counts.join(', ')}${outcomes.length > 0 ? `; AH and ESP: ${outcomes.join(', ')}` : ''}\n`
}
