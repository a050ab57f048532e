/**
 * `--datapath`, and what is said about who carries the packets.
 *
 * @module
 */
import type { DataPath, DataPathChoice } from '../../../agent/datapath/data-path.ts'
import type { Io } from './io.ts'

export const DATA_PATH_CHOICES: readonly DataPathChoice[] = ['auto', 'kernel', 'software']

export const DATA_PATH_USAGE = "Invalid data path: expected 'auto', 'kernel' or 'software'."

/** The option's value; that of the environment variable SOLIPSEC_DATAPATH where it was not given. */
export function readDataPath(text: string | undefined): DataPathChoice | undefined {
  return DATA_PATH_CHOICES.find((choice) => choice === (text ?? (process.env.SOLIPSEC_DATAPATH || 'auto')))
}

/** Says, once, that the kernel does not carry the packets; and that who does had ended. */
export function announceDataPath(path: Omit<DataPath, 'connection'>, io: Io): void {
  if (path.isRestarted) {
    io.stderr.write(
      'NOTE: the program of the software data path had ended. It was started again; until then, what it protects was\n' +
        'refused.\n',
    )
  }
  if (path.kind !== 'software' || !path.isNew) return
  const protocols = path.lacking.map((protocol) => protocol.toUpperCase())
  const why = protocols.length === 0 ? '' : `: this kernel has no ${protocols.join(' and no ')}`
  io.stderr.write(`NOTE: packets are carried by the software data path${why}.\n`)
}
