/**
 * Two hosts on one wire, made of network namespaces and a veth pair, with the kernel's own counters on what comes in.
 * Silent until somebody sends: no IPv6, no discovery.
 *
 * @module
 */
import { type CommandLine, output, run } from '../support/execute.ts'
import type { Workplace } from '../support/host.ts'

/** The same two addresses in each topology: each is a world of its own. */
const LEFT = '192.0.2.1'
const RIGHT = '192.0.2.2'
const DEVICE = 'eth0'
/** Bytes of an IP packet on the wire. */
const MTU = 1500

/** UDP port of the packet rate's measurement. What arrives there is counted and thrown away. */
export const PROBE_PORT = 5300

/** One of the two hosts. */
export interface Host {
  /** Its network namespace's name, as `ip netns exec` and `--netns` take it. */
  readonly namespace: string
  /** The interface on the wire. */
  readonly device: string
  readonly address: string
}

/** Two hosts, joined. */
export interface Topology {
  /** Whose the topology is; part of the names of its namespaces. */
  readonly name: string
  readonly left: Host
  readonly right: Host
}

/** What came in since the topology was made: packets, but for the last one. */
export interface Counts {
  /** ESP (in UDP too) and AH on the wire. */
  readonly protected: number
  /** IKE on the wire. */
  readonly ike: number
  /** Everything else on the wire. */
  readonly clear: number
  /**
   * Bytes of UDP payload that got as far as the port {@link PROBE_PORT}, through whatever decrypts. Not packets: a path
   * may hand several over as one, with one header for all.
   */
  readonly payload: number
}

/**
 * The wire's hook is before reassembly and before whatever else may look at packets; the probes' is the last one before
 * the socket would get them. ESP in UDP begins with its SPI, IKE on port 4500 with four zero bytes (RFC 3948, 2.2), and
 * a keepalive is a single byte.
 */
const RULES = `table inet bench {
  counter protected {}
  counter ike {}
  counter clear {}
  counter arrived {}
  chain wire {
    type filter hook prerouting priority -450
    iifname != "${DEVICE}" accept
    meta l4proto { esp, ah } counter name protected accept
    udp dport 4500 udp length >= 12 @th,64,32 != 0 counter name protected accept
    udp dport { 500, 4500 } counter name ike accept
    counter name clear
  }
  chain arrived {
    type filter hook input priority 450
    udp dport ${PROBE_PORT} counter name arrived drop
  }
}
`

/** IPv4 and UDP. */
const HEADERS = 28

/** As nft(8) tells it. */
interface Counter {
  readonly name: string
  readonly packets: number
  readonly bytes: number
}

/** Makes two hosts that are gone when the place is. */
export function makeTopology(place: Workplace, name: string): Topology {
  const left = { namespace: place.freshNamespace(`${name}-left`), device: DEVICE, address: LEFT }
  const right = { namespace: place.freshNamespace(`${name}-right`), device: DEVICE, address: RIGHT }
  const rules = place.file('counters.nft', RULES)
  run([
    'ip',
    '-n',
    left.namespace,
    ...`link add ${DEVICE} type veth peer name ${DEVICE}`.split(' '),
    'netns',
    right.namespace,
  ])
  for (const { namespace, device, address } of [left, right]) {
    const ip = (line: string) => run(['ip', '-n', namespace, ...line.split(' ')])
    ip(`link set ${device} mtu ${MTU} addrgenmode none`)
    ip(`address add ${address}/24 dev ${device}`)
    ip('link set lo up')
    ip(`link set ${device} up`)
    run(['ip', 'netns', 'exec', namespace, 'nft', '-f', rules])
  }
  return { name, left, right }
}

/** A command line, to be run on a host. */
export function on({ namespace }: Host, ...command: CommandLine): CommandLine {
  return ['ip', 'netns', 'exec', namespace, ...command]
}

/** The counters of a host. */
export function countsOf(host: Host): Counts {
  const list = output(on(host, 'nft', '-j', 'list', 'counters', 'table', 'inet', 'bench'))
  const { nftables } = JSON.parse(list) as { nftables: { counter?: Counter }[] }
  const counters = new Map(nftables.map(({ counter }) => [counter?.name, counter]))
  const count = (name: string) => counters.get(name)?.packets ?? 0
  return {
    protected: count('protected'),
    ike: count('ike'),
    clear: count('clear'),
    payload: (counters.get('arrived')?.bytes ?? 0) - HEADERS * count('arrived'),
  }
}
