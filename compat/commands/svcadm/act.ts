/**
 * What each subcommand of svcadm(8) does to one service. Units are told by systemctl(1); what systemd has no word for is a
 * mark of ours.
 *
 * @module
 */
import { type Service, serviceNamed } from '../services/catalogue.ts'
import { EXIT, Refusal } from '../services/frame.ts'
import { removeMark, writeMark } from '../services/mark.ts'
import type { ServiceState } from '../services/state.ts'
import { takeOver } from '../services/store.ts'
import { isStarting } from '../services/systemd.ts'
import { readStates, type World } from '../services/world.ts'
import type { Io } from '../support/io.ts'
import type { Request } from './arguments.ts'

/** @returns what was done, for `-v`; empty where there was nothing to do */
export async function act(request: Request, service: Service, world: World, io: Io): Promise<string> {
  const state = stateOf(service, world)
  if (state.state === 'uninitialized') {
    throw new Refusal(
      `${service.fmri}: its unit ${service.unit} is ${state.unit.load}\n` +
        'help: the Debian package installs it; see svcadm(8), INSTALLATION',
    )
  }
  switch (request.verb) {
    case 'enable':
      return enable(request, service, state, world, io)
    case 'disable':
      return disable(request, service, state, world, io)
    case 'refresh':
      return refresh(service, state, world)
    case 'restart':
      return restart(service, state, world)
    case 'clear':
      return clear(service, state, world)
    case 'mark':
      return mark(request, service, state, world)
  }
}

function stateOf(service: Service, world: World): ServiceState {
  const [state] = readStates(world, [service])
  if (!state) throw new TypeError('no state')
  return state
}

async function enable(
  request: Request,
  service: Service,
  state: ServiceState,
  world: World,
  io: Io,
): Promise<string> {
  if (request.recursive) {
    for (const { on } of service.dependencies) await act(request, serviceNamed(on), world, io)
  }
  if (state.unit.load === 'masked') {
    throw new Refusal(
      `${service.fmri}: ${service.unit} is masked; systemctl unmask ${service.unit} opens it again`,
    )
  }
  if (!request.temporary) systemctl(world, ['enable', service.unit])
  // As on Solaris, who is in maintenance waits for `svcadm clear`.
  if (state.state === 'maintenance') throw troubled(service, state)
  if (state.state !== 'online' && state.state !== 'degraded') run(world, 'start', service)
  return `${service.fmri} enabled.`
}

async function disable(
  request: Request,
  service: Service,
  state: ServiceState,
  world: World,
  io: Io,
): Promise<string> {
  if (!request.temporary) systemctl(world, ['disable', service.unit])
  if (state.unit.active === 'failed') {
    // What failed has nothing that systemd would stop, but what was loaded before may still be there.
    systemctl(world, ['reset-failed', service.unit])
    await stopByMethod(service, world, io)
  } else if (state.unit.active !== 'inactive' || state.next) run(world, 'stop', service)
  else if (state.mark) await stopByMethod(service, world, io)
  removeMark(world.places, service)
  return `${service.fmri} ${request.temporary ? 'temporarily ' : ''}disabled.`
}

/** The stop method in this process, for a unit that systemd does not count as running. */
async function stopByMethod(service: Service, world: World, io: Io): Promise<void> {
  if ((await world.stop(service, io)) !== 0)
    throw new Refusal(`${service.fmri}: the stop method failed; see svcs -L ${service.name}`)
}

function refresh(service: Service, state: ServiceState, world: World): string {
  takeOver(world.places, service)
  if (state.state === 'maintenance') throw troubled(service, state)
  if (state.state === 'online' || state.state === 'degraded') run(world, 'reload', service)
  return `Action refresh set for ${service.fmri}.`
}

/** Without a policy in between: the unit's stop knows that a start comes after it. */
function restart(service: Service, state: ServiceState, world: World): string {
  if (state.state === 'maintenance') throw troubled(service, state)
  if (state.state !== 'online' && state.state !== 'degraded') return ''
  run(world, 'restart', service)
  return `Action restart set for ${service.fmri}.`
}

function clear(service: Service, state: ServiceState, world: World): string {
  if (state.state !== 'maintenance' && state.state !== 'degraded') {
    throw new Refusal(`Instance "${service.fmri}" is not in a maintenance or degraded state.`)
  }
  removeMark(world.places, service)
  if (state.unit.active === 'failed') systemctl(world, ['reset-failed', service.unit])
  if (state.unit.active === 'active') {
    if (state.state === 'maintenance') run(world, 'reload', service)
  } else if (state.isEnabled || state.unit.active === 'failed') run(world, 'start', service)
  return `Action maint_off set for ${service.fmri}.`
}

function mark(
  { state: wanted = 'maintenance' }: Request,
  service: Service,
  state: ServiceState,
  world: World,
): string {
  if (wanted === 'degraded' && state.state !== 'online') {
    throw new Refusal(`${service.fmri}: only a service that is online can be marked as degraded.`)
  }
  writeMark(world.places, service, {
    state: wanted,
    cause: 'administrator',
    status: 0,
    at: world.now(),
    lines: [],
  })
  return `Action ${wanted === 'degraded' ? 'degraded' : 'maint_on'} set for ${service.fmri}.`
}

/**
 * Has a unit start, stop, restart or reload, and waits for the outcome, unless the system is just starting: a unit that
 * called us might be what the job waits for.
 */
function run(world: World, verb: 'start' | 'stop' | 'restart' | 'reload', service: Service): void {
  const waits = !isStarting(world.systemctl)
  const { status, stderr } = world.systemctl([...(waits ? [] : ['--no-block']), verb, service.unit])
  if (status === 0) return
  const state = stateOf(service, world)
  throw state.state === 'maintenance' ? troubled(service, state) : refusal(verb, service, stderr)
}

function refusal(verb: string, { unit }: Service, stderr: string): Refusal {
  const said = stderr.trim()
  return new Refusal(`systemctl ${verb} ${unit} failed${said === '' ? '' : `: ${said}`}`)
}

function systemctl(world: World, argv: readonly string[]): void {
  const { status, stderr } = world.systemctl(['--quiet', ...argv])
  if (status !== 0) throw new Refusal(`systemctl ${argv.join(' ')} failed: ${stderr.trim()}`)
}

/** Exit code 3 of svcadm(8): a problem of the service itself, which somebody has to mend. */
function troubled({ fmri, name }: Service, { mark: found }: ServiceState): Refusal {
  const reasons = found?.lines.length ? `\n${found.lines.join('\n')}` : ''
  return new Refusal(
    `${fmri} is in maintenance; svcs -x ${name} tells why, svcadm clear ${name} tries again.${reasons}`,
    EXIT.maintenance,
  )
}
