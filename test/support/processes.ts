/**
 * Runs test files: each in a Node process of its own, here or in virtual machines.
 *
 * @module
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { basename, join } from 'node:path'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import type { FileResult } from './report.ts'
import { type Ending, summarise } from './tap-summary.ts'
import { needsBoot, root } from './tiers.ts'

/** Seconds that one file may take; a file in the machine, where all is slower, gets the second number. */
const limits = { here: 120, machine: 1200 }

const built = (file: string): string => join(root, 'dist', 'test', file)

const result = (file: string, started: number, tap: string, stderr: string, ending: Ending): FileResult => ({
  file,
  seconds: (performance.now() - started) / 1000,
  stderr,
  ...summarise(tap, ending),
})

/** How a file is run: here, or in a machine of its own that systemd starts. */
function commandOf(file: string): readonly [program: string, ...argv: string[]] {
  return needsBoot(file) && process.env.SOLIPSEC_VM !== 'native'
    ? [join(root, 'test', 'vm', 'boot', 'run'), basename(file, '.test.js')]
    : [process.execPath, '--enable-source-maps', built(file)]
}

/** Takes files from a queue, so that several workers share one list. */
export type Queue = () => string | undefined

/** What a worker tells while it works. */
export interface Watcher {
  started(file: string): void
  finished(result: FileResult): void
}

/** Runs files of the queue one after the other as processes of this machine. */
export async function runHere(next: Queue, watcher: Watcher): Promise<void> {
  for (let file = next(); file !== undefined; file = next()) {
    watcher.started(file)
    watcher.finished(await runFile(file))
  }
}

async function runFile(file: string): Promise<FileResult> {
  const started = performance.now()
  const limit = needsBoot(file) ? limits.machine : limits.here
  const [program, ...argv] = commandOf(file)
  const child = spawn(program, argv, {
    cwd: root,
    // Tests of the software data path ask for it; all others are about the kernel's, which is everywhere the same.
    env: { SOLIPSEC_DATAPATH: 'kernel', ...process.env, TAP_TIMEOUT: String(limit) },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  })
  let reason: string | undefined
  const timer = setTimeout(() => {
    reason = `stopped after ${limit} s`
    endGroup(child)
  }, limit * 1000)
  const [tap, stderr, ending] = await Promise.all([text(child.stdout), text(child.stderr), ended(child)])
  clearTimeout(timer)
  return result(file, started, tap, stderr, reason ? { ...ending, reason } : ending)
}

/** Ends a file and all that it started: it leads a process group of its own. */
function endGroup(child: ChildProcess): void {
  if (child.pid === undefined) return
  try {
    process.kill(-child.pid, 'SIGKILL')
  } catch {
    // It ended just now.
  }
}

const ended = (child: ChildProcess): Promise<Ending> =>
  new Promise((resolve) => {
    child.on('error', ({ message }) => resolve({ code: null, reason: message }))
    child.on('exit', (code, signal) => resolve({ code, signal }))
  })

/**
 * Runs files of the queue one after the other in a virtual machine, which `test/vm/lib/files` serves: it reads a
 * file name, runs it and frames its output with lines that begin with a word nobody else knows. A machine that dies
 * takes the file along that it was running; the next file gets a new machine.
 */
export async function runInMachine(next: Queue, watcher: Watcher): Promise<void> {
  for (let file = next(); file !== undefined; file = next()) {
    const machine = new Machine()
    let going = true
    for (; file !== undefined && going; file = going ? next() : undefined) {
      watcher.started(file)
      const done = await machine.run(file)
      watcher.finished(done.result)
      going = done.alive
    }
    await machine.close()
  }
}

class Machine {
  readonly #frame = randomUUID()
  readonly #child = spawn(
    join(root, 'test', 'vm', 'run'),
    [join(root, 'test', 'vm', 'lib', 'files'), this.#frame, String(limits.machine), process.execPath],
    { cwd: root, stdio: 'pipe', env: { ...process.env, SOLIPSEC_VM_TIMEOUT: '86400' } },
  )
  readonly #lines = createInterface(this.#child.stdout)[Symbol.asyncIterator]()
  readonly #ended = ended(this.#child)
  readonly #stderr = text(this.#child.stderr)

  constructor() {
    this.#child.stdin.on('error', () => {}) // the machine died; reading its output tells so too
  }

  /** Runs one file. `alive` is false if the machine ended with it. */
  async run(file: string): Promise<{ result: FileResult; alive: boolean }> {
    const started = performance.now()
    // A machine that says nothing, not even that the file took too long, is lost.
    const timer = setTimeout(() => this.#child.kill(), (limits.machine + 120) * 1000)
    this.#child.stdin.write(`${built(file)}\n`)
    const tap: string[] = []
    const errors: string[] = []
    let into = tap
    try {
      for (let line = await this.#lines.next(); !line.done; line = await this.#lines.next()) {
        const [word, what, code] = line.value.split(' ')
        if (word !== this.#frame) into.push(line.value)
        else if (what === 'errors') into = errors
        else return { result: this.#result(file, started, tap, errors, Number(code)), alive: true }
      }
    } finally {
      clearTimeout(timer)
    }
    await this.#ended
    const reason = 'the virtual machine ended'
    const stderr = [...errors, await this.#stderr].join('\n')
    return { result: result(file, started, tap.join('\n'), stderr, { code: null, reason }), alive: false }
  }

  #result(file: string, started: number, tap: string[], errors: string[], code: number): FileResult {
    const ending = code === 124 ? { code, reason: `stopped after ${limits.machine} s` } : { code }
    return result(file, started, `${tap.join('\n')}\n`, errors.join('\n'), ending)
  }

  async close(): Promise<void> {
    this.#child.stdin.end()
    await this.#ended
  }
}
