/**
 * SAs that are there twice: the kernel would take only the first.
 *
 * @module
 */
import { formatAddress } from '../../agent/model/address.ts'
import type { SaIdentifier } from '../../agent/model/association.ts'
import type { KeyEntry } from '../solaris/ipseckey/command.ts'

/** The entries that add an SA which an earlier one has added, and no one between them has taken away. */
export function duplicateEntries(entries: readonly KeyEntry[]): { entry: KeyEntry; earlier: KeyEntry }[] {
  const known = new Map<string, KeyEntry>()
  const found: { entry: KeyEntry; earlier: KeyEntry }[] = []
  for (const entry of entries) {
    for (const command of entry.commands) {
      if (command.kind === 'flush') known.clear()
      else if (command.kind === 'delete') known.delete(keyOf(command.target))
      else if (command.kind === 'delete-pair') known.clear()
      else if (command.kind === 'add') {
        const key = keyOf(command.association)
        const earlier = known.get(key)
        if (earlier && earlier !== entry) found.push({ entry, earlier })
        else known.set(key, entry)
      }
    }
  }
  return found
}

function keyOf({ protocol, spi, destination }: SaIdentifier): string {
  return `${protocol} ${spi} ${formatAddress(destination)}`
}
