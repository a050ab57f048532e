/**
 * Settings of the kernel (sysctl(8)) that follow from tunables. What a setting was before is remembered, and comes back
 * when nothing asks for another value any more.
 *
 * @module
 */
import { readAcquireExpiry, writeAcquireExpiry } from '../datapath/kernel/acquire-expiry.ts'
import { type TunableValues, tunableValue } from '../model/tunables.ts'

/** A setting of ours, and what it was before. */
export interface ChangedSetting {
  readonly value: number
  readonly before: number
}

export interface SystemSettings {
  /** `net.core.xfrm_acq_expires`, in seconds; absent: it is not ours. */
  readonly acquireExpiry?: ChangedSetting
}

/** Nothing is ours. */
export const NO_SYSTEM_SETTINGS: SystemSettings = {}

/** The kernel has the setting not, or does not let it be changed. */
export class SettingError extends Error {
  constructor(reason: string) {
    super(
      `net.core.xfrm_acq_expires, which acquire_timeout and larval_timeout set, cannot be changed: ${reason}`,
    )
    this.name = 'SettingError'
  }
}

const TIMEOUTS = ['ipsecesp', 'ipsecah'].flatMap((module) => [
  `${module}_acquire_timeout`,
  `${module}_larval_timeout`,
])

/**
 * How long the kernel keeps a request for an SA, and an SA that is being made, as tunables say: it has one time for
 * both, and for AH and ESP. So it is the longest of those that somebody has set. Pure.
 *
 * @returns seconds; `undefined` where none was set: the kernel's own time holds
 */
export function acquireExpiry(tunables: TunableValues): number | undefined {
  const set = TIMEOUTS.filter((name) => tunables[name] !== undefined).map((name) =>
    tunableValue(tunables, name),
  )
  return set.length === 0 ? undefined : Math.max(...set)
}

/** The settings that tunables ask for, with what is there now as what was before, where it is not ours already. */
export function settingsFor(tunables: TunableValues, old: SystemSettings): SystemSettings {
  const value = acquireExpiry(tunables)
  if (value === undefined) return NO_SYSTEM_SETTINGS
  const before = old.acquireExpiry?.before ?? readAcquireExpiry()
  // Without the file, writing will say so.
  return { acquireExpiry: { value, before: before ?? value } }
}

/**
 * Makes the kernel's settings what they are to be.
 *
 * @param from what was ours before
 * @throws SettingError
 */
export function syncSettings(from: SystemSettings, to: SystemSettings): void {
  const wanted = to.acquireExpiry?.value ?? from.acquireExpiry?.before
  if (wanted === undefined || wanted === readAcquireExpiry()) return
  // Somebody else has changed it since: then it is not ours to take back.
  if (!to.acquireExpiry && readAcquireExpiry() !== from.acquireExpiry?.value) return
  try {
    writeAcquireExpiry(wanted)
  } catch (error) {
    throw new SettingError((error as Error).message)
  }
}
