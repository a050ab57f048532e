/**
 * `solipsec status`: what is loaded, what it has carried, and what was lost.
 *
 * @module
 */
import { collectStatus } from '../../../agent/status/collect.ts'
import { metricsText } from '../../../agent/status/metrics.ts'
import type { StatusReport } from '../../../agent/status/report.ts'
import { displayTable } from '../support/algorithms.ts'
import type { Io } from '../support/io.ts'
import { packageVersion } from '../support/start.ts'
import { terminalOf } from '../support/terminal.ts'
import { interpret, optionTable, type Request } from './status/arguments.ts'
import { statusText } from './status/text-report.ts'
import { watch } from './status/watch.ts'
import { subcommand } from './subcommand.ts'

export const run = subcommand({
  name: 'solipsec status',
  options: optionTable,
  interpret,
  carryOut,
  shows: ({ watch: seconds, pictures }: Request) => seconds === undefined && pictures.length === 0,
})

async function carryOut(request: Request, io: Io): Promise<void> {
  if (request.pictures.length > 0) {
    const { draw } = await import('./picture.ts')
    await draw(request.pictures, request.netns, io)
    return
  }
  const algorithms = displayTable()
  const { withForeign, watch: seconds } = request
  const collect = () => collectStatus(algorithms, { withForeign })
  if (seconds === undefined) {
    io.stdout.write(printed(collect(), request, io))
    return
  }
  await watch({ seconds, collect, print: (report, before) => printed(report, request, io, before) }, io)
}

function printed(report: StatusReport, request: Request, io: Io, before?: StatusReport): string {
  const { form, most, seriesLimit } = request
  const isWatching = request.watch !== undefined
  switch (form) {
    case 'json':
      return `${isWatching ? JSON.stringify(report) : JSON.stringify(report, undefined, 2)}\n`
    case 'metrics':
      return metricsText(report, { version: packageVersion(), seriesLimit })
    case 'text': {
      const { columns, rows, hasColour } = terminalOf(io)
      const isScreen = isWatching && io.stdout.isTTY
      const height = isScreen ? rows - 1 : Number.POSITIVE_INFINITY
      const text = statusText(report, { width: columns, height, hasColour, most, ...(before && { before }) })
      return isScreen || !isWatching ? text : `${text}\n`
    }
  }
}
