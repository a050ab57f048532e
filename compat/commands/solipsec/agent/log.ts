/**
 * Events as lines on standard error, which a service manager keeps.
 *
 * @module
 */
import type { Tell } from '../../../../agent/daemon/events.ts'
import { defaultFormat } from '../../../../agent/log/format.ts'
import { createLog } from '../../../../agent/log/log.ts'
import type { Io } from '../../support/io.ts'

/** @param form `json`: one object a line */
export function eventWriter(form: 'text' | 'json', { stderr, service }: Io): Tell {
  const log = createLog({
    write: (line) => stderr.write(line),
    format: form === 'json' ? 'json' : defaultFormat({ isJournal: service !== undefined }),
    now: Date.now,
  })
  return ({ level, event, message, details }) => log[level](event, { ...details, message })
}
