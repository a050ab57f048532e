/**
 * Times as the commands of SMF print them, in local time and in English.
 *
 * @module
 */
const DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat']
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']
const DAY_MILLISECONDS = 86_400_000

const two = (value: number): string => String(value).padStart(2, '0')

/** `Sat Nov 21 09:05:00 2026`. */
export function longTime(milliseconds: number): string {
  const date = new Date(milliseconds)
  const day = String(date.getDate()).padStart(2)
  const clock = [date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(':')
  return `${DAYS[date.getDay()]} ${MONTHS[date.getMonth()]} ${day} ${clock} ${date.getFullYear()}`
}

/** ` 9:05:00` of the last 24 hours, `Nov_21` of the last year, `2025` before that; `-` where there is none. */
export function shortTime(milliseconds: number | undefined, now: number): string {
  if (milliseconds === undefined) return '-'
  const date = new Date(milliseconds)
  const age = now - milliseconds
  if (age < DAY_MILLISECONDS) {
    return `${String(date.getHours()).padStart(2)}:${two(date.getMinutes())}:${two(date.getSeconds())}`
  }
  if (age < 365 * DAY_MILLISECONDS) return `${MONTHS[date.getMonth()]}_${two(date.getDate())}`
  return String(date.getFullYear())
}

/** `Nov 21 09:05:00`, as logs of services have it. */
export function logTime(milliseconds: number): string {
  return longTime(milliseconds).slice(4, 19)
}
