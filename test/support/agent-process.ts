/**
 * `solipsec agent` as a process, and its control socket.
 *
 * @module
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { AgentStatus } from '../../agent/daemon/agent.ts'
import { ControlConnection } from '../../agent/daemon/control/client.ts'
import type { AgentEvent } from '../../agent/daemon/events.ts'
import { controlPath } from '../../agent/runtime/agent-sockets.ts'
import type { Station } from '../vm/support/station.ts'
import type { Teardown } from './namespaces.ts'
import { processorTime } from './processor-time.ts'
import { root } from './tiers.ts'
import { until } from './until.ts'

const BIN = join(root, 'bin', 'solipsec')

/** Files that lie over those of the system for one process. */
export interface NameFiles {
  readonly hosts: string
  /** resolv.conf(5). */
  readonly resolver?: string
}

/** Arguments of unshare(1): a mount namespace of its own for what follows. */
function withNames({ hosts, resolver = '/etc/resolv.conf' }: NameFiles): string[] {
  const script = 'mount --bind "$0" /etc/hosts && mount --bind "$1" /etc/resolv.conf && shift && exec "$@"'
  return ['--mount', 'sh', '-c', script, hosts, resolver]
}

/** In the log, what happened and its facts stand side by side. */
function eventOf({ time, level, event, message, ...details }: Record<string, unknown>): AgentEvent {
  return { time: Date.parse(String(time)), level, event, message, details } as AgentEvent
}

export class AgentProcess {
  /** What it has told since it was started, but for what {@link event} has taken. */
  readonly events: AgentEvent[] = []
  /** What came by the control socket of that. */
  readonly notified: AgentEvent[] = []
  readonly path: string
  err = ''
  readonly #child: ChildProcess
  readonly #exit: Promise<unknown[]>
  #control: ControlConnection | undefined

  private constructor(t: Teardown, station: Station, argv: readonly string[], names?: NameFiles) {
    this.path = station.visit(controlPath)
    const where = [
      'agent',
      '--netns',
      station.host.namespace,
      '--datapath',
      station.dataPath,
      '--log',
      'json',
    ]
    const words = [...(names === undefined ? [] : ['unshare', ...withNames(names)]), BIN, ...where, ...argv]
    const [command = '', ...rest] = words
    // What commands of tests choose would bind those that it runs for others.
    const { SOLIPSEC_DATAPATH: _, ...env } = process.env
    this.#child = spawn(command, rest, { stdio: ['ignore', 'ignore', 'pipe'], env })
    if (!this.#child.stderr) throw new Error('it has an output for errors')
    createInterface({ input: this.#child.stderr }).on('line', (line) => {
      this.err += `${line}\n`
      if (line.startsWith('{')) this.events.push(eventOf(JSON.parse(line)))
    })
    this.#exit = once(this.#child, 'close')
    t.teardown(() => {
      this.#control?.close()
      this.#child.kill('SIGKILL')
    })
  }

  /** One that has only begun to start. */
  static begin(t: Teardown, station: Station, ...argv: string[]): AgentProcess {
    return new AgentProcess(t, station, argv)
  }

  /** Started, and ready. */
  static start(t: Teardown, station: Station, ...argv: string[]): Promise<AgentProcess> {
    return new AgentProcess(t, station, argv).ready()
  }

  /** The same, and names mean something else for it. */
  static startWithNames(
    t: Teardown,
    station: Station,
    names: NameFiles,
    ...argv: string[]
  ): Promise<AgentProcess> {
    return new AgentProcess(t, station, argv, names).ready()
  }

  /** Waits until it has started. */
  async ready(): Promise<AgentProcess> {
    await until(async () => {
      if (this.#child.exitCode !== null) throw new Error(`it ended: ${this.err}`)
      return this.err.includes('"started"')
    })
    this.#control = await ControlConnection.open(this.path, (_, event) =>
      this.notified.push(event as AgentEvent),
    )
    await this.call('agent.subscribe')
    return this
  }

  /** One that is to fail. @returns exit code and what it said */
  static fail(t: Teardown, station: Station, ...argv: string[]) {
    return AgentProcess.failWithNames(t, station, undefined, ...argv)
  }

  /** The same, and names mean something else for it. */
  static async failWithNames(t: Teardown, station: Station, names: NameFiles | undefined, ...argv: string[]) {
    const agent = new AgentProcess(t, station, argv, names)
    const [code] = await agent.#exit
    return { code, err: agent.err }
  }

  call(method: string, params: object = {}): Promise<unknown> {
    if (!this.#control) throw new Error('it was not started')
    return this.#control.call(method, params)
  }

  /** After everything that has happened up to now is dealt with. */
  async settle(): Promise<AgentStatus> {
    return (await this.call('agent.settle')) as AgentStatus
  }

  status(): Promise<AgentStatus> {
    return this.call('agent.status') as Promise<AgentStatus>
  }

  /** Waits for an event, and takes all up to it. */
  async event(name: string): Promise<AgentEvent> {
    await until(async () => this.events.some(({ event }) => event === name))
    const place = this.events.findIndex(({ event }) => event === name)
    const [found] = this.events.splice(0, place + 1).slice(-1)
    if (!found) throw new Error('it was there')
    return found
  }

  get pid(): number {
    return this.#child.pid ?? 0
  }

  /** Processor time that it has used, in seconds. */
  get processorTime(): number {
    return processorTime(this.pid)
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal)
  }

  /** Ends it. @returns its exit code; `null` where the signal ended it */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<unknown> {
    this.#child.kill(signal)
    const [code] = await this.#exit
    this.#control?.close()
    return code
  }
}
