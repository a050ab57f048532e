/**
 * `solipsec convert`: files of Solaris to one JSON document, and its sections back. Nothing is looked up and nothing is
 * lost; what the other side cannot say is refused. To the languages of other tools there is only the way there.
 *
 * @module
 */
import { hasErrors } from '../../../agent/model/diagnostic.ts'
import { type Converted, type SolarisFile, toJson, toSolaris } from '../../configuration/convert.ts'
import { replaceFile } from '../support/atomic-file.ts'
import { CommandError } from '../support/exit.ts'
import type { Io } from '../support/io.ts'
import { PACKAGE_ROOT } from '../support/package-root.ts'
import { report } from '../support/report.ts'
import { writeKeys } from '../support/secret-file.ts'
import { interpret, optionTable, type Request } from './convert/arguments.ts'
import { type InputFile, readInput } from './input.ts'
import { subcommand } from './subcommand.ts'

export const run = subcommand({ name: 'solipsec convert', options: optionTable, interpret, carryOut })

const SCHEMA = new URL('schemas/configuration.schema.json', PACKAGE_ROOT).href
const READABLE = 0o644

async function carryOut(request: Request, io: Io): Promise<void> {
  const inputs: InputFile[] = []
  for (const path of request.files) inputs.push(await readInput(path, request.kind, io))
  const { foreign } = request
  if (foreign) {
    const { convertForeign } = await import('./convert/foreign.ts')
    const { text, mayHoldKeys } = await convertForeign(inputs, foreign, request.isPartial, io)
    write(text, mayHoldKeys || inputs.some(({ kind }) => kind === 'ipseckeys'), request, io)
    return
  }
  const { text, diagnostics } = convert(inputs, request)
  await report(diagnostics, io)
  if (text === undefined || hasErrors(diagnostics)) throw new CommandError('nothing was written')
  write(text, mayHoldKeys(inputs, request), request, io)
}

function write(text: string, isSecret: boolean, { output }: Request, io: Io): void {
  if (output === undefined) io.stdout.write(text)
  else if (isSecret) writeKeys(output, text)
  else replaceFile(output, text, READABLE)
}

function convert(inputs: readonly InputFile[], { to, isPartial }: Request): Converted {
  const documents = inputs.filter(({ kind }) => kind === 'json')
  const [document] = documents
  if (!document) {
    if (to !== undefined && to !== 'json') {
      throw new CommandError(`only a JSON document can become ${to}; files of Solaris become JSON`)
    }
    return toJson(solarisFiles(inputs), SCHEMA)
  }
  if (inputs.length > 1) throw new CommandError('a JSON document is converted by itself, without other files')
  if (to === undefined) {
    throw new CommandError('which file of Solaris? Say --to ipsecinit.conf, --to ipseckeys or --to ipsecalgs')
  }
  if (to === 'json') throw new CommandError(`${document.name} is a JSON document already`)
  return toSolaris(document.text, document.name, to, isPartial)
}

function solarisFiles(inputs: readonly InputFile[]): SolarisFile[] {
  const tables = inputs.filter(({ kind }) => kind === 'ipsecalgs')
  if (tables.length > 1) throw new CommandError('there can be only one table of algorithms')
  return inputs.flatMap(({ kind, text, name }) => (kind === 'json' ? [] : [{ kind, text, file: name }]))
}

/** Keys, also those in comments. */
function mayHoldKeys(inputs: readonly InputFile[], { to }: Request): boolean {
  return to === 'ipseckeys' || inputs.some(({ kind }) => kind === 'ipseckeys')
}
