/**
 * The command line of `solipsec picture`.
 *
 * @module
 */
import type { DataPathChoice } from '../../../../agent/datapath/data-path.ts'
import type { PictureFormat } from '../../../../agent/picture/write-picture.ts'
import { type FileKind, fileKind } from '../../../configuration/kind.ts'
import { DATA_PATH_USAGE, readDataPath } from '../../support/data-path-option.ts'
import type { ParsedOption } from '../../support/getopt.ts'
import { kindUsage } from '../check/arguments.ts'

export const optionTable = {
  short: '',
  long: {
    svg: 'value',
    html: 'value',
    title: 'value',
    file: 'value',
    kind: 'value',
    netns: 'value',
    datapath: 'value',
  },
} as const

export interface PictureOutput {
  readonly format: PictureFormat
  readonly path: string
}

export interface Request {
  /** What is written where; `-` is standard output. */
  readonly outputs: readonly PictureOutput[]
  readonly title?: string
  /** Of a configuration that is not loaded; none: what is loaded. */
  readonly files: readonly string[]
  readonly kind?: FileKind
  readonly netns?: string
  readonly dataPath: DataPathChoice
  readonly hasDataPath: boolean
}

export function interpret(
  options: readonly ParsedOption[],
  operands: readonly string[],
): { readonly request: Request } | { readonly usage: string } {
  if (operands.length > 0) return { usage: `unexpected: ${operands.join(' ')}; files are named by --file` }
  const all = (wanted: string) =>
    options.flatMap(({ name, value }) => (name === wanted && value !== undefined ? [value] : []))
  const [title, kindWord, netns, pathWord] = ['title', 'kind', 'netns', 'datapath'].map((name) =>
    all(name).at(-1),
  )
  const outputs = pictureOutputs(options)
  if (outputs.length === 0) return { usage: 'where to? --svg FILE or --html FILE' }
  const kind = kindWord === undefined ? undefined : fileKind(kindWord)
  if (kindWord !== undefined && !kind) return { usage: kindUsage('kind') }
  const files = all('file')
  if (kind && files.length === 0) return { usage: '--kind is about a file: --file FILE' }
  const dataPath = readDataPath(pathWord)
  if (!dataPath) return { usage: DATA_PATH_USAGE }
  return {
    request: {
      outputs,
      ...(title !== undefined && { title }),
      files,
      ...(kind && { kind }),
      ...(netns !== undefined && { netns }),
      dataPath,
      hasDataPath: pathWord !== undefined,
    },
  }
}

/** What `--svg` and `--html` ask for. */
export function pictureOutputs(options: readonly ParsedOption[]): PictureOutput[] {
  return (['svg', 'html'] as const).flatMap((format) =>
    options.flatMap(({ name, value }) =>
      name === format && value !== undefined ? [{ format, path: value }] : [],
    ),
  )
}
