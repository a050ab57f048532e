/**
 * `svcs(1)`: how the services of solipsec are.
 *
 * @module
 */
import { readFileSync } from 'node:fs'
import { SERVICES, type Service, serviceNamed } from './services/catalogue.ts'
import { EXIT, Misuse, messageOf, serviceCommand } from './services/frame.ts'
import { logFile } from './services/places.ts'
import { select, selectAll } from './services/select.ts'
import { readStates, type World } from './services/world.ts'
import type { Io } from './support/io.ts'
import { interpret, optionTable, type Request } from './svcs/arguments.ts'
import type { Row } from './svcs/columns.ts'
import { listing } from './svcs/listing.ts'
import { explanation, isTroubled, longText } from './svcs/long.ts'

export const run = serviceCommand({
  name: 'svcs',
  options: optionTable,
  carryOut(options, operands, io, world) {
    const asked = interpret(options, operands)
    if ('usage' in asked) throw new Misuse(asked.usage)
    return carryOut(asked.request, io, world)
  },
})

function carryOut(request: Request, io: Io, world: World): number {
  const { services, code } = chosen(request.words, io)
  if (request.kind === 'log') {
    for (const service of services) io.stdout.write(`${logFile(world.places, service)}\n`)
    return code
  }
  const every = rowsOf(world)
  const rows = services.flatMap((service) => every.filter((row) => row.service === service))
  const shown = request.words.length > 0 || request.all ? rows : rows.filter(({ state }) => state.isEnabled)
  const processes = ({ state }: Row) => world.processes(state.unit.controlGroup)
  if (request.kind === 'explain') {
    const troubled = request.words.length > 0 ? rows : rows.filter(isTroubled)
    if (request.json) io.stdout.write(json(troubled, world))
    else io.stdout.write(troubled.map((row) => explained(row, world)).join('\n'))
  } else if (request.json) io.stdout.write(json(related(request, shown, every), world))
  else if (request.kind === 'long') {
    const stateOfDependency = (fmri: string) =>
      every.find((row) => row.service.fmri === fmri)?.state.state ?? 'absent'
    const blocks = rows.map((row) => {
      const listed = request.processes ? processes(row) : []
      return longText(row, logFile(world.places, row.service), stateOfDependency, listed)
    })
    io.stdout.write(blocks.join('\n'))
  } else io.stdout.write(listing(related(request, shown, every), request, world.now(), processes))
  return code
}

/** All that can be shown is shown, also where a word stands for nothing. */
function chosen(words: readonly string[], io: Io): { services: readonly Service[]; code: number } {
  if (words.length === 0) return { services: SERVICES, code: EXIT.ok }
  const known = words.filter((word) => {
    try {
      return select(word)
    } catch (error) {
      io.stderr.write(`svcs: ${messageOf(error)}\n`)
      return false
    }
  })
  return { services: selectAll(known), code: known.length === words.length ? EXIT.ok : EXIT.failure }
}

/** A service whose unit is not installed is not there, as on Solaris without its manifest. */
function rowsOf(world: World): Row[] {
  return readStates(world, SERVICES).flatMap((state, index) => {
    const service = SERVICES[index]
    return service ? [{ service, state }] : []
  })
}

const LAST_LINES = 5

function explained(row: Row, { places }: World): string {
  const log = logFile(places, row.service)
  return explanation(row, log, lastLines(log))
}

/** The end of a log, where one may read it. */
function lastLines(path: string): string[] {
  try {
    return readFileSync(path, 'utf8').trimEnd().split('\n').slice(-LAST_LINES)
  } catch {
    return []
  }
}

/** With `-d` and `-D`, what services depend on, and what depends on them. */
function related({ kind }: Request, rows: readonly Row[], every: readonly Row[]): readonly Row[] {
  if (kind !== 'dependencies' && kind !== 'dependents') return rows
  const names = new Set(rows.map(({ service }) => service.name))
  const wanted = new Set(
    kind === 'dependencies'
      ? [...names].flatMap((name) => serviceNamed(name).dependencies.map(({ on }) => on))
      : SERVICES.filter(({ dependencies }) => dependencies.some(({ on }) => names.has(on))).map(
          ({ name }) => name,
        ),
  )
  return every.filter(({ service }) => wanted.has(service.name))
}

function json(rows: readonly Row[], { places }: World): string {
  const values = rows.map(({ service, state }) => ({
    fmri: service.fmri,
    unit: service.unit,
    name: service.commonName,
    enabled: state.isEnabled,
    temporary: state.isTemporary,
    state: state.state,
    nextState: state.next ?? null,
    since: state.since === undefined ? null : new Date(state.since).toISOString(),
    logfile: logFile(places, service),
    reason: state.mark
      ? { cause: state.mark.cause, status: state.mark.status, lines: state.mark.lines }
      : null,
  }))
  return `${JSON.stringify(values, undefined, 2)}\n`
}
