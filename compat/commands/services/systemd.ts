/**
 * systemd as we need it: asked and told by systemctl(1), by an argument list and never by a shell.
 *
 * @module
 */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import type { Service } from './catalogue.ts'

export interface Answer {
  readonly status: number
  readonly stdout: string
  readonly stderr: string
}

export type Systemctl = (argv: readonly string[]) => Answer

/** What systemd says of a unit. */
export interface Unit {
  readonly load: string
  readonly active: string
  /** `enabled`, `disabled`, `masked`, …; empty where the unit has no file. */
  readonly file: string
  readonly result: string
  readonly exitStatus: number
  /** Milliseconds since 1970 of the last change of `active`; `undefined` where there was none. */
  readonly changedAt?: number
  /** Path below /sys/fs/cgroup. */
  readonly controlGroup: string
  /** A job for the unit waits or is at work. */
  readonly hasJob: boolean
  readonly text: string
}

const PROPERTIES =
  'Id,LoadState,ActiveState,UnitFileState,Result,ExecMainStatus,StateChangeTimestamp,ControlGroup,Job,StatusText'
/** Longer than any start or reload of ours may take by its unit's `TimeoutSec`. */
const TIMEOUT_MILLISECONDS = 300_000

/** A systemctl that is not there, or cannot do what is asked. */
export class SystemdError extends Error {
  override readonly name = 'SystemdError'
}

/** Runs the system's systemctl. @throws SystemdError where systemd does not run */
export function systemctl(argv: readonly string[]): Answer {
  if (!existsSync('/run/systemd/system')) {
    throw new SystemdError(
      'systemd does not run here, so there is nobody to run services\n' +
        'help: ipsecalgs -s, ipsecconf -Fa FILE and ipseckey -f FILE do what the services do; solipsec agent --config FILE keeps it so',
    )
  }
  const program = ['/usr/bin/systemctl', '/bin/systemctl'].find((path) => existsSync(path))
  if (program === undefined) throw new SystemdError('there is no systemctl(1)')
  const { status, stdout, stderr, error } = spawnSync(program, ['--no-pager', '--no-ask-password', ...argv], {
    encoding: 'utf8',
    env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C', SYSTEMD_COLORS: '0' },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: TIMEOUT_MILLISECONDS,
  })
  if (error) throw new SystemdError(`systemctl: ${error.message}`)
  return { status: status ?? 1, stdout, stderr }
}

/** What systemd says of the services' units, in their order. */
export function readUnits(run: Systemctl, services: readonly Service[]): Unit[] {
  const { status, stdout, stderr } = run([
    'show',
    '--timestamp=unix',
    `--property=${PROPERTIES}`,
    '--',
    ...services.map(({ unit }) => unit),
  ])
  if (status !== 0) throw new SystemdError(`systemctl: ${stderr.trim() || `exit status ${status}`}`)
  const units = parseUnits(stdout)
  return services.map(({ unit }) => {
    const found = units.get(unit)
    if (!found) throw new SystemdError(`systemctl says nothing of ${unit}`)
    return found
  })
}

/** Takes the output of `systemctl show` apart: a block of `NAME=VALUE` lines for each unit. Pure. */
export function parseUnits(text: string): Map<string, Unit> {
  const units = new Map<string, Unit>()
  for (const block of text.split('\n\n')) {
    const values = new Map<string, string>()
    for (const line of block.split('\n')) {
      const equals = line.indexOf('=')
      if (equals > 0) values.set(line.slice(0, equals), line.slice(equals + 1))
    }
    const value = (name: string) => values.get(name) ?? ''
    const seconds = /^@(\d+)/.exec(value('StateChangeTimestamp'))?.[1]
    units.set(value('Id'), {
      load: value('LoadState'),
      active: value('ActiveState'),
      file: value('UnitFileState'),
      result: value('Result'),
      exitStatus: Number(value('ExecMainStatus')) || 0,
      ...(seconds !== undefined && seconds !== '0' && { changedAt: Number(seconds) * 1000 }),
      controlGroup: value('ControlGroup'),
      hasJob: value('Job') !== '' && value('Job') !== '0',
      text: value('StatusText'),
    })
  }
  return units
}

/** True while systemd brings the system up: who waited for a unit then might wait for himself. */
export function isStarting(run: Systemctl): boolean {
  return /^(initializing|starting)/.test(run(['is-system-running']).stdout)
}

/**
 * The kind of job that a unit has just now: `start`, `stop`, `restart`…
 *
 * @throws SystemdError where systemd does not say
 */
export function jobOf(run: Systemctl, { unit }: Service): string | undefined {
  const { status, stdout, stderr } = run(['list-jobs', '--no-legend', '--plain', '--full'])
  if (status !== 0) throw new SystemdError(`systemctl: ${stderr.trim() || `exit status ${status}`}`)
  const line = stdout.split('\n').find((text) => text.trim().split(/\s+/)[1] === unit)
  return line?.trim().split(/\s+/)[2]
}
