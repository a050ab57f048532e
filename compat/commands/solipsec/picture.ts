/**
 * `solipsec picture`: who talks to whom under what protection, drawn.
 *
 * @module
 */
import { hostname } from 'node:os'
import { basename } from 'node:path'
import { writePicture } from '../../../agent/picture/write-picture.ts'
import { replaceFile } from '../support/atomic-file.ts'
import type { Io } from '../support/io.ts'
import { placeOf } from './explain/situation.ts'
import { interpret, optionTable, type Request } from './picture/arguments.ts'
import { subcommand } from './subcommand.ts'

export const run = subcommand({ name: 'solipsec picture', options: optionTable, interpret, carryOut })

/** Who may see the loaded rules is for their owner to say. */
const FOR_OWNER = 0o600

async function carryOut(request: Request, io: Io): Promise<void> {
  const { outputs, files } = request
  const { situation, algorithms, name } = await placeOf({ ...request, isForwarded: false }, undefined, io)
  const about = {
    title: request.title ?? titleOf(request),
    source: name,
    time: timeText(new Date()),
    algorithms,
    isLoaded: files.length === 0,
  }
  for (const { format, path } of outputs) {
    const text = writePicture(situation, about, format)
    if (path === '-') io.stdout.write(text)
    else replaceFile(path, text, FOR_OWNER)
  }
}

/** Pictures of what is loaded: `solipsec status --svg` and `--html`. */
export function draw(outputs: Request['outputs'], netns: string | undefined, io: Io): Promise<void> {
  const place = { ...(netns !== undefined && { netns }), dataPath: 'auto', hasDataPath: false } as const
  return carryOut({ outputs, files: [], ...place }, io)
}

function titleOf({ files, netns }: Request): string {
  const [file] = files
  if (file !== undefined) return basename(file)
  return netns === undefined ? hostname() : `${hostname()}, namespace ${netns}`
}

/** Local time, and how far it is from UTC: `2026-11-21 12:40 +0100`. */
function timeText(date: Date): string {
  const two = (value: number) => String(Math.abs(value)).padStart(2, '0')
  const offset = -date.getTimezoneOffset()
  const zone = `${offset < 0 ? '-' : '+'}${two(Math.trunc(offset / 60))}${two(offset % 60)}`
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())} ${zone}`
}
