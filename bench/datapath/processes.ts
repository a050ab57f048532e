/**
 * Programs of the data path's measurements: some run to their end, with a limit to how long that may take, some run
 * until they are stopped. None outlives the benchmark, however that ends.
 *
 * @module
 */
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import type { CommandLine } from '../support/execute.ts'

const execute = promisify(execFile)

/** Milliseconds that a program gets for its orderly end. */
const FAREWELL = 5000

let interruption = new AbortController()

/**
 * From now on a signal that would end the benchmark ends what it runs instead: the measurement fails, and what was
 * set up is taken down on the way out. After that, when this is disposed of, the signal does what it always does.
 */
export function unwindOnSignals(): Disposable {
  interruption = new AbortController()
  let came: NodeJS.Signals | undefined
  const unwind = (signal: NodeJS.Signals) => {
    came = signal
    interruption.abort(new Error(`ended by ${signal}`))
  }
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
  for (const signal of signals) process.on(signal, unwind)
  return {
    [Symbol.dispose]: () => {
      for (const signal of signals) process.off(signal, unwind)
      if (came) process.kill(process.pid, came)
    },
  }
}

/** @throws Error after a signal. Cleaning up asks nobody, and so goes on. */
function refuseAfterSignal(): void {
  interruption.signal.throwIfAborted()
}

/**
 * Runs a program to its end and returns its standard output, of at most 64 MiB.
 *
 * @param seconds after which it is killed
 * @throws Error with what it wrote, where it fails, takes longer, or a signal comes
 */
export async function outputWithin(seconds: number, [program, ...args]: CommandLine): Promise<string> {
  refuseAfterSignal()
  try {
    const { stdout } = await execute(program, args, {
      timeout: 1000 * seconds,
      killSignal: 'SIGKILL',
      maxBuffer: 2 ** 26,
      signal: interruption.signal,
    })
    return stdout
  } catch (error) {
    refuseAfterSignal()
    const { killed, code, stdout, stderr } = error as Partial<Record<string, unknown>>
    const end = killed ? `not done after ${seconds} s` : `exit code ${code}`
    throw new Error(`${[program, ...args].join(' ')} (${end}): ${stderr || stdout || ''}`.trim())
  }
}

/** Waits. @throws Error where a signal comes */
export async function wait(milliseconds: number): Promise<void> {
  refuseAfterSignal()
  await sleep(milliseconds, undefined, { signal: interruption.signal }).catch(refuseAfterSignal)
}

/**
 * Waits for something to become true.
 *
 * @param what to say in the error
 * @throws Error where that takes more than `seconds`
 */
export async function until(what: string, seconds: number, isTrue: () => boolean): Promise<void> {
  for (const end = Date.now() + 1000 * seconds; !isTrue(); await wait(20)) {
    if (Date.now() > end) throw new Error(`${what}: not after ${seconds} s`)
  }
}

/** A program that runs in the background. */
export interface Service {
  readonly pid: number
  /** True while it runs. */
  isRunning(): boolean
  /** What it wrote to standard output and error. */
  said(): string
  /** Asks it to end, and sees to it. */
  stop(): Promise<void>
}

/**
 * Starts a program in the background. `ip netns exec`, `sh -c 'exec …'` and the like may stand before it: they turn
 * into the program, under the same process id.
 */
export function startService(command: CommandLine): Service {
  refuseAfterSignal()
  // The kernel ends it with us, also where we are killed without a word.
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', ...command], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const ended = once(child, 'close').catch(() => {})
  let text = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (data: string) => {
      text = (text + data).slice(-65_536)
    })
  }
  child.on('error', (error) => {
    text += error.message
  })
  const isRunning = () => child.pid !== undefined && child.exitCode === null && child.signalCode === null
  return {
    pid: child.pid ?? -1,
    isRunning,
    said: () => text,
    stop: async () => {
      if (!isRunning()) return
      child.kill('SIGTERM')
      const impatience = setTimeout(() => child.kill('SIGKILL'), FAREWELL)
      await ended
      clearTimeout(impatience)
    },
  }
}
