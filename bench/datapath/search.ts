/**
 * The highest rate that a path carries without loss, found by trying rates.
 *
 * @module
 */

/** What became of one attempt. */
export interface Attempt {
  /** Packets that were sent, and that came out at the other end. */
  readonly sent: number
  readonly arrived: number
  /** Seconds of sending. */
  readonly seconds: number
}

export interface HighestRate {
  /** Packets a second that arrived in the best attempt without loss; 0 where there was none. */
  readonly rate: number
  /** The sender can do no more: the path may. */
  readonly isSendersLimit: boolean
}

/** What counts as no loss, as a part of what was sent. */
const TOLERABLE = 0.001
/** Rates are found up to this factor; this machine is not quiet enough for more. */
const PRECISION = 1.1
/** A sender that falls so far short of what it was asked for has reached its limit. */
const SHORTFALL = 1.5
/** Attempts at one rate: what goes wrong once may be the fault of something else that runs on this machine. */
const TRIES = 3
const FIRST = 8000
const LOWEST = 500

/**
 * Doubles the rate until packets are lost, then halves the distance.
 *
 * @param attempt sends that many packets a second, for a time that the caller has chosen
 */
export async function highestRate(attempt: (rate: number) => Promise<Attempt>): Promise<HighestRate> {
  let best = 0
  const outcomeOf = async (rate: number): Promise<'carried' | 'lost' | 'not sent'> => {
    let outcome: 'lost' | 'not sent' = 'lost'
    for (let tries = 0; tries < TRIES; tries++) {
      const { sent, arrived, seconds } = await attempt(rate)
      if (sent === 0 || sent - arrived > TOLERABLE * sent) continue
      best = Math.max(best, arrived / seconds)
      if (SHORTFALL * sent >= rate * seconds) return 'carried'
      outcome = 'not sent'
    }
    return outcome
  }
  let [low, high] = [FIRST, FIRST]
  let outcome = await outcomeOf(FIRST)
  for (; outcome === 'carried'; outcome = await outcomeOf(high)) {
    low = high
    high *= 2
  }
  if (outcome === 'not sent') return { rate: best, isSendersLimit: true }
  // Not even the first rate was carried.
  while (low === high && low > LOWEST) {
    low /= 2
    if ((await outcomeOf(low)) === 'lost') high = low
  }
  while (best > 0 && high / low > PRECISION) {
    const middle = Math.round(Math.sqrt(low * high))
    if ((await outcomeOf(middle)) === 'lost') high = middle
    else low = middle
  }
  return { rate: best, isSendersLimit: false }
}
