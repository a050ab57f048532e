/**
 * Where the files of services are.
 *
 * @module
 */
import { join } from 'node:path'
import { runDirectory } from '../../../agent/runtime/directory.ts'
import { logName, type Service } from './catalogue.ts'

export interface Places {
  /** Folder of properties: `policy.json`, and `policy.env` for the unit. */
  readonly configuration: string
  /** Folder of what holds until the next boot: marks of services in maintenance. */
  readonly run: string
  /** Folder of logs. */
  readonly log: string
}

export function systemPlaces(): Places {
  return {
    configuration: '/etc/solipsec/services',
    run: join(runDirectory(), 'services'),
    log: '/var/log/svc',
  }
}

export const snapshotsFile = (places: Places, { name }: Service): string =>
  join(places.configuration, `${name}.json`)
export const environmentFile = (places: Places, { name }: Service): string =>
  join(places.configuration, `${name}.env`)
export const markFile = (places: Places, { name }: Service): string => join(places.run, `${name}.json`)
export const logFile = (places: Places, service: Service): string => join(places.log, logName(service))
