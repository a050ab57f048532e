/**
 * The agent's configuration, put into force as `solipsec apply` does; or that part of it that can be.
 *
 * @module
 */
import { existsSync } from 'node:fs'
import type { Tell } from '../../../../agent/daemon/events.ts'
import { Inquiry } from '../../../../agent/daemon/inquiry.ts'
import type { AgentSettings, Awaited } from '../../../../agent/daemon/loading.ts'
import { ServiceStartError } from '../../../../agent/datapath/software/service/client.ts'
import { andMore, fewMessages, fewOfEachKind } from '../../../../agent/log/few.ts'
import { ConflictError } from '../../../../agent/reconcile/joint-plan.ts'
import type { Session } from '../../../../agent/reconcile/session.ts'
import { LockedError } from '../../../../agent/reconcile/store.ts'
import { shortagesAfter } from '../../../../agent/supply/after-change.ts'
import { TunnelRuleError } from '../../../../agent/translate/tunnels.ts'
import * as systemResolver from '../../../../netlink/libc/names.ts'
import { NetlinkError } from '../../../../netlink/socket/error.ts'
import type { CheckedConfiguration } from '../../../configuration/index.ts'
import { algorithmTable } from '../../support/algorithms.ts'
import type { Io } from '../../support/io.ts'
import { memoryIo } from '../../support/memory-io.ts'
import { report } from '../../support/report.ts'
import {
  configurationReader,
  FileErrors,
  type LoadableConfiguration,
  requireSupport,
  wipeKeys,
} from '../change/configuration.ts'
import { planConfiguration, withSession } from '../change/session.ts'
import { BlockedError } from '../change/tunnels.ts'
import type { Request } from './arguments.ts'
import { inALine } from './describe.ts'
import {
  AwaitedNamesError,
  missingNames,
  partWithoutNames,
  partWithoutTunnels,
  UnfitNamesError,
} from './part.ts'
import { forgetPart, isNotedPart, notePart } from './part-note.ts'
import { PATIENCE_MS, readWithNames } from './reading.ts'

const USUAL = '/etc/solipsec.json'

/** Loads the agent's configuration, and asks for the names in it. */
export class Loader {
  readonly #request: Request
  readonly #io: Io
  readonly #tell: Tell
  readonly #inquiry = new Inquiry()
  #hasFile = false
  #settings: AgentSettings | undefined

  constructor(request: Request, io: Io, tell: Tell) {
    this.#request = request
    this.#io = io
    this.#tell = tell
  }

  /** What the configuration has said about the agent itself when it was read last, with or without addresses of names. */
  get settings(): AgentSettings | undefined {
    return this.#settings
  }

  /**
   * @throws CommandError in words for people; nothing was changed, but for what {@link awaited} tells of
   */
  async load(): Promise<AgentSettings> {
    const { config: file = USUAL, drift = 'enforce' } = this.#request
    // Without a file in the usual place there is nothing to load, and what commands have loaded is kept. One that was there
    // and is gone is a mistake, however: nobody can tell what is wanted now.
    this.#hasFile ||= file !== USUAL || existsSync(USUAL)
    if (!this.#hasFile) return { algorithms: await algorithmTable(this.#io), drift }
    const loaded = await this.#read(file)
    const errors = loaded.diagnostics.filter(({ severity }) => severity === 'error')
    const settings = this.#settingsOf(loaded.configuration)
    this.#settings = settings
    if (errors.length === 0) {
      await this.#inSession(loaded, (session) => this.#putAll(session, loaded))
      return settings
    }
    const put = await this.#inSession(loaded, (session) => this.#putPart(session, loaded))
    throw new AwaitedNamesError(errors, put && settings, put?.tunnel)
  }

  /** Asks for names that are awaited. @returns true where one has an address now */
  async ask(names: readonly string[], isNetworkOther: boolean): Promise<boolean> {
    await this.#inquiry.ask(names, PATIENCE_MS, isNetworkOther)
    return names.some((name) => this.#inquiry.addressesOf(name).length > 0)
  }

  close(): void {
    this.#inquiry.close()
  }

  /** @throws FileErrors where more is wrong than that names have no address */
  async #read(file: string): Promise<LoadableConfiguration> {
    const { dataPath, log } = this.#request
    // Of a log for programs, each line is an event: what people read in a terminal is told in events alone.
    const io = log === 'json' ? { ...this.#io, stderr: memoryIo().stderr } : this.#io
    const read = await configurationReader({ file, isLasting: true, ...(dataPath && { dataPath }) }, io)
    const { configuration, isRightButForNames, ...reading } = await readWithNames(
      read,
      this.#inquiry,
      systemResolver.network,
    )
    const { diagnostics } = reading
    const isWhole = missingNames(diagnostics) !== undefined
    const warnings = fewOfEachKind(
      diagnostics.filter(({ severity }) => severity === 'warning'),
      ({ message }) => message,
      (one, more) => ({ ...one, message: andMore(one.message, more) }),
    )
    // Of names, the agent tells as long as they are awaited.
    await report(isWhole ? warnings : diagnostics, io)
    if (!isWhole || !configuration) {
      wipeKeys(configuration?.associations ?? [])
      const Errors = isRightButForNames ? UnfitNamesError : FileErrors
      throw new Errors(diagnostics.filter(({ severity }) => severity === 'error'))
    }
    const loaded = { ...reading, configuration }
    try {
      requireSupport(loaded)
    } catch (error) {
      wipeKeys(configuration.associations ?? [])
      throw error
    }
    if (log === 'json') {
      for (const one of warnings) this.#tell({ level: 'warning', event: 'warning', message: inALine(one) })
    }
    for (const name of loaded.changeable) {
      const message = `${name} may be changed by others than root: it should belong to root, who alone may write it (chmod go-w).`
      this.#tell({ level: 'warning', event: 'warning', message })
    }
    return loaded
  }

  #settingsOf({ algorithms, sockets, drift = 'enforce' }: CheckedConfiguration): AgentSettings {
    return { algorithms, drift: this.#request.drift ?? drift, ...(sockets && { sockets }) }
  }

  #inSession<T>(loaded: LoadableConfiguration, use: (session: Session) => T): Promise<T> {
    if (this.#request.log !== 'json') return withSession(loaded, true, this.#io, use)
    const { stderr, err } = memoryIo()
    return withSession(loaded, true, { ...this.#io, stderr }, (session) => {
      const message = withoutMarks(err())
      if (message !== '') this.#tell({ level: 'info', event: 'data-path', message })
      return use(session)
    })
  }

  #apply(session: Session, wanted: LoadableConfiguration): void {
    const change = planConfiguration(session, wanted, { ...this.#request, quiet: true }, this.#io)
    const warnings = [...change.warnings, ...shortagesAfter(session, change)]
    for (const message of fewMessages(warnings)) this.#tell({ level: 'warning', event: 'warning', message })
    session.apply(change)
  }

  #putAll(session: Session, loaded: LoadableConfiguration): void {
    try {
      this.#apply(session, loaded)
    } catch (error) {
      // Nothing is in force, and a tunnel is awaited: better all but its rules than nothing.
      const isContinued = isNotedPart(session)
      if (isTunnelAwaited(error) && (isContinued || session.state.rules.length === 0)) {
        this.#apply(session, withoutTunnels(session, loaded))
        if (isContinued) notePart(session)
      }
      throw error
    }
    forgetPart(session)
    this.#inquiry.forget()
  }

  /**
   * Puts into force what needs no name, where nothing is in force, or only what was put there in the same way.
   *
   * @returns `undefined` where other rules are in force, and stay; else the tunnel that is not there, if there is one
   */
  #putPart(session: Session, loaded: LoadableConfiguration): { readonly tunnel?: unknown } | undefined {
    const isContinued = isNotedPart(session)
    if (!isContinued && (session.state.rules.length > 0 || session.isUnrecorded)) return undefined
    const inForce = isContinued ? [] : session.ownStates().map(({ association }) => association)
    const part = { ...loaded, configuration: partWithoutNames(loaded.configuration, inForce) }
    let tunnel: unknown
    try {
      this.#apply(session, part)
    } catch (error) {
      if (!isTunnelAwaited(error)) throw error
      tunnel = error
      this.#apply(session, withoutTunnels(session, part))
    }
    notePart(session)
    return { tunnel }
  }
}

/** Notes for a terminal, as sentences in one line. */
function withoutMarks(notes: string): string {
  const line = notes.replace(/\s+/g, ' ').trim()
  return line.replace(/\bNOTE: (.)/g, (_, first: string) => first.toUpperCase())
}

function withoutTunnels(session: Session, loaded: LoadableConfiguration): LoadableConfiguration {
  return { ...loaded, configuration: partWithoutTunnels(loaded.configuration, session.network) }
}

/** A tunnel may be made by somebody who is not ready yet, and what is in the way of one may go. */
function isTunnelAwaited(error: unknown): boolean {
  return error instanceof TunnelRuleError || error instanceof BlockedError
}

/** Nothing is wrong with the file: a command is at work, others have what is needed, or the kernel or a disk says no. */
function passing(error: unknown): Awaited['passing'] {
  if (error instanceof LockedError || error instanceof ConflictError) return 'others'
  if (error instanceof UnfitNamesError) return 'system'
  const isSystem = error instanceof NetlinkError || error instanceof ServiceStartError || isErrno(error)
  return isSystem ? 'system' : undefined
}

function isErrno(error: unknown): boolean {
  return error instanceof Error && 'syscall' in error && 'code' in error
}

/** What an error of {@link Loader.load} says is awaited; `undefined` where it does not come right by itself. */
export function awaited(error: unknown): Awaited | undefined {
  if (isTunnelAwaited(error)) return { isTunnel: true, names: [] }
  const why = passing(error)
  if (why) return { isTunnel: false, names: [], passing: why }
  if (!(error instanceof AwaitedNamesError)) return undefined
  const { names, settings, tunnel } = error
  return { isTunnel: tunnel !== undefined, names, ...(settings && { settings }) }
}
