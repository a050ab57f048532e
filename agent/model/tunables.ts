/**
 * The tunables of Solaris's IPsec (ipsec(4P), ipsecesp(4P), ipsecah(4P)), and those of KAME for tunnels: one table of
 * names, ranges, defaults and what becomes of each on Linux. Pure.
 *
 * @module
 */

/** The modules that have tunables, as `/dev/MODULE` names them. `ipsectun` is ours: Solaris has no such switches. */
export const TUNABLE_MODULES = ['ip', 'ipsecesp', 'ipsecah', 'keysock', 'spdsock', 'ipsectun'] as const
export type TunableModule = (typeof TUNABLE_MODULES)[number]

/** How a document says a value: a number as it is, a switch, or words, which then are all the values that there are. */
export type TunableForm = 'number' | 'switch' | Readonly<Record<string, number>>

export interface Tunable {
  readonly module: TunableModule
  /** As ndd(8) has it; no two modules share one. */
  readonly name: string
  /** Section and member of a document's `tunables`. */
  readonly path: readonly [section: string, member: string]
  readonly form: TunableForm
  readonly min: number
  readonly max: number
  /** Milliseconds, seconds or bytes where it is a quantity. */
  readonly unit?: 'ms' | 's' | 'bytes'
  readonly initial: number
  /** What it is, in a few words. */
  readonly meaning: string
  /** Why it changes nothing in this version; absent where it does. */
  readonly idle?: string
  /** What is to be known of its effect beyond its meaning. */
  readonly note?: string
}

/** Values that are not the initial ones, by name. */
export type TunableValues = Readonly<Record<string, number>>

const PROPOSED = 'there is no key management yet that asks for it'
const LARGEST = 0xffff_ffff
/** `SADB_MAX_REPLAY` is what the kernel takes at most (`XFRMA_REPLAY_ESN_MAX`). */
const MAX_REPLAY = 4096
const ONE_TIMER =
  'Linux has one time for both: the longest of those of acquire_timeout and larval_timeout that were set'

const IP: readonly Tunable[] = [
  ...[
    ['icmp_accept_clear_messages', 'acceptClearIcmp', 'ICMP errors and answers may come in clear'],
    ['igmp_accept_clear_messages', 'acceptClearIgmp', 'IGMP may come in clear'],
    ['pim_accept_clear_messages', 'acceptClearPim', 'PIM may come in clear'],
  ].map(
    ([name = '', member = '', meaning = '']): Tunable => one('ip', name, ['ip', member], meaning, [0, 1, 1]),
  ),
  one(
    'ip',
    'ipsec_override_persocket_policy',
    ['ip', 'overrideSocketPolicy'],
    'rules come before policies of sockets',
    [0, 1, 0],
  ),
  {
    ...one(
      'ip',
      'ipsec_policy_log_interval',
      ['ip', 'policyLogInterval'],
      'time between messages about refused packets; 0: none',
      [0, 999_999, 0],
    ),
    form: 'number',
    unit: 'ms',
    note: 'solipsec agent writes them',
  },
]

type Range = readonly [min: number, max: number, initial: number]

function one(
  module: TunableModule,
  name: string,
  path: Tunable['path'],
  meaning: string,
  [min, max, initial]: Range,
): Tunable {
  return { module, name, path, form: max === 1 ? 'switch' : 'number', min, max, initial, meaning }
}

/** What ipsecesp and ipsecah have in common. */
function ofProtocol(module: 'ipsecesp' | 'ipsecah', section: 'esp' | 'ah'): Tunable[] {
  const own = (
    word: string,
    member: string,
    meaning: string,
    range: Range,
    more: Partial<Tunable> = {},
  ): Tunable => ({ ...one(module, `${module}_${word}`, [section, member], meaning, range), ...more })
  const limit = (kind: 'soft' | 'hard', what: 'bytes' | 'addtime' | 'usetime', initial: number): Tunable => {
    const [last, words] = (
      {
        bytes: ['Bytes', 'bytes'],
        addtime: ['AddTime', 'seconds of age'],
        usetime: ['UseTime', 'seconds since first use'],
      } as const
    )[what]
    return own(
      `default_${kind}_${what}`,
      `${kind}${last}`,
      `${kind} limit that is proposed, in ${words}; 0: none`,
      [0, LARGEST, initial],
      { unit: what === 'bytes' ? 'bytes' : 's', idle: PROPOSED },
    )
  }
  return [
    own('debug', 'debug', 'how much is told to those who look for faults', [0, 3, 0], {
      idle: 'nothing is told beyond the usual',
    }),
    own('age_interval', 'ageInterval', 'time between looks at the age of SAs', [125, 32_000, 8000], {
      unit: 'ms',
      note: 'for idle limits, which solipsec agent watches; the kernel watches all others at every moment',
    }),
    own('reap_delay', 'reapDelay', 'time until what has ended is cleared away', [1, 10, 1], {
      unit: 's',
      idle: 'the kernel clears away at once',
    }),
    own('replay_size', 'replaySize', 'replay window that is proposed', [1, MAX_REPLAY, 64], {
      idle: PROPOSED,
    }),
    own('acquire_timeout', 'acquireTimeout', 'time that a request for an SA waits', [1, 300, 15], {
      unit: 's',
      note: ONE_TIMER,
    }),
    own('larval_timeout', 'larvalTimeout', 'time that key management has for an SA', [1, 1800, 90], {
      unit: 's',
      note: ONE_TIMER,
    }),
    limit('soft', 'bytes', 0),
    limit('hard', 'bytes', 0),
    limit('soft', 'addtime', 24_000),
    limit('hard', 'addtime', 28_800),
    limit('soft', 'usetime', 0),
    limit('hard', 'usetime', 0),
    own('log_unknown_spi', 'logUnknownSpi', 'packets of unknown SAs are logged', [0, 1, 0], {
      note: 'by solipsec agent, with those that policy refuses; the kernel counts AH and ESP together',
    }),
  ]
}

const ESP_ONLY: readonly Tunable[] = [
  {
    ...one(
      'ipsecesp',
      'ipsecesp_padding_check',
      ['esp', 'paddingCheck'],
      'what of the padding is checked: 0 nothing, 1 its length, 2 its contents',
      [0, 2, 1],
    ),
    form: { none: 0, length: 1, contents: 2 },
    note: 'by the software data path, for SAs that are added from now on; the kernel checks that the padding fits, always',
  },
  {
    ...one(
      'ipsecesp',
      'ipsecesp_nat_keepalive_interval',
      ['esp', 'natKeepaliveInterval'],
      'time between packets that keep address translation alive; 0: none',
      [0, 600, 20],
    ),
    unit: 's',
    note: 'solipsec agent sends them for SAs of the kernel; the software data path for those that are added from now on',
  },
]

/** Sockets of PF_KEY, and those of policy, which spdsock(7P) has: tables of the same kind. */
const SOCKETS: readonly Tunable[] = (['keysock', 'spdsock'] as const).flatMap((module) =>
  (
    [
      ['xmit_hiwat', 'xmitHiwat', 'room for what a socket sends', [4096, 65_536, 8192]],
      ['xmit_lowat', 'xmitLowat', 'room at which it may send again', [0, 65_536, 1024]],
      ['recv_hiwat', 'recvHiwat', 'room for what it receives', [4096, 65_536, 8192]],
      ['max_buf', 'maxBuf', 'largest room that it may ask for', [65_536, 2 ** 30, 262_144]],
      ['debug', 'debug', 'how much is told to those who look for faults', [0, 3, 0]],
    ] as const
  ).map(([word, member, meaning, range]) => ({
    ...one(module, `${module}_${word}`, [module, member], meaning, range),
    ...(word !== 'debug' && { unit: 'bytes' as const }),
    idle: `there is no ${module === 'keysock' ? 'PF_KEY' : 'PF_POLICY'} socket`,
  })),
)

const FROM_NOW_ON = 'for SAs of tunnels that are added from now on'

/** `ipsec.ecn` and `ipsec.dfbit` of KAME. */
const TUNNELS: readonly Tunable[] = [
  {
    ...one(
      'ipsectun',
      'ipsectun_ecn',
      ['tunnel', 'ecn'],
      'congestion marks pass into and out of tunnels',
      [0, 1, 1],
    ),
    note: FROM_NOW_ON,
  },
  {
    ...one(
      'ipsectun',
      'ipsectun_dfbit',
      ['tunnel', 'dontFragment'],
      "the outer packet's DF bit: 0 clear, 2 that of the inner packet",
      [0, 2, 2],
    ),
    // Neither data path can set the bit where the inner packet has none (1).
    form: { clear: 0, copy: 2 },
    note: FROM_NOW_ON,
  },
]

/** Every tunable, by module in the order in which it is listed. */
export const TUNABLES: readonly Tunable[] = [
  ...IP,
  ...ofProtocol('ipsecesp', 'esp'),
  ...ESP_ONLY,
  ...ofProtocol('ipsecah', 'ah'),
  ...SOCKETS,
  ...TUNNELS,
]

const BY_NAME: ReadonlyMap<string, Tunable> = new Map(TUNABLES.map((tunable) => [tunable.name, tunable]))

/** By the name that ndd(8) uses. */
export function tunableOf(name: string): Tunable | undefined {
  return BY_NAME.get(name)
}

/** The tunables of a module. */
export function tunablesOf(module: TunableModule): Tunable[] {
  return TUNABLES.filter((tunable) => tunable.module === module)
}

/** The value in force. @throws RangeError for a name that there is not: a mistake of the caller */
export function tunableValue(values: TunableValues, name: string): number {
  const tunable = BY_NAME.get(name)
  if (!tunable) throw new RangeError(`there is no tunable ${name}`)
  return values[name] ?? tunable.initial
}

/** True where a switch is on. */
export function isOn(values: TunableValues, name: string): boolean {
  return tunableValue(values, name) !== 0
}

/** True for a value that it can have. */
export function isPossible({ min, max, form }: Tunable, value: number): boolean {
  if (typeof form === 'object') return Object.values(form).includes(value)
  return Number.isInteger(value) && value >= min && value <= max
}

/** `0-1`, or the values one by one where there are gaps: as ipadm(8) writes what is possible. */
export function rangeText({ min, max, form }: Tunable): string {
  const values = typeof form === 'object' ? Object.values(form) : []
  return values.length > 0 && values.length <= max - min ? values.join(',') : `${min}-${max}`
}

/** Values with some of them set; those that are the initial ones are left out. */
export function withValues(
  values: TunableValues,
  changes: Iterable<readonly [name: string, value: number]>,
): TunableValues {
  const next = new Map(Object.entries(values))
  for (const [name, value] of changes) {
    if (BY_NAME.get(name)?.initial === value) next.delete(name)
    else next.set(name, value)
  }
  return Object.fromEntries([...next].sort(([a], [b]) => (a < b ? -1 : 1)))
}

export interface TunableChange {
  readonly tunable: Tunable
  readonly from: number
  readonly to: number
}

/** What differs, in the order of the table. */
export function tunableChanges(from: TunableValues, to: TunableValues): TunableChange[] {
  return TUNABLES.flatMap((tunable) => {
    const [old, next] = [tunableValue(from, tunable.name), tunableValue(to, tunable.name)]
    return old === next ? [] : [{ tunable, from: old, to: next }]
  })
}

/** What is to be said, once, of a change that has no effect here; `undefined` where it has. */
export function idleRemark({ tunable: { name, idle, initial }, to }: TunableChange): string | undefined {
  if (idle === undefined || to === initial) return undefined
  return `${name} is kept and shown, but has no effect in this version: ${idle}.`
}

/** The same, or what is to be known of the effect. */
export function remarkOn(change: TunableChange): string | undefined {
  const { name, note } = change.tunable
  return idleRemark(change) ?? (note === undefined ? undefined : `${name}: ${note}.`)
}
