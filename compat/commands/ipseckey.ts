/**
 * `ipseckey(8)`: adds, shows and removes security associations by hand.
 *
 * @module
 */
import { interpret, optionTable, type Request } from './ipseckey/arguments.ts'
import { CommandError } from './support/exit.ts'
import type { Io } from './support/io.ts'
import { runner } from './support/run.ts'

export const run = runner({ name: 'ipseckey', options: optionTable, interpret, carryOut, shows })

/** Keys are for root alone. */
function shows({ source, paranoid, json }: Request): boolean {
  const [word = ''] = source.kind === 'operands' ? source.words : []
  return (paranoid || json) && (word === 'dump' || word === 'get')
}

async function carryOut(request: Request, io: Io): Promise<void> {
  const { source } = request
  if (source.kind !== 'check' && process.geteuid?.() !== 0) {
    throw new CommandError('Insufficient privileges to run ipseckey.', 'permission')
  }
  switch (source.kind) {
    case 'check': {
      const { checkKeyFile } = await import('./ipseckey/load.ts')
      return checkKeyFile(source.file, request, io)
    }
    case 'file': {
      const { loadKeyFile } = await import('./ipseckey/load.ts')
      return loadKeyFile(source.file, request, io)
    }
    case 'operands': {
      const { runOperands } = await import('./ipseckey/load.ts')
      return runOperands(source.words, request, io)
    }
    case 'interactive': {
      const { interact } = await import('./ipseckey/interactive.ts')
      return interact(request, io)
    }
  }
}
