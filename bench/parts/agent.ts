/**
 * `solipsec agent` with nothing to do, and with up to 100,000 rules and as many SAs: how soon it is ready, what memory it holds
 * for each of them, and what it takes of a processor when nothing happens.
 *
 * @module
 */
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { output } from '../support/execute.ts'
import { Workplace } from '../support/host.ts'
import { hasEsp } from '../support/machine.ts'
import { layOut } from '../support/table.ts'
import { document } from '../support/workload.ts'

const SIZES = [0, 1_000, 10_000, 100_000] as const
const BIN = fileURLToPath(new URL('../../../bin/solipsec', import.meta.url))
/** Clock ticks of a second in `/proc/PID/stat`: the kernel's USER_HZ is that for every architecture that Node runs on. */
const TICKS = 100
/** It has settled when it took less than this share of a processor for some seconds, */
const SETTLED_SHARE = 0.02
const SETTLED_SECONDS = 10
/** for which there are so many tries. */
const MOST_TRIES = 60

/** What was found with so many rules and SAs. Memory in bytes. */
export interface AgentResult {
  readonly size: number
  readonly dataPath: 'kernel' | 'software'
  /** Milliseconds from its start until it says that it is ready: the median of all runs. */
  readonly ready: number
  /** Resident sets: of the agent, and of the program of the software data path. */
  readonly peak: number
  readonly settled: number
  readonly pathSettled?: number
  /** Share of a processor that all of it takes when nothing happens. */
  readonly idle: number
}

/** @param seconds for which it is watched doing nothing, five times over */
export async function agent(rounds: number, seconds: number): Promise<AgentResult[]> {
  const dataPath = hasEsp() ? 'kernel' : 'software'
  using place = new Workplace()
  process.env.SOLIPSEC_DATAPATH = dataPath
  const results: AgentResult[] = []
  for (const size of SIZES) {
    const file = place.file(`${size}.json`, document(size))
    const times: number[] = []
    // Large ones take minutes each.
    for (let i = 1; i < (size === 0 ? rounds : 1); i++) {
      await using one = await start(place.freshNamespace(`agent${size}`), file)
      times.push(one.ready)
    }
    await using last = await start(place.freshNamespace(`agent${size}`), file)
    times.push(last.ready)
    await last.settle()
    const idle = await last.load(5 * seconds)
    const { agent: own, path } = last.memory()
    results.push({
      size,
      dataPath,
      ready: times.sort((a, b) => a - b)[times.length >> 1] ?? 0,
      peak: own.peak,
      settled: own.now,
      ...(path && { pathSettled: path.now }),
      idle,
    })
  }
  return results
}

/** Starts an agent in a namespace, and waits until it is ready. */
async function start(netns: string, file: string) {
  const begun = performance.now()
  const child = spawn(BIN, ['agent', '--netns', netns, '--config', file, '--log', 'json'], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  const exit = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  let said = ''
  await new Promise<void>((resolve, reject) => {
    createInterface({ input: child.stderr }).on('line', (line) => {
      said = line
      if (line.includes('"started"')) resolve()
    })
    child.once('exit', () => reject(new Error(`the agent ended: ${said}`)))
  })
  const ready = performance.now() - begun
  const id = child.pid ?? 0
  // The agent is in the namespace with its thread only.
  const others = () => output(['ip', 'netns', 'pids', netns]).split(/\s+/).map(Number).filter(Boolean)
  const processes = () => [...new Set([id, ...others()])]
  const load = async (seconds: number): Promise<number> => {
    const before = ticks(processes())
    await pause(1000 * seconds)
    return (ticks(processes()) - before) / (TICKS * seconds)
  }
  return {
    ready,
    load,
    async settle() {
      for (let i = 0; i < MOST_TRIES; i++) if ((await load(SETTLED_SECONDS)) < SETTLED_SHARE) return
    },
    memory() {
      const path = others().find((one) => one !== id)
      return { agent: memoryOf(id), ...(path !== undefined && { path: memoryOf(path) }) }
    },
    async [Symbol.asyncDispose]() {
      child.kill()
      await exit
    },
  }
}

/** Clock ticks that processes have taken together (proc(5), `utime` and `stime`). */
function ticks(processes: readonly number[]): number {
  return processes.reduce((sum, id) => {
    // The name before may have spaces.
    const fields = readFileSync(`/proc/${id}/stat`, 'latin1')
      .replace(/^.*\) /, '')
      .split(' ')
    return sum + Number(fields[11]) + Number(fields[12])
  }, 0)
}

function memoryOf(id: number): { readonly now: number; readonly peak: number } {
  const status = readFileSync(`/proc/${id}/status`, 'latin1')
  const of = (name: string) => 1024 * Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1] ?? 0)
  return { now: of('VmRSS'), peak: of('VmHWM') }
}

/** The results as a table. */
export function agentTable(results: readonly AgentResult[]): string {
  const titles = ['agent with', 'data path', 'ready', 'peak', 'settled', 'its path', 'for each', 'idle']
  const [empty] = results
  return layOut(
    [
      titles,
      ...results.map(({ size, dataPath, ready, peak, settled, pathSettled, idle }) => [
        size === 0 ? 'nothing' : `${size} rules and SAs`,
        dataPath,
        `${ready.toFixed(0)} ms`,
        megabytes(peak),
        megabytes(settled),
        pathSettled === undefined ? '–' : megabytes(pathSettled),
        size === 0
          ? '–'
          : `${((settled + (pathSettled ?? 0) - (empty?.settled ?? 0)) / (2 * size) / 1024).toFixed(1)} KB`,
        `${(100 * idle).toFixed(2)} %`,
      ]),
    ],
    new Set([2, 3, 4, 5, 6, 7]),
  )
}

function megabytes(bytes: number): string {
  return `${(bytes / 1024 ** 2).toFixed(0)} MB`
}
