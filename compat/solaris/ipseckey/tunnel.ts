/**
 * Transport or tunnel: what the packets of an SA look like, from ports, protocols and inner addresses.
 *
 * @module
 */
import { anyPrefix, type Family, type Prefix } from '../../../agent/model/address.ts'
import type { InnerSelector } from '../../../agent/model/association.ts'
import type { EntryReader } from './entry.ts'
import type { Fields } from './extensions.ts'
import { pfkeyDiagnostic } from './pfkey-diagnostics.ts'
import type { Given } from './values.ts'
import { IPPROTO_IPIP, IPPROTO_IPV6, PROTOCOLS_WITH_PORTS } from './words.ts'

/** Protocol and ports of a transport-mode SA, all 0 in tunnel mode; `inner` present = tunnel mode. */
export interface TrafficSelection {
  readonly upperProtocol: number
  readonly sourcePort: number
  readonly destinationPort: number
  readonly inner?: InnerSelector
}

/** Reports what does not fit together; the result is only meant to be used where nothing was reported. */
export function trafficOf(reader: EntryReader, fields: Fields): TrafficSelection {
  return isTunnel(fields) ? tunnelTraffic(reader, fields) : transportTraffic(reader, fields)
}

/** Any inner thing makes a tunnel. */
function isTunnel(fields: Fields): boolean {
  return Boolean(
    fields.innerSource ??
      fields.innerDestination ??
      fields.innerSourcePort ??
      fields.innerDestinationPort ??
      fields.innerProtocol,
  )
}

function transportTraffic(
  reader: EntryReader,
  { upperProtocol, sourcePort, destinationPort }: Fields,
): TrafficSelection {
  checkPorts(reader, upperProtocol, sourcePort, destinationPort)
  return {
    upperProtocol: upperProtocol?.value ?? 0,
    sourcePort: sourcePort?.value ?? 0,
    destinationPort: destinationPort?.value ?? 0,
  }
}

function tunnelTraffic(reader: EntryReader, fields: Fields): TrafficSelection {
  checkTunnelProtocol(reader, fields)
  const outerPort = fields.sourcePort ?? fields.destinationPort
  if (outerPort?.value) {
    const hint = 'The ports inside a tunnel are isport and idport; the outer packets have none.'
    reader.error(pfkeyDiagnostic(72), outerPort.token, undefined, hint)
  }
  const { innerProtocol, innerSourcePort, innerDestinationPort } = fields
  checkPorts(reader, innerProtocol, innerSourcePort, innerDestinationPort)
  const addresses = innerAddresses(reader, fields)
  const none = { upperProtocol: 0, sourcePort: 0, destinationPort: 0 }
  if (!addresses) return none
  const inner = {
    ...addresses,
    sourcePort: innerSourcePort?.value ?? 0,
    destinationPort: innerDestinationPort?.value ?? 0,
    protocol: innerProtocol?.value ?? 0,
  }
  return { ...none, inner }
}

function checkPorts(
  reader: EntryReader,
  protocol: Given<number> | undefined,
  ...ports: (Given<number> | undefined)[]
): void {
  if (PROTOCOLS_WITH_PORTS.has(protocol?.value ?? 0)) return
  const port = ports.find((given) => given?.value)
  if (!port) return
  const hint = `Protocol ${protocol?.value} has no ports.`
  reader.error(pfkeyDiagnostic(70), port.token, 'a protocol with ports, such as tcp or udp', hint)
}

function checkTunnelProtocol(reader: EntryReader, { upperProtocol }: Fields): void {
  if (!upperProtocol || innerFamily(upperProtocol.value) || upperProtocol.value === 0) return
  const message = `WARNING: Protocol type ${upperProtocol.value} not for use with Tunnel-Mode SA.`
  const hint = 'The protocol of the packets inside the tunnel is iproto.'
  reader.error(message, upperProtocol.token, '4 (ipip) or 41 (ipv6)', hint)
}

function innerFamily(protocol: number): Family | undefined {
  if (protocol === IPPROTO_IPIP) return 'inet'
  return protocol === IPPROTO_IPV6 ? 'inet6' : undefined
}

/** A missing inner side is every address of the other side's family. */
function innerAddresses(
  reader: EntryReader,
  { innerSource, innerDestination, upperProtocol }: Fields,
): { source: Prefix; destination: Prefix } | undefined {
  const source = innerSource?.value
  const destination = innerDestination?.value
  const named = upperProtocol && innerFamily(upperProtocol.value)
  const family = source?.family ?? destination?.family ?? named
  if (!family) {
    const hint = 'Without inner addresses, "proto 4" or "proto 41" says which packets the tunnel carries.'
    reader.error(pfkeyDiagnostic(58), undefined, 'isrc and idst', hint)
    return undefined
  }
  if (source && destination && source.family !== destination.family) {
    reader.error(pfkeyDiagnostic(67), innerDestination.token, 'inner addresses of one family')
    return undefined
  }
  if (upperProtocol && named && named !== family) {
    const expected = family === 'inet' ? 'proto 4, for IPv4 inside' : 'proto 41, for IPv6 inside'
    reader.error(pfkeyDiagnostic(70), upperProtocol.token, expected)
    return undefined
  }
  return { source: source ?? anyPrefix(family), destination: destination ?? anyPrefix(family) }
}
