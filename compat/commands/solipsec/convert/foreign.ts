/**
 * `solipsec convert --to` the language of another tool: names are looked up, everything is checked, and the output is for
 * the host that it is made on.
 *
 * @module
 */
import { type Diagnostic, hasErrors } from '../../../../agent/model/diagnostic.ts'
import type { TunnelInterface } from '../../../../agent/model/tunnel.ts'
import { isForwarding, readHostNetwork } from '../../../../agent/reconcile/host.ts'
import { freeMarkMask } from '../../../../agent/translate/marks.ts'
import { describedTunnel } from '../../../../agent/translate/tunnel-interfaces.ts'
import * as systemResolver from '../../../../netlink/libc/names.ts'
import { toForeign, unsaidLines } from '../../../foreign/index.ts'
import type { ForeignHost } from '../../../foreign/input.ts'
import type { ForeignKind } from '../../../foreign/kinds.ts'
import { readForeignInput } from '../../../foreign/read.ts'
import { algorithmTable } from '../../support/algorithms.ts'
import { CommandError } from '../../support/exit.ts'
import type { Io } from '../../support/io.ts'
import { report } from '../../support/report.ts'
import { configurationFiles, type InputFile } from '../input.ts'

/** @throws CommandError where something is wrong, or cannot be said and may not be left out */
export async function convertForeign(
  inputs: readonly InputFile[],
  to: ForeignKind,
  isPartial: boolean,
  io: Io,
): Promise<{ readonly text: string; readonly mayHoldKeys: boolean }> {
  const read = readForeignInput(
    inputs.map((input) => ({ ...input, files: configurationFiles(input, io.env) })),
    { algorithms: await algorithmTable(io), resolver: systemResolver },
  )
  if ('problem' in read) throw new CommandError(read.problem)
  await report(read.diagnostics, io)
  stopOnErrors(read.diagnostics)
  const { input, tunnels, unsaid: sections } = read
  const { text, unsaid, remarks } = toForeign(to, input, hostWith(tunnels), sections)
  for (const remark of remarks) io.stderr.write(`WARNING: ${remark}\n`)
  if (unsaid.length > 0) io.stderr.write(`${unsaidLines(unsaid).join('\n')}\n`)
  if (unsaid.length > 0 && !isPartial) {
    const what = unsaid.length === 1 ? 'this' : `${unsaid.length} things`
    throw new CommandError(
      `${to} cannot say ${what}; nothing was written (--partial leaves out what cannot be said)`,
    )
  }
  return { text, mayHoldKeys: input.associations.length > 0 }
}

function stopOnErrors(diagnostics: readonly Diagnostic[]): void {
  if (hasErrors(diagnostics)) throw new CommandError('nothing was written')
}

/** This host, with the tunnels that the document is about to make. */
function hostWith(described: readonly TunnelInterface[]): ForeignHost {
  const { localAddresses, tunnels: present, routedMarks } = readHostNetwork()
  const tunnels = new Map(present)
  const numbers = [...present.values()].map(({ ifindex }) => ifindex)
  let ifindex = Math.max(0, ...numbers)
  for (const one of described) {
    ifindex++
    tunnels.set(one.name, describedTunnel(one, ifindex))
  }
  return { localAddresses, tunnels, markMask: freeMarkMask(routedMarks) ?? 0, forwards: isForwarding() }
}
