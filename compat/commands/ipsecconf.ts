/**
 * `ipsecconf(8)`: loads, lists and removes IPsec policy.
 *
 * @module
 */
import { interpret, optionTable, type Request } from './ipsecconf/arguments.ts'
import type { Io } from './support/io.ts'
import { runner } from './support/run.ts'

export const run = runner({
  name: 'ipsecconf',
  options: optionTable,
  interpret,
  carryOut,
  shows: ({ task }: Request) => task.kind === 'view' || task.kind === 'list',
})

async function carryOut(request: Request, io: Io): Promise<void> {
  const { task } = request
  switch (task.kind) {
    case 'check': {
      const { checkFile } = await import('./ipsecconf/check.ts')
      return checkFile(task.file, request, io)
    }
    case 'add':
    case 'replace':
    case 'remove': {
      const { changeByFile } = await import('./ipsecconf/load.ts')
      return changeByFile(task.kind, task.file, task.all, request, io)
    }
    case 'flush':
    case 'delete': {
      const { flushOrDelete } = await import('./ipsecconf/remove.ts')
      return flushOrDelete(task, request, io)
    }
    case 'view':
    case 'list': {
      const { list } = await import('./ipsecconf/listing.ts')
      return list(task, request, io)
    }
  }
}
