/**
 * What the agent of a network namespace tells: as long as it runs, and again when another one is started.
 *
 * @module
 */
import { ControlConnection } from '../../../../agent/daemon/control/client.ts'
import type { AgentEvent } from '../../../../agent/daemon/events.ts'
import type { StatusEvent } from '../../../../agent/status/events.ts'

/** How soon to look whether there is an agent now, in milliseconds. */
const RETRY_MS = 1000

/** Whoever watches SAs knows it already, as `sa-expired`. */
const TOLD_ANYWAY: ReadonlySet<string> = new Set(['association-soft'])

export class AgentEvents {
  readonly #path: string
  readonly #tell: (event: StatusEvent) => void
  #connection: ControlConnection | undefined
  #timer: NodeJS.Timeout | undefined
  #isOpen = true

  /** @param path of the agent's control socket; nobody need be there, or let us in */
  constructor(path: string, tell: (event: StatusEvent) => void) {
    this.#path = path
    this.#tell = tell
    void this.#follow()
  }

  close(): void {
    this.#isOpen = false
    clearTimeout(this.#timer)
    this.#connection?.close()
  }

  async #follow(): Promise<void> {
    try {
      const connection = await ControlConnection.open(this.#path, (_, params) =>
        this.#take(params as AgentEvent),
      )
      if (!this.#isOpen) return connection.close()
      this.#connection = connection
      await connection.call('agent.subscribe')
      await connection.ended
    } catch {
      // There is none, or it has ended: policies, SAs and the data path are told of all the same.
    }
    this.#connection?.close()
    if (this.#isOpen) this.#timer = setTimeout(() => void this.#follow(), RETRY_MS)
  }

  #take({ time, level, event: name, message, details = {} }: AgentEvent): void {
    if (TOLD_ANYWAY.has(name)) return
    if (this.#isOpen) this.#tell({ time: time / 1000, event: 'agent', name, level, message, details })
  }
}
