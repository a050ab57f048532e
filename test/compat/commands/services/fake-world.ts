/**
 * A system for tests: units that do what a few lines of systemd would do, and files in a folder of the test.
 *
 * @module
 */
import { join } from 'node:path'
import type { Test } from 'tap'
import { SERVICES } from '../../../../compat/commands/services/catalogue.ts'
import { type MethodName, removeMark, writeMark } from '../../../../compat/commands/services/mark.ts'
import type { Answer } from '../../../../compat/commands/services/systemd.ts'
import type { World } from '../../../../compat/commands/services/world.ts'
import { temporaryFolder } from '../support/temporary.ts'

interface FakeUnit {
  load: string
  active: string
  file: string
  job: string
}

export interface FakeWorld extends World {
  readonly units: Map<string, FakeUnit>
  /** Every call of systemctl that changes something. */
  readonly calls: string[]
  /** Methods that fail from now on, with what they say. */
  failing: string | undefined
  /** The answer of `systemctl is-system-running`. */
  running: string
  isRoot: boolean
}

/** Noon in whatever zone the tests run. */
export const NOON = new Date(2026, 10, 21, 12, 0, 0).getTime()

export function fakeWorld(t: Test): FakeWorld {
  const folder = temporaryFolder(t)
  const places = { configuration: join(folder, 'etc'), run: join(folder, 'run'), log: join(folder, 'log') }
  const units = new Map<string, FakeUnit>()
  for (const { name, unit } of SERVICES) {
    const isDelivered = name === 'policy' || name === 'ipsecalgs'
    units.set(unit, {
      load: 'loaded',
      active: isDelivered ? 'active' : 'inactive',
      file: isDelivered ? 'enabled' : 'disabled',
      job: '',
    })
  }
  const world: FakeWorld = {
    places,
    units,
    calls: [],
    failing: undefined,
    running: 'running',
    isRoot: true,
    now: () => NOON,
    processes: () => [{ pid: 77, name: 'solipsec-path', since: NOON - 3600_000 }],
    systemctl: (argv) => answer(world, argv),
    stop: async (service) => {
      world.calls.push(`stop method of ${service.name}`)
      return 0
    },
  }
  return world
}

const ok = (stdout = ''): Answer => ({ status: 0, stdout, stderr: '' })
const failed = (stderr: string): Answer => ({ status: 1, stdout: '', stderr })

function answer(world: FakeWorld, argv: readonly string[]): Answer {
  const words = argv.filter((word) => !word.startsWith('--'))
  const [verb = '', name = ''] = words
  if (verb === 'show')
    return ok(
      words
        .slice(1)
        .map((unit) => block(world, unit))
        .join('\n'),
    )
  if (verb === 'is-system-running') return ok(`${world.running}\n`)
  world.calls.push([...argv.filter((word) => word === '--no-block'), ...words].join(' '))
  const unit = world.units.get(name)
  if (!unit) return failed(`Unit ${name} not found.\n`)
  switch (verb) {
    case 'enable':
    case 'disable':
      unit.file = `${verb}d`
      return ok()
    case 'reset-failed':
      unit.active = 'inactive'
      return ok()
    case 'stop':
      unit.active = 'inactive'
      return ok()
    default:
      return method(world, name, unit, verb === 'reload' ? 'refresh' : 'start')
  }
}

/** What svc-method does to marks. */
function method(world: FakeWorld, name: string, unit: FakeUnit, cause: MethodName): Answer {
  const service = SERVICES.find((one) => one.unit === name)
  if (!service) return failed('not ours')
  if (world.failing === undefined) {
    removeMark(world.places, service)
    unit.active = 'active'
    return ok()
  }
  if (cause === 'start') unit.active = 'failed'
  writeMark(world.places, service, {
    state: 'maintenance',
    cause,
    status: 95,
    at: NOON - 60_000,
    lines: [world.failing],
  })
  return failed(`Job for ${name} failed.\n`)
}

function block(world: FakeWorld, name: string): string {
  const unit = world.units.get(name)
  return [
    `Id=${name}`,
    `LoadState=${unit?.load ?? 'not-found'}`,
    `ActiveState=${unit?.active ?? 'inactive'}`,
    `UnitFileState=${unit?.file ?? ''}`,
    `Result=${unit?.active === 'failed' ? 'exit-code' : 'success'}`,
    `ExecMainStatus=${unit?.active === 'failed' ? 95 : 0}`,
    `StateChangeTimestamp=@${Math.floor((NOON - 7200_000) / 1000)}`,
    'ControlGroup=/system.slice',
    `Job=${unit?.job ?? ''}`,
    'StatusText=',
    '',
  ].join('\n')
}
