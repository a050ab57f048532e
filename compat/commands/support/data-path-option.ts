/**
 * `--datapath`, and what is said about who carries the packets.
 *
 * @module
 */
import type { DataPath, DataPathChoice } from '../../../agent/datapath/data-path.ts'
import type { Io } from './io.ts'

const CHOICES: readonly DataPathChoice[] = ['auto', 'kernel', 'software']

export const DATA_PATH_USAGE = "Invalid data path: expected 'auto', 'kernel' or 'software'."

/** The option's value; that of the environment variable SOLIPSEC_DATAPATH where it was not given. */
export function readDataPath(text: string | undefined): DataPathChoice | undefined {
  return CHOICES.find((choice) => choice === (text ?? (process.env.SOLIPSEC_DATAPATH || 'auto')))
}

/** Says, once, that the kernel does not carry the packets. */
export function announceDataPath({ kind, isNew, lacking }: Omit<DataPath, 'connection'>, io: Io): void {
  if (kind !== 'software' || !isNew) return
  const why = lacking.length === 0 ? '' : `: this kernel has no ${lacking.join(' and no ').toUpperCase()}`
  io.stderr.write(
    `NOTE: packets are carried by the software data path${why.replace(' AND NO ', ' and no ')}.\n`,
  )
}
