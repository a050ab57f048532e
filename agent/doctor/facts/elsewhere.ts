/**
 * Trying what would leave something behind.
 *
 * @module
 */
import { withNewNetns } from '../../../netlink/libc/netns.ts'
import { fails, isDenied, reasonOf, type Trial, untried } from '../known.ts'

/** Tries it in a new network namespace, which nothing is left of. */
export function elsewhere(attempt: () => Trial): Trial {
  let isInside = false
  try {
    return withNewNetns(() => {
      isInside = true
      return attempt()
    })
  } catch (error) {
    const why = reasonOf(error)
    return isInside && !isDenied(error) ? fails(why) : untried(why)
  }
}
