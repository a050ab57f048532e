/**
 * What the commands about services see of the system; tests have a world of their own.
 *
 * @module
 */
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { keptStatus } from '../../../agent/daemon/kept-status.ts'
import { namespaceFolder } from '../../../agent/runtime/namespace-folder.ts'
import type { Io } from '../support/io.ts'
import type { Service } from './catalogue.ts'
import { type Mark, readMark } from './mark.ts'
import { type Places, systemPlaces } from './places.ts'
import { type ServiceState, stateOf } from './state.ts'
import { isStarting, readUnits, type Systemctl, systemctl } from './systemd.ts'

export interface ProcessEntry {
  readonly pid: number
  readonly name: string
  /** Milliseconds since 1970. */
  readonly since: number
}

export interface World {
  readonly places: Places
  readonly systemctl: Systemctl
  /** Milliseconds since 1970. */
  readonly now: () => number
  readonly isRoot: boolean
  /** Processes of a control group and those below it. */
  readonly processes: (controlGroup: string) => ProcessEntry[]
  /** Runs the stop method of a service in this process. @returns its exit code */
  readonly stop: (service: Service, io: Io) => Promise<number>
}

export function systemWorld(): World {
  return {
    places: systemPlaces(),
    systemctl,
    now: Date.now,
    isRoot: process.geteuid?.() === 0,
    processes: processesOf,
    stop: async (service, io) => {
      const { runMethod } = await import('./method.ts')
      return runMethod(service, 'stop', { places: systemPlaces(), now: Date.now, io })
    },
  }
}

/** States of services, in their order. @throws SystemdError */
export function readStates({ places, systemctl: run }: World, services: readonly Service[]): ServiceState[] {
  if (services.length === 0) return []
  const units = readUnits(run, services)
  const starting = units.some(({ active }) => active === 'inactive') && isStarting(run)
  return services.map((service, index) => {
    const unit = units[index]
    if (!unit) throw new TypeError('fewer units than services')
    return stateOf(unit, readMark(places, service) ?? ownMark(service), starting)
  })
}

/** The agent says by itself how it is, to root alone. */
function ownMark({ name }: Service): Mark | undefined {
  const status = name === 'agent' ? keptStatus(namespaceFolder()) : undefined
  if (status?.problem === undefined) return undefined
  return { state: 'degraded', cause: 'service', status: 0, at: status.loadedAt, lines: [status.problem] }
}

const CGROUPS = '/sys/fs/cgroup'

function processesOf(controlGroup: string): ProcessEntry[] {
  if (controlGroup === '' || controlGroup === '/' || controlGroup.split('/').includes('..')) return []
  return idsBelow(join(CGROUPS, controlGroup)).flatMap((pid) => {
    try {
      const name = readFileSync(`/proc/${pid}/comm`, 'utf8').trim()
      return [{ pid, name, since: statSync(`/proc/${pid}`).ctimeMs }]
    } catch {
      return [] // it has ended
    }
  })
}

function idsBelow(folder: string): number[] {
  try {
    const own = readFileSync(join(folder, 'cgroup.procs'), 'utf8').split('\n').filter(Boolean).map(Number)
    const below = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory())
    return [...own, ...below.flatMap(({ name }) => idsBelow(join(folder, name)))]
  } catch {
    return [] // the group is gone
  }
}
