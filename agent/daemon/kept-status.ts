/**
 * How the agent is, for those who ask: a file beside the record, for as long as it runs.
 *
 * @module
 */
import { join } from 'node:path'
import { keep, kept } from '../runtime/kept-file.ts'
import type { AgentStatus } from './agent.ts'

/** What of it changes seldom. */
export type KeptStatus = Pick<
  AgentStatus,
  'pid' | 'since' | 'state' | 'problem' | 'loadedAt' | 'drift' | 'drifts'
>

const nameIn = (folder: string): string => join(folder, 'agent.json')

/** The status of the agent that looks after a namespace; `undefined` where none does. @param folder its state folder */
export function keptStatus(folder: string): KeptStatus | undefined {
  return kept(nameIn(folder)) as KeptStatus | undefined
}

/** Keeps the file as the status is. */
export class StatusKeeper {
  readonly #path: string
  #last = ''

  /** @param folder the namespace's state folder */
  constructor(folder: string) {
    this.#path = nameIn(folder)
  }

  keep({ pid, since, state, problem, loadedAt, drift, drifts }: AgentStatus): void {
    const status: KeptStatus = {
      pid,
      since,
      state,
      ...(problem !== undefined && { problem }),
      loadedAt,
      drift,
      drifts,
    }
    const text = JSON.stringify(status)
    if (text === this.#last) return
    try {
      keep(this.#path, status)
      this.#last = text
    } catch {
      // Where there is no space, nobody is worse off than without the file, and the next round tries again.
    }
  }

  close(): void {
    keep(this.#path, undefined)
  }
}
