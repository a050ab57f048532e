/**
 * Amounts with their rounded form in brackets, and times.
 *
 * @module
 */
const BYTE_UNITS = ['KB', 'MB', 'GB', 'TB', 'PB', 'EB'] as const
const TIME_UNITS = [
  [86400, 'days'],
  [3600, 'hours'],
  [60, 'minutes'],
] as const

/** `4128 bytes (4.03 KB)`; without brackets below 1024. */
export function bytes(amount: bigint): string {
  let value = Number(amount)
  let unit: string | undefined
  for (const next of BYTE_UNITS) {
    if (value < 1024) break
    value /= 1024
    unit = next
  }
  return unit === undefined ? `${amount} bytes` : `${amount} bytes (${value.toFixed(2)} ${unit})`
}

/** `28800 seconds (8.00 hours)`; without brackets below a minute. */
export function seconds(amount: bigint): string {
  const unit = TIME_UNITS.find(([length]) => amount >= length)
  if (!unit) return `${amount} seconds`
  return `${amount} seconds (${(Number(amount) / unit[0]).toFixed(2)} ${unit[1]})`
}

const DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat']
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

/** Seconds since 1970 as `strftime(3)` writes `%c` in the C locale, local time. */
export function date(time: bigint): string {
  const at = new Date(Number(time) * 1000)
  if (Number.isNaN(at.getTime())) return '<unknown>'
  const clock = [at.getHours(), at.getMinutes(), at.getSeconds()].map((part) => String(part).padStart(2, '0'))
  const day = String(at.getDate()).padStart(2)
  return `${DAYS[at.getDay()]} ${MONTHS[at.getMonth()]} ${day} ${clock.join(':')} ${at.getFullYear()}`
}
