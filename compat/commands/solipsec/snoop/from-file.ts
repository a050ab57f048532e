/**
 * Packets of a capture file, or of a stream that looks like one.
 *
 * @module
 */
import { closeSync, constants, openSync } from 'node:fs'
import { CaptureReader } from '../../../../agent/capture/read-capture.ts'
import { CommandError } from '../../support/exit.ts'
import type { Io } from '../../support/io.ts'
import { ProgressBar } from '../../support/progress.ts'
import { systemReason } from '../../support/system-text.ts'
import type { Request } from './arguments.ts'
import { totalsText } from './totals.ts'
import type { Viewer } from './viewer.ts'

const STDIN = 0

/**
 * Shows the packets of a file.
 *
 * @param file `-` for standard input
 * @throws CommandError where the file cannot be read to its end, after what could be read was shown
 */
export async function viewFile(file: string, viewer: Viewer, request: Request, io: Io): Promise<void> {
  if (file === '-' && io.stdin.isTTY) throw new CommandError('standard input is a terminal, and no capture')
  const fd = file === '-' ? STDIN : openSync(file, constants.O_RDONLY)
  try {
    const reader = new CaptureReader(fd)
    const bar = io.stderr.isTTY && !request.isTextWanted ? new ProgressBar(io.stderr, reader.size) : undefined
    try {
      await viewAll(reader, viewer, bar, io)
    } finally {
      bar?.clear()
      viewer.flush()
    }
    for (const [linkType, count] of reader.leftOut) {
      io.stderr.write(`NOTE: ${count} packets were left out: their link type ${linkType} is not known\n`)
    }
    const { seen, shown, verdicts } = viewer
    if (!request.isTextWanted) io.stderr.write(totalsText({ seen, shown, verdicts, ...outputOf(request) }))
    if (io.interrupted.aborted) throw new CommandError('interrupted')
    const { damage } = reader
    const name = file === '-' ? 'standard input' : file
    if (damage) throw new CommandError(`${name}: at offset ${damage.offset}: ${damage.reason}`)
  } finally {
    if (fd !== STDIN) closeSync(fd)
  }
}

function outputOf({ output }: Request): { output?: string } {
  return output === undefined ? {} : { output }
}

async function viewAll(
  reader: CaptureReader,
  viewer: Viewer,
  bar: ProgressBar | undefined,
  { interrupted }: Io,
): Promise<void> {
  do {
    for (let frame = reader.next(); frame; frame = reader.next()) if (!viewer.view(frame)) return
    bar?.show(reader.offset)
  } while (!interrupted.aborted && (await fill(reader)))
}

/** The system does not say which file it could not read. */
async function fill(reader: CaptureReader): Promise<boolean> {
  try {
    return await reader.fill()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === undefined) throw error
    throw new CommandError(`cannot read the capture: ${systemReason(error as NodeJS.ErrnoException)}`)
  }
}
