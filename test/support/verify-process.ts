/**
 * `solipsec verify` as a process, for tests of what it finds.
 *
 * @module
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Category } from '../../agent/verify/verdict.ts'
import type { Teardown } from './namespaces.ts'
import { until } from './snoop-process.ts'
import { root } from './tiers.ts'

export interface ReportedFinding {
  readonly category: Category
  readonly way: 'in' | 'out'
  readonly isPassing: boolean
  readonly source: string
  readonly destination: string
  readonly protocol: number
  readonly destinationPort: number
  readonly seen: string
  readonly asked?: string
  readonly rule?: { readonly text: string }
  readonly count: number
}

export interface Verified {
  readonly code: unknown
  readonly err: string
  /** Packets by category, without those that there were none of. */
  readonly packets: Readonly<Partial<Record<Category, number>>>
  readonly notLookedAt: number
  readonly findings: readonly ReportedFinding[]
  /** Those that were told before the end. */
  readonly told: readonly ReportedFinding[]
}

/** Ticks of `/proc/PID/stat` in a second, on every Linux that Node runs on. */
const TICKS = 100

export class VerifyProcess {
  out = ''
  err = ''
  readonly #child
  readonly #exit: Promise<unknown[]>

  private constructor(t: Teardown, namespace: string, argv: readonly string[], uid?: number) {
    const where = ['verify', '--netns', namespace, '--datapath', 'auto']
    this.#child = spawn(join(root, 'bin', 'solipsec'), [...where, ...argv], {
      stdio: ['ignore', 'pipe', 'pipe'],
      ...(uid !== undefined && { uid, gid: uid }),
    })
    this.#child.stdout.setEncoding('utf8').on('data', (text: string) => {
      this.out += text
    })
    this.#child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.err += text
    })
    this.#exit = once(this.#child, 'close')
    t.teardown(() => {
      this.#child.kill('SIGKILL')
    })
  }

  /** Packets from now on are seen, until {@link stop}. */
  static async start(t: Teardown, namespace: string, ...argv: string[]): Promise<VerifyProcess> {
    const time = argv.includes('--continuous') ? [] : ['-t', '3600']
    const verify = new VerifyProcess(t, namespace, ['--json', ...time, ...argv])
    await verify.until(() => verify.out.includes('\n'))
    return verify
  }

  /** Runs it to its end. @returns exit code and what it said */
  static async run(
    t: Teardown,
    namespace: string,
    argv: readonly string[],
    uid?: number,
  ): Promise<{ code: unknown; out: string; err: string }> {
    const verify = new VerifyProcess(t, namespace, argv, uid)
    const [code] = await verify.#exit
    return { code, out: verify.out, err: verify.err }
  }

  async until(isTrue: () => boolean): Promise<void> {
    await until(async () => {
      if (this.#child.exitCode !== null) throw new Error(`it ended: ${this.out}${this.err}`)
      return isTrue()
    })
  }

  /** Processor time that it has used, in seconds. */
  get processorTime(): number {
    const text = readFileSync(`/proc/${this.#child.pid}/stat`, 'latin1')
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
    return (Number(fields[11]) + Number(fields[12])) / TICKS
  }

  /** Ends it as Ctrl-C does: what has come so far is in the report. */
  async stop(signal: NodeJS.Signals = 'SIGINT'): Promise<Verified> {
    this.#child.kill(signal)
    const [code] = await this.#exit
    const lines = this.out.trimEnd().split('\n')
    const documents = lines.map((line) => JSON.parse(line))
    const summary = documents.at(-1)
    if (summary?.event !== 'summary') throw new Error(`it ended without a report: ${this.out}${this.err}`)
    const counts = Object.entries<number>(summary.packets).filter(([, count]) => count > 0)
    return {
      code,
      err: this.err,
      packets: Object.fromEntries(counts),
      notLookedAt: summary.notLookedAt,
      findings: summary.findings,
      told: documents.filter(({ event }) => event === 'finding'),
    }
  }
}
