/**
 * `solipsec kstat`: IPsec's counters under the names of Solaris, as kstat(8) shows them.
 *
 * @module
 */
import { setTimeout as delay } from 'node:timers/promises'
import { type AlgorithmTable, PROTOCOL_AH, PROTOCOL_ESP } from '../../../agent/model/algorithm.ts'
import { collectStatus } from '../../../agent/status/collect.ts'
import { type AlgorithmCounts, type Kstat, kstatsOf } from '../../../agent/status/kstat.ts'
import { loadSynchronisedTable } from '../../solaris/ipsecalgs/load.ts'
import { validOnly } from '../../solaris/ipsecalgs/synchronised.ts'
import { displayTable } from '../support/algorithms.ts'
import type { Io } from '../support/io.ts'
import { interpret, optionTable, type Request } from './kstat/arguments.ts'
import { formatSelected } from './kstat/format.ts'
import { select } from './kstat/selection.ts'
import { subcommand } from './subcommand.ts'

/** As kstat(8): nothing matched, something went wrong. */
const NO_MATCH = 1
const FAILED = 2

export const run = subcommand({
  name: 'solipsec kstat',
  options: optionTable,
  interpret,
  carryOut,
  failure: FAILED,
  shows: ({ count }: Request) => count === 1,
})

async function carryOut(request: Request, io: Io): Promise<number> {
  const { interval, count, isQuiet } = request
  let hasMatched = false
  for (let round = 1; round <= count; round++) {
    const { text, isMatch } = readRound(request)
    hasMatched ||= isMatch
    if (!isQuiet) io.stdout.write(text)
    if (round === count) break
    io.stdout.write('\n')
    io.stdout.flush()
    await delay(interval * 1000, undefined, { signal: io.interrupted }).catch(() => {})
    if (io.interrupted.aborted || io.stdout.isClosed) break
  }
  return hasMatched ? 0 : NO_MATCH
}

function readRound({ selection, form, stamp }: Request): { text: string; isMatch: boolean } {
  const report = collectStatus(displayTable(), { withForeign: true })
  // Seconds since the system was started, as on Solaris.
  const snaptime = Number(process.hrtime.bigint()) / 1e9
  const isByLine = form === 'parseable' || form === 'colons' || form === 'list'
  const extra = (kstat: Kstat) => [
    ...(isByLine ? [['class', kstat.class] as const] : []),
    ['snaptime', snaptime] as const,
  ]
  const selected = select(kstatsOf(report, algorithmCounts()), selection, extra)
  return { text: stampText(stamp) + formatSelected(selected, form, snaptime), isMatch: selected.length > 0 }
}

/** What `ipsecalgs -s` found; absent where it was never asked. */
function algorithmCounts(): AlgorithmCounts | undefined {
  const table = loadSynchronisedTable()
  return table && countsOf(validOnly(table))
}

function countsOf({ algorithms }: AlgorithmTable): AlgorithmCounts {
  const count = (wanted: number) => algorithms.filter(({ protocol }) => protocol === wanted).length
  return { authentication: count(PROTOCOL_AH), encryption: count(PROTOCOL_ESP) }
}

function stampText(stamp: Request['stamp']): string {
  if (!stamp) return ''
  const now = new Date()
  return stamp === 'seconds' ? `${Math.floor(now.getTime() / 1000)}\n` : `${now.toString()}\n`
}
