/**
 * What the duties of the agent work with.
 *
 * @module
 */
import type { Session } from '../reconcile/session.ts'
import type { Tell } from './events.ts'

export interface AgentContext {
  readonly tell: Tell
  /** An error in words for people. The text of an error that nobody expected may hold anything: it is not to be shown. */
  describe(error: unknown): string
  /** Does something under the lock, when nothing else is under way. @throws LockedError, and what `use` throws */
  between<T>(use: (session: Session) => T): Promise<T>
  /** Lets a round come soon. */
  wake(): void
}
