/**
 * Connections that a change of rules concerns, as lines.
 *
 * @module
 */
import { flowText } from '../../../agent/latch/connections.ts'
import type { ConcernedConnection } from '../../../agent/latch/pins.ts'

const MOST = 20

/** One a line, indented; of many only the first. */
export function connectionLines(connections: readonly ConcernedConnection[]): string[] {
  const lines = connections.slice(0, MOST).map(({ connection }) => `  ${flowText(connection)}`)
  if (connections.length > lines.length) lines.push(`  and ${connections.length - lines.length} more`)
  return lines
}
