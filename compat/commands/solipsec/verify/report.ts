/**
 * What `solipsec verify` says, whoever reads it.
 *
 * @module
 */
import type { DataPathKind } from '../../../../agent/datapath/data-path.ts'
import type { Finding, Tally } from '../../../../agent/verify/tally.ts'
import type { Rules } from './rules.ts'

/** What is looked at, and against what it is held. */
export interface Scene {
  /** Names of interfaces. */
  readonly devices: readonly string[]
  readonly dataPath: DataPathKind
  readonly policies: number
  readonly associations: number
}

export interface Outcome {
  readonly scene: Scene
  readonly tally: Tally
  /** Packets that were there and that nobody looked at, for want of room or of time. */
  readonly unread: number
  /** How long it took. */
  readonly seconds: number
}

/** What has to be known for the words. */
export interface Knowledge {
  readonly rules: Rules
  /** Name of an interface. */
  deviceName(ifindex: number): string
}

export interface Report {
  begin(scene: Scene): void
  /** The first packet of a finding, or what has come of it since it was last told. */
  tell(finding: Finding, more: number): void
  end(outcome: Outcome): void
}
