/**
 * SAs that have reached a soft limit: whoever makes their successors is told, once for each SA and limit.
 *
 * The kernel announces only the first soft limit that an SA reaches, and announcements may be lost; so the SAs that are
 * looked at from time to time are held against their limits as well.
 *
 * @module
 */
import { INF } from '../../../netlink/xfrm/constants.ts'
import type { UsersaInfo } from '../../../netlink/xfrm/structs.ts'
import type { SaIdentifier } from '../../model/association.ts'
import { saKey } from '../../reconcile/association-notes.ts'
import type { Tell } from '../events.ts'
import { associationName } from '../words.ts'

/** As configurations call them. */
export type SoftLimit = 'bytes' | 'addTime' | 'useTime'

/** A limit that an SA is beyond. */
export interface ReachedLimit {
  readonly limit: SoftLimit
  /** Bytes, or seconds since it was made or first used. */
  readonly value: bigint
}

type Life = Pick<UsersaInfo, 'lft' | 'curlft'>

const WORDS: Readonly<Record<SoftLimit, string>> = {
  bytes: 'bytes',
  addTime: 'seconds since it was made',
  useTime: 'seconds since it was first used',
}

/** The soft limits that an SA is beyond. @param now seconds since 1970 */
export function reachedLimits({ lft, curlft }: Life, now: bigint): ReachedLimit[] {
  const { soft_byte_limit: bytes, soft_add_expires_seconds: add, soft_use_expires_seconds: use } = lft
  const reached: ReachedLimit[] = []
  if (bytes !== INF && bytes !== 0n && curlft.bytes >= bytes) reached.push({ limit: 'bytes', value: bytes })
  if (add !== 0n && now >= curlft.add_time + add) reached.push({ limit: 'addTime', value: add })
  if (use !== 0n && curlft.use_time !== 0n && now >= curlft.use_time + use) {
    reached.push({ limit: 'useTime', value: use })
  }
  return reached
}

export class SoftLimitDuty {
  readonly #tell: Tell
  readonly #now: () => bigint
  /** What was told of an SA: it is another one where it was made at another time. */
  readonly #told = new Map<string, { readonly addTime: bigint; readonly limits: Set<string> }>()

  /** @param now seconds since 1970 */
  constructor(tell: Tell, now = () => BigInt(Math.floor(Date.now() / 1000))) {
    this.#tell = tell
    this.#now = now
  }

  /** Looks at an SA, whoever has said that there is something to see. */
  look(identifier: SaIdentifier, life: Life): void {
    for (const reached of reachedLimits(life, this.#now())) {
      if (this.#isNew(identifier, life, reached)) this.#tell(softLimitEvent(identifier, reached, life))
    }
  }

  /** Forgets SAs that are not to be there any more. @param isKept says so by `saKey` */
  prune(isKept: (key: string) => boolean): void {
    for (const key of this.#told.keys()) if (!isKept(key)) this.#told.delete(key)
  }

  #isNew(identifier: SaIdentifier, { curlft: { add_time: addTime } }: Life, reached: ReachedLimit): boolean {
    const key = saKey(identifier)
    const known = this.#told.get(key)
    const told = known?.addTime === addTime ? known : { addTime, limits: new Set<string>() }
    const text = `${reached.limit} ${reached.value}`
    if (told.limits.has(text)) return false
    told.limits.add(text)
    this.#told.set(key, told)
    return true
  }
}

function softLimitEvent(
  identifier: SaIdentifier,
  { limit, value }: ReachedLimit,
  { lft, curlft }: Life,
): Parameters<Tell>[0] {
  const association = associationName(identifier)
  const isEnding =
    lft.hard_byte_limit !== INF || lft.hard_add_expires_seconds !== 0n || lft.hard_use_expires_seconds !== 0n
  const until = isEnding ? 'until its hard limit' : 'until it is removed, since it has no hard limit'
  return {
    level: 'warning',
    event: 'association-soft',
    message: `${association} has reached its soft limit of ${value} ${WORDS[limit]}. It stays in use ${until}; a successor is due.`,
    details: { association, limit, value: Number(value), bytes: Number(curlft.bytes) },
  }
}
