/**
 * Runs the tests: `node dist/test/run.js [unit|host|vm] [part of a file name…]`. Ends with one line of totals; exit
 * code 0 only if nothing failed. A tier that this machine cannot run counts as skipped, and with `CI=true`, where
 * every tier is expected to run, as failed.
 *
 * @module
 */
import { availableParallelism } from 'node:os'
import { type Queue, runHere, runInMachine } from './support/processes.ts'
import { type FileResult, printFile, printSkippedTier, printTotal, progress } from './support/report.ts'
import type { Summary } from './support/tap-summary.ts'
import { needsBoot, obstacle, type Tier, testFiles, tiers } from './support/tiers.ts'

type Counts = Pick<Summary, 'passed' | 'failed' | 'skipped'>

const isTier = (word: string | undefined): word is Tier => tiers.some((tier) => tier === word)

/** How many files (or machines) at a time: tests wait more than they compute, but the VM emulates a processor. */
const workers = Math.min(2, availableParallelism())

async function runTier(tier: Tier, filters: readonly string[]): Promise<Counts[]> {
  const files = testFiles(tier, filters)
  if (files.length === 0) return []
  const reason = obstacle(tier)
  if (reason !== undefined) {
    printSkippedTier(tier, files.length, reason)
    const count = process.env.CI === 'true' ? 'failed' : 'skipped'
    return [{ passed: 0, failed: 0, skipped: 0, [count]: files.length }]
  }
  const waiting = files.filter((file) => !needsBoot(file))
  const next: Queue = () => waiting.shift()
  const waitingForBoot = files.filter(needsBoot)
  const nextBoot: Queue = () => waitingForBoot.shift()
  const running = new Set<string>()
  const results: FileResult[] = []
  const show = () => progress(results.length, files.length, [...running])
  const watcher = {
    started: (file: string) => {
      running.add(file)
      show()
    },
    finished: (result: FileResult) => {
      running.delete(result.file)
      results.push(result)
      printFile(result)
      show()
    },
  }
  const run = tier === 'vm' && process.env.SOLIPSEC_VM !== 'native' ? runInMachine : runHere
  // What boots takes longest: one worker begins with it.
  await Promise.all(
    Array.from({ length: workers }, async (_, worker) => {
      if (worker === 0) await runHere(nextBoot, watcher)
      await run(next, watcher)
      await runHere(nextBoot, watcher)
    }),
  )
  return results
}

const words = process.argv.slice(2)
const [first] = words
const chosen = isTier(first) ? [first] : tiers
const filters = isTier(first) ? words.slice(1) : words
const counts: Counts[] = []
for (const tier of chosen) counts.push(...(await runTier(tier, filters)))
if (counts.length === 0) {
  console.log(`no test file matches ${filters.join(' ')}`)
  counts.push({ passed: 0, failed: 1, skipped: 0 })
}
printTotal(counts)
process.exitCode = counts.some(({ failed }) => failed > 0) ? 1 : 0
