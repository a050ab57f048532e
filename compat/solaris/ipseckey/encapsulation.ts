/**
 * NAT-traversal extensions to the model's UDP encapsulation (RFC 3948).
 *
 * @module
 */
import type { SaProtocol, UdpEncapsulation } from '../../../agent/model/association.ts'
import type { Endpoints } from './endpoints.ts'
import type { EntryReader } from './entry.ts'
import type { Fields } from './extensions.ts'
import { pfkeyDiagnostic } from './pfkey-diagnostics.ts'
import { NAT_T_PORT } from './words.ts'

/** The encapsulation that an entry asks for; reports what is missing or does not fit. */
export function encapsulationOf(
  reader: EntryReader,
  protocol: SaProtocol,
  fields: Fields,
  endpoints: readonly Endpoints[],
): UdpEncapsulation | undefined {
  const { encapsulation, natLocal, natRemote, natLocalPort, natRemotePort } = fields
  if (!encapsulation) {
    const address = natLocal ?? natRemote
    const port = natLocalPort ?? natRemotePort
    if (address) reader.error("Must specify 'encap udp' with any NAT-T address.", address.token)
    else if (port) reader.error("Must specify 'encap udp' with any NAT-T port.", port.token)
    return undefined
  }
  if (protocol === 'ah') {
    const hint = 'NAT changes the addresses that AH authenticates; only ESP travels in UDP.'
    reader.error("Cannot specify 'encap udp' with SA type ah.", encapsulation.token, undefined, hint)
  }
  if (!natLocal && !natRemote) {
    const message = 'Must specify NAT-T remote or local address for UDP encapsulation.'
    reader.error(message, encapsulation.token, 'nat_loc or nat_rem')
  }
  for (const given of [natLocal, natRemote]) {
    if (given && endpoints.some((pair) => pair.destination.family !== given.value.family)) {
      reader.error(pfkeyDiagnostic(68), given.token, 'an address of the same family as the destination')
    }
  }
  return {
    ...(natLocal && { local: natLocal.value }),
    ...(natRemote && { remote: natRemote.value }),
    localPort: natLocalPort?.value ?? NAT_T_PORT,
    remotePort: natRemotePort?.value ?? NAT_T_PORT,
  }
}
