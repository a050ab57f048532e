/**
 * Random rules that are more than the bits of a mark can tell apart.
 *
 * @module
 */
import fc from 'fast-check'
import { MarkCapacityError } from '../../../../agent/translate/policy-set.ts'

/** Leaves out what does not fit into the mark: it is refused as a whole. */
export function fitting<T>(make: () => T): T {
  try {
    return make()
  } catch (error) {
    if (error instanceof MarkCapacityError) fc.pre(false)
    throw error
  }
}
