/**
 * `svc-method SERVICE start|stop|refresh`: what the systemd units of solipsec run. Not for people; svcadm(8) is.
 *
 * @module
 */
import { SERVICES } from './services/catalogue.ts'
import { runMethod } from './services/method.ts'
import { systemPlaces } from './services/places.ts'
import { jobOf, systemctl } from './services/systemd.ts'
import { SERVICE_FATAL } from './support/exit.ts'
import type { Io } from './support/io.ts'

const METHODS = ['start', 'stop', 'refresh'] as const

export async function run([name, word, ...more]: readonly string[], io: Io): Promise<number> {
  const service = SERVICES.find((one) => one.name === name)
  const method = METHODS.find((one) => one === word)
  if (!service || !method || more.length > 0) {
    io.stderr.write('svc-method: expected SERVICE start|stop|refresh\n')
    return SERVICE_FATAL
  }
  return runMethod(service, method, {
    places: systemPlaces(),
    now: Date.now,
    io,
    isRestart: () => jobOf(systemctl, service) === 'restart',
  })
}
