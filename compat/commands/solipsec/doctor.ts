/**
 * `solipsec doctor`: what this host can do, what will bite, and how to mend it.
 *
 * @module
 */
import { stateDirectory } from '../../../agent/datapath/software/service/iv-epoch-file.ts'
import { diagnose, tally } from '../../../agent/doctor/diagnose.ts'
import { gatherFacts } from '../../../agent/doctor/facts.ts'
import { displayTable } from '../support/algorithms.ts'
import { CommandError } from '../support/exit.ts'
import type { Io } from '../support/io.ts'
import { packageVersion } from '../support/start.ts'
import { interpret, optionTable, type Request } from './doctor/arguments.ts'
import { reportJson } from './doctor/json-report.ts'
import { reportText } from './doctor/text-report.ts'
import { subcommand } from './subcommand.ts'

export const run = subcommand({ name: 'solipsec doctor', options: optionTable, interpret, carryOut })

/** Where Solaris keeps key files. */
const SECRET_FOLDERS = ['/etc/inet/secret']

/** @throws CommandError without words where there are problems: the report has them */
async function carryOut({ json, isVerbose }: Request, io: Io): Promise<void> {
  const findings = diagnose(
    gatherFacts({
      version: packageVersion(),
      algorithms: displayTable(),
      secretFolders: SECRET_FOLDERS,
      stateFolder: stateDirectory(),
    }),
  )
  const hasColour = io.stdout.isTTY && !io.env.NO_COLOR
  io.stdout.write(json ? reportJson(findings) : reportText(findings, { isVerbose, hasColour }))
  if (tally(findings).problem > 0) throw new CommandError('')
}
