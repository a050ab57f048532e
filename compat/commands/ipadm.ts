/**
 * `ipadm(8)`: the properties of IPsec that Solaris sets by ipadm: `show-prop`, `set-prop` and `reset-prop` of protocol
 * `ip`. It knows nothing of interfaces and addresses.
 *
 * @module
 */

import { type IpadmRequest, interpret, isVerb, optionTable, VERBS } from './ipadm/arguments.ts'
import { rowOf, tableText } from './ipadm/table.ts'
import { subcommand } from './solipsec/subcommand.ts'
import type { ParsedOption } from './support/getopt.ts'
import type { Io } from './support/io.ts'
import { changeTunables, readTunables } from './support/tunables.ts'

export async function run(argv: readonly string[], io: Io): Promise<number> {
  const [word = '', ...rest] = argv
  const verb = isVerb(word) ? word : undefined
  const command = subcommand<IpadmRequest>({
    name: 'ipadm',
    options: optionTable,
    interpret: (options: readonly ParsedOption[], operands: readonly string[]) =>
      verb ? interpret(verb, options, operands) : { usage: wayOut(operands[0]) },
    carryOut,
  })
  return command(verb ? rest : argv, io)
}

function wayOut(word: string | undefined): string {
  if (word === undefined) return `a command is missing; there are: ${VERBS.join(', ')}`
  return `'${word}' is none of ${VERBS.join(', ')}, which set what belongs to IPsec; Linux has ip(8) for the rest`
}

async function carryOut(request: IpadmRequest, io: Io): Promise<void> {
  const { verb, properties, fields, isParsable } = request
  if (verb === 'show-prop') {
    const values = readTunables()
    io.stdout.write(
      tableText(
        properties.map(({ tunable }) => rowOf(tunable, values)),
        fields,
        isParsable,
      ),
    )
    return
  }
  changeTunables(
    properties.map(({ tunable, value }) => [tunable.name, value ?? tunable.initial]),
    io,
  )
  if (verb === 'set-prop' && !request.isTemporary) {
    io.stderr.write(
      'NOTE: this holds until the host is started again; to keep it, put it into the section `tunables` of a\n' +
        'configuration that a service applies (solipsec.json(5)).\n',
    )
  }
}
