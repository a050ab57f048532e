/**
 * `solipsec verify` as a process, for tests of what it finds.
 *
 * @module
 */
import type { Category } from '../../agent/verify/verdict.ts'
import type { Teardown } from './namespaces.ts'
import { SolipsecProcess } from './solipsec-process.ts'

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

/** The last line of its output. */
interface Summary extends Pick<Verified, 'packets' | 'notLookedAt' | 'findings'> {
  readonly event: 'summary'
}

type Line = { readonly event: 'begin' } | (ReportedFinding & { readonly event: 'finding' }) | Summary

export class VerifyProcess extends SolipsecProcess {
  private constructor(t: Teardown, namespace: string, argv: readonly string[], uid?: number) {
    super(t, namespace, ['verify', '--datapath', 'auto', ...argv], uid)
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
    const code = await verify.ended()
    return { code, out: verify.out, err: verify.err }
  }

  /** Ends it as Ctrl-C does: what has come so far is in the report. */
  override async stop(signal?: NodeJS.Signals): Promise<Verified> {
    const code = await super.stop(signal)
    const documents = this.documents<Line>()
    const summary = documents.at(-1)
    if (summary?.event !== 'summary') throw new Error(`it ended without a report: ${this.out}${this.err}`)
    const counts = Object.entries(summary.packets).filter(([, count]) => count > 0)
    return {
      code,
      err: this.err,
      packets: Object.fromEntries(counts),
      notLookedAt: summary.notLookedAt,
      findings: summary.findings,
      told: documents.filter((line) => line.event === 'finding'),
    }
  }
}
