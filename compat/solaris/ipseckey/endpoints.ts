/**
 * Source and destination names to address pairs: one SA for each destination address, each with the one source
 * that fits it.
 *
 * @module
 */
import { type Address, type Family, isUnspecified, unspecified } from '../../../agent/model/address.ts'
import type { EntryReader } from './entry.ts'
import type { Fields } from './extensions.ts'
import { pfkeyDiagnostic } from './pfkey-diagnostics.ts'
import type { Given, NamedAddresses } from './values.ts'

export interface Endpoints {
  /** Unspecified where the entry gives no source. */
  readonly source: Address
  readonly destination: Address
}

/**
 * The address pairs that an entry is about. A destination that no source fits is left out with a warning; where
 * several sources fit, the entry is refused, because an SA without its source would serve more traffic than meant.
 */
export function endpointsOf(reader: EntryReader, fields: Fields): Endpoints[] {
  const { source, destination } = fields
  if (!destination) return []
  const all = destination.value.addresses
  const usable = all.filter((address) => checkDestination(reader, destination, address))
  if (!source) {
    return usable.map((address) => ({ source: unspecified(address.family), destination: address }))
  }
  const endpoints: Endpoints[] = []
  for (const address of usable) {
    const chosen = chooseSource(reader, source, destination, address)
    if (chosen) endpoints.push({ source: chosen, destination: address })
  }
  if (endpoints.length === 0 && !reader.failed) {
    const hint = 'Source and destination need addresses of the same family.'
    reader.error('No match for destination IP address.', destination.token, undefined, hint)
  }
  return endpoints
}

function checkDestination(reader: EntryReader, given: Given<NamedAddresses>, address: Address): boolean {
  if (!isUnspecified(address)) return true
  reader.error(pfkeyDiagnostic(13), given.token, 'the address of a host, or a multicast group')
  return false
}

function chooseSource(
  reader: EntryReader,
  source: Given<NamedAddresses>,
  destination: Given<NamedAddresses>,
  address: Address,
): Address | undefined {
  const family = familyName(address.family)
  const { addresses, isName } = source.value
  const candidates = addresses.filter(
    (from) => from.family === address.family && (!isName || scope(from) === scope(address)),
  )
  const [chosen, ...others] = candidates
  if (chosen && others.length === 0) {
    if (!isMulticast(chosen)) return chosen
    reader.error(pfkeyDiagnostic(12), source.token, 'the address of a host')
  } else if (chosen) {
    const message = `Multiple ${family} source addresses for ${reader.quote(source.token)}.`
    reader.error(message, source.token, 'a single source address', 'Write the source address that is meant.')
  } else if (destination.value.addresses.length > 1) {
    const message = `No ${family} source address for name ${reader.quote(source.token)}.`
    reader.warn(message, source.token, `The ${family} address of the destination is left out.`)
  }
  return undefined
}

function familyName(family: Family): string {
  return family === 'inet' ? 'IPv4' : 'IPv6'
}

function isMulticast({ family, bytes }: Address): boolean {
  return family === 'inet' ? (bytes[0] ?? 0) >> 4 === 14 : bytes[0] === 0xff
}

/** RFC 4007: how far an IPv6 address reaches. IPv4 addresses all reach equally far. */
function scope({ family, bytes }: Address): 'link' | 'site' | 'global' {
  if (family === 'inet') return 'global'
  const [first = 0, second = 0] = bytes
  if (first === 0xff) return MULTICAST_SCOPES[second & 0x0f] ?? 'global'
  if (first === 0xfe && second >= 0xc0) return 'site'
  return first === 0xfe && second >= 0x80 ? 'link' : 'global'
}

const MULTICAST_SCOPES: readonly ('link' | 'site' | 'global' | undefined)[] = [
  undefined,
  'link',
  'link',
  undefined,
  undefined,
  'site',
]
