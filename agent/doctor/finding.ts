/**
 * What `solipsec doctor` finds: one sentence on one thing of this host, and the way out where there is one.
 *
 * @module
 */

/** In the order in which they are told. */
export const GROUPS = [
  'host',
  'privileges',
  'kernel',
  'algorithms',
  'speed',
  'software data path',
  'policy and SAs',
  'settings',
  'files',
] as const
export type Group = (typeof GROUPS)[number]

/** From good to bad. A note is worth knowing; a warning may bite; a problem keeps IPsec from working as it should. */
export const STATES = ['ok', 'note', 'warning', 'problem'] as const
export type State = (typeof STATES)[number]

export interface Finding {
  readonly group: Group
  /** Names the check, for programs. */
  readonly check: string
  /** What it is about, in a few words. */
  readonly subject: string
  readonly state: State
  /** What that means for this host. Does not name the subject, so that several may share it. */
  readonly meaning: string
  /** Commands and things to do, each by itself a way out or a step of it; none where there is nothing to do. */
  readonly wayOut: readonly string[]
  /** False where it could not be looked at: then nothing is claimed, and the meaning says why. */
  readonly isKnown: boolean
}

/** Makes findings of one group. */
export function findingsOf(group: Group) {
  return (
    check: string,
    subject: string,
    state: State,
    meaning: string,
    ...wayOut: readonly string[]
  ): Finding => ({ group, check, subject, state, meaning, wayOut, isKnown: true })
}

/** A thing that could not be looked at. */
export function unknownFinding(group: Group, check: string, subject: string, why: string): Finding {
  const meaning = `Not looked at: ${why}.`
  return { group, check, subject, state: 'note', meaning, wayOut: [], isKnown: false }
}
