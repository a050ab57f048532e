/**
 * Events as lines on standard error, which a service manager keeps.
 *
 * @module
 */
import type { Level, Tell } from '../../../../agent/daemon/events.ts'
import type { Io } from '../../support/io.ts'

/** Levels of syslog, as sd-daemon(3) has a service write them. */
const PRIORITY: Readonly<Record<Level, number>> = { error: 3, warning: 4, info: 6 }

/** @param form `json`: one object a line */
export function eventWriter(form: 'text' | 'json', { stderr, service }: Io): Tell {
  return (event) => {
    const text =
      form === 'json'
        ? JSON.stringify({ time: new Date().toISOString(), ...event })
        : `${service ? '' : 'solipsec agent: '}${event.message.replaceAll('\n', '; ')}`
    stderr.write(`${service ? `<${PRIORITY[event.level]}>` : ''}${text}\n`)
  }
}
