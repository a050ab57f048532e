/**
 * `svcprop(1)`: prints properties of the services of solipsec.
 *
 * @module
 */
import type { Service } from './services/catalogue.ts'
import { EXIT, Misuse, messageOf, serviceCommand } from './services/frame.ts'
import { shellQuoted } from './services/property.ts'
import { select, selectAll } from './services/select.ts'
import { readSnapshots } from './services/store.ts'
import type { World } from './services/world.ts'
import type { Io } from './support/io.ts'
import { interpret, optionTable, type Request } from './svcprop/arguments.ts'
import { type Listed, propertiesOf } from './svcprop/properties.ts'

export const run = serviceCommand({
  name: 'svcprop',
  options: optionTable,
  carryOut(options, operands, io, world) {
    const asked = interpret(options, operands)
    if ('usage' in asked) throw new Misuse(asked.usage)
    return carryOut(asked.request, io, world)
  },
})

function carryOut(request: Request, io: Io, world: World): number {
  const say = (message: string) => request.quiet || io.stderr.write(`svcprop: ${message}\n`)
  let code: number = EXIT.ok
  const words = request.words.filter((word) => {
    try {
      return select(word)
    } catch (error) {
      say(messageOf(error) ?? '')
      code = EXIT.failure
      return false
    }
  })
  const services = selectAll(words)
  for (const service of services) {
    const all = readAll(request, service, world)
    const { found, missing } = pick(request, service, all)
    for (const text of missing) say(text)
    if (missing.length > 0) code = EXIT.failure
    if (!request.quiet) io.stdout.write(text(request, service, found, services.length > 1))
  }
  return code
}

/** States are asked of systemd only where they are wanted: properties can be read where it does not run. */
function readAll({ snapshot, paths }: Request, service: Service, world: World): Listed[] {
  const snapshots = readSnapshots(world.places, service)
  const set = snapshot === 'editing' ? snapshots.editing : snapshots.running
  const wantsState =
    paths.length === 0 || paths.some((path) => /^(restarter|general|general_ovr)(\/|$)/.test(path))
  return propertiesOf(service, set, wantsState ? world : undefined)
}

function pick({ paths }: Request, { fmri }: Service, all: readonly Listed[]) {
  if (paths.length === 0) return { found: all, missing: [] }
  const found: Listed[] = []
  const missing: string[] = []
  for (const path of paths) {
    const hits = all.filter((one) => one.path === path || one.path.startsWith(`${path}/`))
    found.push(...hits)
    const kind = path.includes('/') ? 'property' : 'property group'
    if (hits.length === 0) missing.push(`Couldn't find ${kind} '${path}' for instance '${fmri}'.`)
  }
  return { found, missing }
}

/** One property alone is its values alone, for scripts. */
function text(request: Request, service: Service, found: readonly Listed[], several: boolean): string {
  const [path, ...more] = request.paths
  const bare = path?.includes('/') && more.length === 0 && !several && !request.full && !request.types
  return found
    .map((one) => {
      const values = one.property.values.map(shellQuoted).join(' ')
      if (bare) return `${values}\n`
      const name = several || request.full ? `${longName(service, one.path)}` : one.path
      return `${name} ${one.property.type} ${values}`.trimEnd().concat('\n')
    })
    .join('')
}

/** `svc:/network/ipsec/policy:default/:properties/config/config_file`. */
function longName({ fmri }: Service, path: string): string {
  return `${fmri}/:properties/${path}`
}
