/**
 * A file as the configuration that is to be loaded: read, checked, and refused as a whole where part of it cannot be put
 * into force.
 *
 * @module
 */
import type { DataPathChoice } from '../../../../agent/datapath/data-path.ts'
import type { SaProtocol, SecurityAssociation } from '../../../../agent/model/association.ts'
import { counted } from '../../../../agent/model/counted.ts'
import type { Diagnostic } from '../../../../agent/model/diagnostic.ts'
import type { Resolver } from '../../../../agent/model/resolver.ts'
import {
  type CheckedConfiguration,
  type ReadConfiguration,
  readConfiguration,
} from '../../../configuration/index.ts'
import type { FileKind } from '../../../configuration/kind.ts'
import { refuseUnsupported } from '../../ipseckey/refusals.ts'
import { readDataPath } from '../../support/data-path-option.ts'
import { CommandError } from '../../support/exit.ts'
import type { Io } from '../../support/io.ts'
import { report } from '../../support/report.ts'
import { environmentFor } from '../environment.ts'
import { configurationFiles, type InputFile, readInput } from '../input.ts'

export interface ConfigurationRequest {
  readonly file: string
  /** Absent: told from the contents. */
  readonly kind?: FileKind
  /** Goes before what the document says. */
  readonly dataPath?: DataPathChoice
  /** Only a regular file will do: see {@link readInput}. */
  readonly isLasting?: boolean
}

export interface LoadableConfiguration {
  /** As messages call the file. */
  readonly name: string
  readonly configuration: CheckedConfiguration
  readonly dataPath: DataPathChoice
  /** What was said of it, on standard error as well. */
  readonly diagnostics: readonly Diagnostic[]
  /** The file and those it refers to that others than root may change. */
  readonly changeable: ReadonlySet<string>
  /** Protocols of SAs that it is going to need beside those of its rules and SAs: more of it is to come. */
  readonly protocols?: readonly SaProtocol[]
}

/** A file as it was read, whatever is wrong with it. */
export type ReadFile = Omit<LoadableConfiguration, 'configuration' | 'protocols'> &
  Pick<ReadConfiguration, 'configuration'>

/** A file has errors. They were told on standard error, and are here for who has to tell somebody else. */
export class FileErrors extends CommandError {
  readonly diagnostics: readonly Diagnostic[]

  constructor(diagnostics: readonly Diagnostic[]) {
    super(`${counted(diagnostics.length, 'error')}; nothing was changed`)
    this.name = 'FileErrors'
    this.diagnostics = diagnostics
  }
}

/**
 * Reads and checks, and says what there is to say on standard error.
 *
 * @throws CommandError where the file has an error, or asks for what cannot be put into force
 */
export async function loadConfiguration(
  request: ConfigurationRequest,
  io: Io,
): Promise<LoadableConfiguration> {
  const loaded = await checkedConfiguration(request, io)
  requireSupport(loaded)
  return loaded
}

/** @throws CommandError where an SA asks for what cannot be put into force */
export function requireSupport({ configuration }: Pick<LoadableConfiguration, 'configuration'>): void {
  const { associations = [], algorithms } = configuration
  for (const association of associations) refuseUnsupported(association, algorithms)
}

/**
 * The same for who only wants to know what it says: nothing is refused that this host could not put into force.
 *
 * @param told what there is to be said of the file
 * @throws CommandError where the file has an error
 */
export async function checkedConfiguration(
  request: ConfigurationRequest,
  io: Io,
  told: readonly Diagnostic['severity'][] = ['error', 'warning'],
): Promise<LoadableConfiguration> {
  const read = await configurationReader(request, io)
  const { configuration, diagnostics, ...more } = read()
  const shown = diagnostics.filter(({ severity }) => told.includes(severity))
  await report(shown, io)
  const errors = diagnostics.filter(({ severity }) => severity === 'error')
  if (errors.length > 0 || !configuration) throw new FileErrors(errors)
  return { ...more, configuration, diagnostics: shown }
}

/**
 * Opens a file, to read it as often as somebody wants to, with what names mean at that time.
 *
 * @returns a function that takes what is other than in the system's databases
 * @throws CommandError where it cannot be read, or is of another kind
 */
export async function configurationReader(
  { file, kind, dataPath, isLasting }: ConfigurationRequest,
  io: Io,
): Promise<(names?: Partial<Resolver>) => ReadFile> {
  const input = await readInput(file, kind, io, isLasting)
  if (input.kind === 'ipsecalgs') {
    throw new CommandError(
      `${input.name}: a table of algorithms gives names a meaning; there is nothing in it to load.\n` +
        'help: put it into /etc/inet/ipsecalgs, or into the section `algorithms` of a document',
    )
  }
  const { algorithms, resolver, ...available } = await environmentFor(input, io)
  const { text, files } = documentOf(input, io.env)
  const environment = { algorithms, ...(dataPath !== 'software' && available), files }
  return (names) => {
    const of = { ...environment, resolver: { ...resolver, ...names } }
    const { configuration, diagnostics } = readConfiguration(text, input.name, of)
    const choice = dataPath ?? configuration?.dataPath ?? readDataPath(undefined) ?? 'auto'
    const { name, changeable } = input
    return { name, dataPath: choice, diagnostics, changeable, ...(configuration && { configuration }) }
  }
}

/** A file of Solaris is a document with one section. */
function documentOf(input: InputFile, env: Io['env']) {
  const { kind, text, name, isExposed } = input
  const files = configurationFiles(input, env, true)
  if (kind === 'json') return { text, files }
  const section = kind === 'ipseckeys' ? 'associations' : 'policies'
  const only = { ...files, read: () => ({ text, name, isExposed }) }
  return { text: JSON.stringify({ [section]: { file: name } }), files: only }
}

/** The kernel has them now, or never will: this process needs them no more. */
export function wipeKeys(associations: readonly SecurityAssociation[]): void {
  for (const { authKey, encrKey } of associations) {
    authKey?.wipe()
    encrKey?.wipe()
  }
}
