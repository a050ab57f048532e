/**
 * Reading tables that others change meanwhile. Where the kernel does not say that a dump was disturbed
 * (XFRM never does), its change events say it.
 *
 * @module
 */
import { NetlinkError } from './error.ts'
import type { EventQueue } from './events.ts'
import type { ReceivedMessage } from './message.ts'

const ATTEMPTS = 10

export interface ConsistentOptions {
  /** How often to try; 10. */
  readonly attempts?: number
  /** Whether an event means a change of what is read; every one does where this is absent. */
  readonly isChange?: (event: ReceivedMessage) => boolean
  /**
   * Called between reading and looking at the events: it must return only when every change that the read
   * may have seen has sent its event. Any request that the kernel handles under the same lock as the changes
   * will do.
   */
  readonly settle?: () => void
}

/**
 * Calls `read` until no change happened meanwhile, and returns what it returned then. `read` must start
 * from nothing each time.
 *
 * @param events - a queue in the groups that announce changes, joined before the call
 * @throws {NetlinkError} ERR_NETLINK_INCONSISTENT_DUMP where others never kept still long enough
 */
export function consistently<T>(events: EventQueue, read: () => T, options: ConsistentOptions = {}): T {
  const attempts = options.attempts ?? ATTEMPTS
  changed(events, options)
  for (let attempt = 0; attempt < attempts; attempt++) {
    const result = undisturbed(read)
    options.settle?.()
    if (!changed(events, options) && result) return result.value
  }
  throw new NetlinkError({
    operation: 'dump',
    code: 'ERR_NETLINK_INCONSISTENT_DUMP',
    detail: `the table changed during each of ${attempts} attempts to read it`,
    hint: 'another program keeps changing policies or SAs; try again when it is done',
  })
}

/** What `read` returned, or nothing where the kernel itself said that it was disturbed. */
function undisturbed<T>(read: () => T): { readonly value: T } | undefined {
  try {
    return { value: read() }
  } catch (error) {
    if (error instanceof NetlinkError && error.code === 'ERR_NETLINK_DUMP_INTERRUPTED') return undefined
    throw error
  }
}

/** Empties the queue; true where a change was in it, or where one may have been lost. */
export function changed(events: EventQueue, { isChange }: Pick<ConsistentOptions, 'isChange'>): boolean {
  let found = false
  const state = events.drain((event) => {
    found ||= isChange?.(event) ?? true
  })
  return found || state === 'overrun'
}
