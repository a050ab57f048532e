/**
 * Methods of services: what units run to start, stop and refresh one. A method does its work, writes the log of the service,
 * and leaves a mark where it failed; what was loaded before stays.
 *
 * @module
 */
import { appendFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { stateDirectory } from '../../../agent/datapath/software/service/iv-epoch-file.ts'
import { replaceFile } from '../support/atomic-file.ts'
import { SERVICE_FATAL } from '../support/exit.ts'
import type { Io, Output, Run } from '../support/io.ts'
import type { Service } from './catalogue.ts'
import { type MethodName, removeMark, writeMark } from './mark.ts'
import { logFile, type Places } from './places.ts'
import { SystemdError } from './systemd.ts'
import { logTime } from './time.ts'

/** The commands, loaded when they are asked for. */
const COMMANDS = {
  ipsecalgs: async (): Promise<Run> => (await import('../ipsecalgs.ts')).run,
  ipsecconf: async (): Promise<Run> => (await import('../ipsecconf.ts')).run,
  ipseckey: async (): Promise<Run> => (await import('../ipseckey.ts')).run,
  solipsec: async (): Promise<Run> => (await import('../solipsec.ts')).run,
}

type CommandLine = readonly [command: keyof typeof COMMANDS, ...argv: string[]]

export interface MethodContext {
  readonly places: Places
  readonly now: () => number
  readonly io: Io
  /** Runs a command line; tests have their own. */
  readonly command?: (line: CommandLine, io: Io) => Promise<number>
  /** Where the last policy without error is kept. */
  readonly state?: string
  /** A start comes right after this stop. */
  readonly isRestart?: () => boolean
}

/** Runs a method. @returns its exit code, as smf_method(7) has them */
export async function runMethod(
  service: Service,
  method: MethodName,
  context: MethodContext,
): Promise<number> {
  const { places, now } = context
  const lines: string[] = []
  const { io, log } = recording(service, context, lines)
  const line = commandLine(service, method, context)
  log(`[ ${logTime(now())} Executing ${method} method ("${line?.join(' ') ?? ':true'}"). ]`)
  const code = await carryOut(service, method, line, context, io)
  log(`[ ${logTime(now())} Method "${method}" exited with status ${code}. ]`)
  if (code === 0) removeMark(places, service)
  else {
    const said = lines.filter((text) => text.trim() !== '' && !LAST_WORDS.test(text))
    writeMark(places, service, { state: 'maintenance', cause: method, status: code, at: now(), lines: said })
  }
  return code
}

/** What ends each message to a service's log, and says nothing new. */
const LAST_WORDS = /^(Service .* fatal error\.|Bad configuration of service .*|Fatal error - exiting\.)$/

function configFile(
  service: Service,
  { io }: MethodContext,
): { readonly path: string; readonly isDefault: boolean } {
  const own = service.properties.find(({ path }) => path === 'config/config_file')?.value ?? ''
  const path = io.env.CONFIG_FILE || own
  return { path, isDefault: path === own }
}

function commandLine(service: Service, method: MethodName, context: MethodContext): CommandLine | undefined {
  const { path } = configFile(service, context)
  switch (service.name) {
    case 'ipsecalgs':
      return method === 'stop' ? undefined : ['ipsecalgs', '-s']
    case 'policy':
      return method === 'stop' ? ['ipsecconf', '-q', '-F'] : ['ipsecconf', '-Fa', path]
    case 'manual-key':
      return method === 'stop' ? ['ipseckey', 'flush'] : ['ipseckey', '-f', path]
    case 'agent':
      return method === 'refresh' ? ['solipsec', 'check', path] : undefined
  }
}

async function carryOut(
  service: Service,
  method: MethodName,
  line: CommandLine | undefined,
  context: MethodContext,
  io: Io,
): Promise<number> {
  if (!line) return 0
  const command = context.command ?? (async ([name, ...argv], io) => (await COMMANDS[name]())(argv, io))
  if (method === 'stop') {
    const isRestart = asked(context, io)
    if (isRestart === undefined) return SERVICE_FATAL
    if (isRestart) {
      // What is loaded stays until the start replaces it in one transaction, or fails.
      io.stdout.write('A restart: what is loaded stays until it is replaced.\n')
      return 0
    }
  }
  const { path, isDefault } = configFile(service, context)
  // ipsecconf is content where the usual file is missing; one that somebody chose is meant to be there.
  const isMissing = service.name === 'policy' && method !== 'stop' && !isDefault && !existsSync(path)
  if (isMissing) io.stderr.write(`${path}: no such file (config/config_file)\n`)
  // The agent does without its usual file, too.
  const isIdle = service.name === 'agent' && isDefault && !existsSync(path)
  const code = isMissing
    ? SERVICE_FATAL
    : isIdle
      ? 0
      : await command(line, method === 'refresh' ? withoutCredentials(io) : io)
  if (service.name === 'agent' && code === 0) return hangUp(context.io)
  if (service.name !== 'policy' || method === 'stop') return code
  const kept = join(context.state ?? stateDirectory(), 'services', 'policy.last')
  if (code === 0) keep(path, kept)
  else if (method === 'start') await fallBack(kept, command, io)
  return code
}

/**
 * systemd names the credentials of a service to what reloads it as well, and keeps them from it (systemd.exec(5)). Who is told to
 * read its file again has them.
 */
function withoutCredentials(io: Io): Io {
  const { CREDENTIALS_DIRECTORY: _, ...env } = io.env
  return { ...io, env }
}

/** Who cannot know whether a start follows takes nothing away. */
function asked({ isRestart }: MethodContext, io: Io): boolean | undefined {
  try {
    return isRestart?.() ?? false
  } catch (error) {
    if (!(error instanceof SystemdError)) throw error
    io.stderr.write(`${error.message}\n`)
    return undefined
  }
}

/** At boot there is no old policy that could stay. The last one that was loaded without error is as good. */
async function fallBack(kept: string, command: NonNullable<MethodContext['command']>, io: Io): Promise<void> {
  if (!existsSync(kept)) return
  let loaded = ''
  const quiet = { ...io, stdout: output((text) => (loaded += text)), stderr: output(() => '') }
  if ((await command(['ipsecconf'], quiet)) !== 0 || loaded.trim() !== '') return
  const code = await command(['ipsecconf', '-q', '-Fa', kept], io)
  io.stderr.write(
    code === 0
      ? `The policy that was last loaded without error was loaded instead (${kept}).\n`
      : `No policy is loaded: the last one that was without error (${kept}) cannot be loaded either.\n`,
  )
}

/** The file as it was loaded, for root alone. A file that goes at this moment is not worth a failure. */
function keep(path: string, kept: string): void {
  if (!existsSync(path)) return
  const text = readFileSync(path, 'utf8')
  mkdirSync(dirname(kept), { recursive: true, mode: 0o700 })
  replaceFile(kept, text, 0o600)
}

/** The agent reads its configuration again at SIGHUP. systemd tells its number. */
function hangUp({ env }: Io): number {
  const pid = Number(env.MAINPID)
  if (!Number.isInteger(pid) || pid <= 1) return SERVICE_FATAL
  process.kill(pid, 'SIGHUP')
  return 0
}

/** An `Io` that says everything in three places: where it always did, in the log, and in `lines`. */
function recording(service: Service, { io, places }: MethodContext, lines: string[]) {
  const path = logFile(places, service)
  let rest = ''
  const log = (line: string) => {
    try {
      appendFileSync(path, `${line}\n`, { mode: 0o644 })
    } catch {
      // A full disk is no reason to be without policy; the journal has it all.
    }
  }
  const record = (text: string) => {
    const parts = (rest + text).split('\n')
    rest = parts.pop() ?? ''
    for (const line of parts) {
      lines.push(line)
      log(line)
    }
  }
  const tee = (to: Output) =>
    output((text) => {
      to.write(text)
      record(text)
    })
  const recorded: Io = {
    ...io,
    stdout: tee(io.stdout),
    stderr: tee(io.stderr),
    service: { name: service.fmri },
    // A getter: a look at it is what catches signals.
    get interrupted() {
      return io.interrupted
    },
  }
  return { io: recorded, log }
}

function output(write: (text: string) => void): Output {
  return {
    isTTY: false,
    write,
    flush: () => {},
    stream: () => {
      throw new TypeError('methods do not ask')
    },
  }
}
