/**
 * Events as lines on standard error, which a service manager keeps.
 *
 * @module
 */
import type { AgentEvent, Tell } from '../../../../agent/daemon/events.ts'
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
  const facts = form === 'json' ? (details: Details) => details : worthReading
  return ({ level, event, message, details }) => log[level](event, { ...facts(details), message })
}

type Details = AgentEvent['details']

/** People look for what there is, not for what there is none of. */
function worthReading(details: Details): Details {
  const isNothing = (value: unknown) => value === 0 || value === '' || value === false
  return Object.fromEntries(Object.entries(details ?? {}).filter(([, value]) => !isNothing(value)))
}
