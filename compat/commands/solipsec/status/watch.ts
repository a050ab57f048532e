/**
 * `--watch`: reports again and again, until interrupted or until nobody reads them any more.
 *
 * @module
 */
import { setTimeout as delay } from 'node:timers/promises'
import type { StatusReport } from '../../../../agent/status/report.ts'
import { NetlinkError } from '../../../../netlink/socket/error.ts'
import type { Io } from '../../support/io.ts'

/** The other screen of the terminal, without cursor; and back. */
const ENTER = '\x1b[?1049h\x1b[?25l'
const LEAVE = '\x1b[?25h\x1b[?1049l'
/** Home, and away with what is there. */
const CLEAR = '\x1b[H\x1b[2J'

export interface Watching {
  readonly seconds: number
  collect(): StatusReport
  /** @param before the report before, where there is one */
  print(report: StatusReport, before: StatusReport | undefined): string
}

export async function watch({ seconds, collect, print }: Watching, io: Io): Promise<void> {
  const { stdout, interrupted } = io
  const isScreen = stdout.isTTY
  if (isScreen) stdout.write(ENTER)
  try {
    let before: StatusReport | undefined
    while (!interrupted.aborted && !stdout.isClosed) {
      const report = collectUnlessBusy(collect)
      if (report) {
        stdout.write((isScreen ? CLEAR : '') + print(report, before))
        stdout.flush()
        before = report
      }
      await delay(seconds * 1000, undefined, { signal: interrupted }).catch(() => {})
    }
  } finally {
    if (isScreen) stdout.write(LEAVE)
  }
}

/** Tables that change all the time cannot be read as a whole: the next time, perhaps. */
function collectUnlessBusy(collect: () => StatusReport): StatusReport | undefined {
  try {
    return collect()
  } catch (error) {
    if (error instanceof NetlinkError && error.code === 'ERR_NETLINK_INCONSISTENT_DUMP') return undefined
    throw error
  }
}
