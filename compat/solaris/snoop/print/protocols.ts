/**
 * Names of IP protocols, Ethernet types and well-known ports, as Solaris shows them.
 *
 * @module
 */
import type { PrintOptions, Transport } from './options.ts'

const PROTOCOLS: ReadonlyMap<number, string> = new Map([
  [0, 'HOPOPTS'],
  [1, 'ICMP'],
  [2, 'IGMP'],
  [4, 'IP-in-IP'],
  [6, 'TCP'],
  [8, 'EGP'],
  [17, 'UDP'],
  [41, 'IPv6'],
  [43, 'ROUTING'],
  [44, 'FRAGMENT'],
  [47, 'GRE'],
  [50, 'ESP'],
  [51, 'AH'],
  [58, 'ICMPv6'],
  [59, 'NO NEXT HDR'],
  [60, 'DSTOPTS'],
  [89, 'OSPF'],
  [103, 'PIM'],
  [112, 'VRRP'],
  [132, 'SCTP'],
])

/** `6 (TCP)`, or the number alone. */
export function protocolText(protocol: number): string {
  const name = PROTOCOLS.get(protocol)
  return name === undefined ? String(protocol) : `${protocol} (${name})`
}

/** `TCP`, or `Proto=253`. */
export function protocolName(protocol: number): string {
  return PROTOCOLS.get(protocol) ?? `Proto=${protocol}`
}

const ETHERTYPES: ReadonlyMap<number, string> = new Map([
  [0x0800, 'IP'],
  [0x0806, 'ARP'],
  [0x8035, 'RARP'],
  [0x809b, 'AppleTalk'],
  [0x80f3, 'AARP'],
  [0x8100, 'VLAN'],
  [0x86dd, 'IPv6'],
  [0x8863, 'PPPoE Discovery'],
  [0x8864, 'PPPoE Session'],
  [0x888e, 'EAPOL'],
  [0x88a8, 'VLAN'],
  [0x88cc, 'LLDP'],
])

/** Lengths of IEEE 802.3 stand where Ethernet has its type. */
export const LARGEST_LENGTH = 1500

/** `0800 (IP)`. */
export function ethertypeText(type: number): string {
  if (type <= LARGEST_LENGTH) return '0000 (LLC/802.3)'
  return `${type.toString(16).toUpperCase().padStart(4, '0')} (${ETHERTYPES.get(type) ?? 'Unknown'})`
}

interface Service {
  readonly name: string
  readonly transports: readonly Transport[]
  /** Its data is text: the beginning is shown. */
  readonly text?: boolean
}

const BOTH: readonly Transport[] = ['tcp', 'udp']

/** The services that Solaris has a line of their own for, and those of IPsec. */
const SERVICES: ReadonlyMap<number, Service> = new Map<number, Service>([
  [20, { name: 'FTP-DATA', transports: ['tcp'] }],
  [21, { name: 'FTP', transports: ['tcp'], text: true }],
  [23, { name: 'TELNET', transports: ['tcp'], text: true }],
  [25, { name: 'SMTP', transports: ['tcp'], text: true }],
  [53, { name: 'DNS', transports: BOTH }],
  [67, { name: 'DHCP/BOOTP', transports: ['udp'] }],
  [68, { name: 'DHCP/BOOTP', transports: ['udp'] }],
  [69, { name: 'TFTP', transports: ['udp'] }],
  [80, { name: 'HTTP', transports: ['tcp'], text: true }],
  [110, { name: 'POP', transports: ['tcp'], text: true }],
  [123, { name: 'NTP', transports: ['udp'] }],
  [137, { name: 'NBT', transports: ['udp'] }],
  [138, { name: 'NBT', transports: ['udp'] }],
  [139, { name: 'NBT', transports: ['tcp'] }],
  [143, { name: 'IMAP', transports: ['tcp'], text: true }],
  [389, { name: 'LDAP', transports: BOTH }],
  [427, { name: 'SLP', transports: BOTH }],
  [500, { name: 'IKE', transports: ['udp'] }],
  [513, { name: 'RLOGIN', transports: ['tcp'], text: true }],
  [514, { name: 'RSHELL', transports: ['tcp'], text: true }],
  [515, { name: 'PRINTER', transports: ['tcp'] }],
  [520, { name: 'RIP', transports: ['udp'] }],
  [521, { name: 'RIPng', transports: ['udp'] }],
  [546, { name: 'DHCPv6', transports: ['udp'] }],
  [547, { name: 'DHCPv6', transports: ['udp'] }],
])

/** A service that gets a line of its own, or `undefined`. */
export function knownService(port: number, transport: Transport): Service | undefined {
  const service = SERVICES.get(port)
  return service?.transports.includes(transport) ? service : undefined
}

/** What stands behind a port in the verbose form: ` (DNS)`, or nothing. */
export function portName(port: number, transport: Transport, options: PrintOptions): string | undefined {
  return options.serviceName ? options.serviceName(port, transport) : knownService(port, transport)?.name
}
