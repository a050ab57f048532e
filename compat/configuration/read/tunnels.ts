/**
 * Tunnel interfaces of a JSON document.
 *
 * @module
 */
import {
  type Address,
  addressBits,
  type Family,
  isUnspecified,
  type Prefix,
  parseAddress,
} from '../../../agent/model/address.ts'
import type { Rule } from '../../../agent/model/policy.ts'
import type { TunnelInterface, TunnelKind } from '../../../agent/model/tunnel.ts'
import type { Tunnel } from '../../../schemas/generated/configuration.ts'
import type { JsonDocument } from '../document.ts'
import type { Flaws } from '../validate.ts'

const FAMILIES: Readonly<Record<TunnelKind, Family>> = {
  ipip: 'inet',
  gre: 'inet',
  ip6tnl: 'inet6',
  ip6gre: 'inet6',
}

/** The tunnels that are right; everything else is reported. */
export function readTunnels(
  document: JsonDocument,
  tunnels: readonly Tunnel[],
  flaws: Flaws,
): TunnelInterface[] {
  const first = new Map<string, number>()
  return tunnels.flatMap((tunnel, index) => {
    if (flaws.within(`/tunnels/${index}`)) return []
    const path = ['tunnels', String(index)]
    const { name, kind, mtu } = tunnel
    const line = document.at([...path, 'name']).line
    const earlier = first.get(name)
    if (earlier === undefined) first.set(name, line)
    else document.error([...path, 'name'], `Duplicate tunnel ${name}: line ${earlier} has it already`)
    const local = readEnd(document, [...path, 'local'], tunnel.local, kind)
    const remote = readEnd(document, [...path, 'remote'], tunnel.remote, kind)
    const addresses = (tunnel.addresses ?? []).map((text, place) =>
      readInterfaceAddress(document, [...path, 'addresses', String(place)], text),
    )
    if (!local || !remote || earlier !== undefined || !addresses.every((one) => one !== undefined)) return []
    return [{ name, kind, local, remote, addresses, ...(mtu !== undefined && { mtu }), line }]
  })
}

function readEnd(
  document: JsonDocument,
  path: readonly string[],
  text: string,
  kind: TunnelKind,
): Address | undefined {
  const address = parseAddress(text)
  const family = FAMILIES[kind]
  if (address?.family === family && !isUnspecified(address)) return address
  const expected = `an ${family === 'inet' ? 'IPv4' : 'IPv6'} address, as it is a tunnel of kind ${kind}`
  document.error(path, 'Bad end of a tunnel', { expected })
  return undefined
}

function readInterfaceAddress(
  document: JsonDocument,
  path: readonly string[],
  text: string,
): Prefix | undefined {
  const [, host = '', digits = ''] = /^(.+)\/([0-9]{1,3})$/.exec(text) ?? []
  const address = parseAddress(host)
  const length = Number(digits)
  if (address && length <= addressBits(address.family)) return { ...address, length }
  document.error(path, 'Bad address of an interface', { expected: 'ADDRESS/PREFIX, such as 10.0.0.1/30' })
  return undefined
}

/** Rules about interfaces that the document does not make: they may be there, or be a slip of the pen. */
export function warnOfUnknownTunnels(
  document: JsonDocument,
  rules: readonly Rule[],
  tunnels: readonly TunnelInterface[],
): void {
  const names = new Set(tunnels.map(({ name }) => name))
  for (const { tunnel, file, span } of rules) {
    if (!tunnel || file !== document.file || names.has(tunnel.name)) continue
    names.add(tunnel.name)
    const at = document.tokenAt(span)
    document.report.warning(at, `The tunnel ${tunnel.name} is not among the tunnels of this document`, {
      hint: 'Its interface has to be there already when the rule is loaded.',
    })
  }
}
