/**
 * What goes on, at one moment: plain values only, so that a report can be printed, sent and compared. What is not known
 * is absent. Nothing of it is a key, or made of one.
 *
 * @module
 */
import type { DataPathKind } from '../datapath/data-path.ts'
import type { SaProtocol, SaState } from '../model/association.ts'
import type { TunnelKind } from '../model/tunnel.ts'
import type { UnitReport } from '../units/report.ts'

/** Counts are exact up to 2^53. Times are seconds since 1970. */
export interface StatusReport {
  readonly time: number
  readonly dataPath: DataPathReport
  /** What is not as it should be, as sentences. */
  readonly problems: readonly string[]
  readonly rules: readonly RuleReport[]
  /** Policies and SAs in the tables. Absent where nobody could be asked. */
  readonly tables?: TablesReport
  /** SAs of ours; with those of other programs where they were asked for. */
  readonly associations: readonly AssociationReport[]
  /** Lost packets since the namespace was made, or since the software data path took over, by the names of xfrm_stat. */
  readonly losses?: Readonly<Record<string, number>>
  /** Absent where no agent looks after the namespace. */
  readonly agent?: AgentReport
  /** Units whose sockets are to be protected by policies of their own. Absent where no agent looks after them. */
  readonly units?: readonly UnitReport[]
  /** Tunnel interfaces that solipsec has made. Absent where there are none. */
  readonly tunnels?: readonly TunnelReport[]
  /** Tunables with another value than at first. */
  readonly tunables?: Readonly<Record<string, number | string | boolean>>
}

export interface DataPathReport {
  readonly kind: DataPathKind
  /** `stopped`: the program of the software data path does not run, and what needs protection is refused. */
  readonly state: 'ready' | 'stopped'
  /** Of the program of the software data path. */
  readonly processId?: number
}

/** The agent that looks after the namespace. */
export interface AgentReport {
  /** `maintenance`: not all that the configuration says is in force. */
  readonly state: 'online' | 'maintenance'
  /** What stands in the way. */
  readonly problem?: string
  readonly processId: number
  readonly since: number
  /** When the configuration was last loaded. */
  readonly loaded: number
  /** What it does where others have changed what is ours. */
  readonly drift: 'enforce' | 'report'
  /** How often others have. */
  readonly drifts: number
}

export interface TunnelReport {
  readonly name: string
  readonly kind: TunnelKind
  readonly local: string
  readonly remote: string
  /** `changed`: it is not as it is to be. `taken`: somebody else has made another one of that name. */
  readonly state: 'up' | 'down' | 'missing' | 'changed' | 'taken'
}

export interface TablesReport {
  readonly policies: {
    /** Made of the rules. */
    readonly ofRules: number
    /** Around the rules: exceptions and guards. */
    readonly frame: number
    readonly foreign: number
    /** Of single sockets, whoever made them. */
    readonly ofSockets: number
  }
  readonly associations: {
    readonly own: number
    readonly foreign: number
    /** Not SAs yet: what the kernel waits for since a packet needed it. */
    readonly larval: number
  }
}

export interface RuleReport {
  /** As `ipsecconf -l` numbers it. */
  readonly index: number
  readonly tunnel?: string
  readonly file: string
  readonly line: number
  readonly text: string
  readonly entries: readonly EntryReport[]
  /** The latest use of one of its policies. */
  readonly lastUsed?: number
  /** The ways for which it has no SA between some of its addresses, so that nothing gets through. Absent where it has all. */
  readonly lacks?: readonly ('in' | 'out')[]
}

export interface EntryReport {
  readonly index: number
  readonly direction: 'in' | 'out'
  readonly family: 'inet' | 'inet6'
  /** Kernel policies that it has become; 0: it is not in force. */
  readonly policies: number
  readonly lastUsed?: number
  /**
   * Let through by its policies, in bytes of packets as they are in clear. The software data path counts those of policies that
   * protect; Linux has room for these counts, but has never filled it so far.
   */
  readonly bytes?: number
  readonly packets?: number
}

/** What a rule's policies have let through; `undefined` where nobody counts that. */
export function carriedBy({
  entries,
}: Pick<RuleReport, 'entries'>): { readonly bytes: number; readonly packets: number } | undefined {
  const counted = entries.filter(({ packets }) => packets !== undefined)
  if (counted.length === 0) return undefined
  const sum = (value: (entry: EntryReport) => number | undefined) =>
    counted.reduce((total, entry) => total + (value(entry) ?? 0), 0)
  return { bytes: sum(({ bytes }) => bytes), packets: sum(({ packets }) => packets) }
}

export interface AssociationReport {
  readonly protocol: SaProtocol
  readonly spi: number
  readonly source: string
  readonly destination: string
  readonly owner: 'solipsec' | 'other'
  /** Absent where neither end, or both, are this host's. */
  readonly direction?: 'in' | 'out'
  readonly state: SaState
  readonly mode: 'transport' | 'tunnel'
  /** `aes-cbc 128`, `hmac-sha256 256`: name and bits of the key without its salt. */
  readonly encryption?: string
  readonly authentication?: string
  /** Its packets have an ICV: of AH, of ESP with authentication, or of a cipher that makes one itself. */
  readonly isAuthenticated: boolean
  /** Packets that it is for, where that is not all between its ends. */
  readonly selector?: string
  /** There are rules, and it is nothing that one of them asks for. */
  readonly servesNoRule?: true
  readonly bytes: number
  readonly packets: number
  readonly errors: AssociationErrors
  /** Packets; 0 = no replay check. */
  readonly replayWindow: number
  /** Last number sent or highest seen. */
  readonly sequence: number
  readonly added: number
  readonly firstUsed?: number
  /** Not every kernel tells. */
  readonly lastUsed?: number
  /** Until it is to be replaced, and until its end. Absent where it has no such limit. */
  readonly soft?: Remainder
  readonly hard?: Remainder
  /** Seconds without traffic after which it is to go. */
  readonly idleLimit?: number
  readonly pair?: { readonly spi: number; readonly isThere: boolean }
  /** ESP in UDP: ports of this host and of the peer. */
  readonly udp?: { readonly local: number; readonly remote: number }
}

/** Packets that came for an SA and were refused. */
export interface AssociationErrors {
  /** The ICV was wrong. */
  readonly integrity: number
  /** The number had been seen. */
  readonly replay: number
  /** The number lay before the replay window. */
  readonly replayWindow: number
}

/** What is left of the limits that there are: the least of the times. */
export interface Remainder {
  readonly bytes?: number
  readonly seconds?: number
}

/** Identifies an SA from report to report: one that was made anew counts from 0 on and is another one. */
export function associationKey({ protocol, destination, spi, added }: AssociationReport): string {
  return `${protocol} ${destination} ${spi} ${added}`
}
