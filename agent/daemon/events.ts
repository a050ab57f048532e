/**
 * What the agent tells of itself: to its log, and to whoever listens at its control socket.
 *
 * @module
 */

export type Level = 'info' | 'warning' | 'error'

/** No keys: only what is plain may be in it. */
export interface AgentEvent {
  /** Milliseconds since 1970. */
  readonly time: number
  readonly level: Level
  /** What has happened, for programs: `drift-mended`. */
  readonly event: string
  /** The same for people: one sentence. */
  readonly message: string
  readonly details?: Readonly<Record<string, string | number | boolean | readonly string[]>>
}

/** Takes an event; the time is added. */
export type Tell = (event: Omit<AgentEvent, 'time'>) => void
