/**
 * Packets as they go over the wire, by tcpdump(8).
 *
 * @module
 */
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { DEVICE, type Host, on } from './hosts.ts'
import { start } from './processes.ts'

// pcap(5): a file header, then packets, each after a header of its own; Ethernet frames.
const FILE_HEADER = 24
const PACKET_HEADER = 16
const CAPTURED_LENGTH = 8
const ETHERNET_HEADER = 14

const PROTOCOL_ICMP = 1
const PROTOCOL_TCP = 6
const PROTOCOL_ESP = 50

/** Time for tcpdump to hand over what it has seen last. */
const SETTLE_MS = 300

/**
 * Records the IPv4 packets that pass a host's interface while `work` is done.
 *
 * @returns the packets from the IP header on
 */
export async function capture(host: Host, work: () => Promise<void>): Promise<Buffer[]> {
  const tcpdump = start('ip', on(host, ['tcpdump', '--immediate-mode', '-U', '-w', '-', '-i', DEVICE, 'ip']))
  const chunks: Buffer[] = []
  tcpdump.stdout.on('data', (chunk: Buffer) => chunks.push(chunk))
  await listening(tcpdump)
  try {
    await work()
    await sleep(SETTLE_MS)
  } finally {
    const closed = once(tcpdump, 'close')
    tcpdump.kill('SIGINT')
    await closed
  }
  return packetsOf(Buffer.concat(chunks))
}

async function listening(tcpdump: ReturnType<typeof start>): Promise<void> {
  let said = ''
  for await (const text of tcpdump.stderr.setEncoding('utf8').iterator({ destroyOnReturn: false })) {
    said += text
    if (said.includes('listening on')) {
      tcpdump.stderr.resume()
      return
    }
  }
  throw new Error(`tcpdump failed: ${said}`)
}

function packetsOf(file: Buffer): Buffer[] {
  const packets: Buffer[] = []
  let at = FILE_HEADER
  while (at + PACKET_HEADER <= file.length) {
    const end = at + PACKET_HEADER + file.readUInt32LE(at + CAPTURED_LENGTH)
    packets.push(file.subarray(at + PACKET_HEADER + ETHERNET_HEADER, end))
    at = end
  }
  return packets
}

/** What an IPv4 packet is. */
export interface PacketSummary {
  readonly source: string
  readonly destination: string
  readonly protocol: 'ESP' | 'TCP' | 'ICMP' | 'other'
  readonly text: string
}

export function summary(packet: Buffer): PacketSummary {
  const body = packet.subarray(4 * (packet.readUInt8(0) & 15))
  const source = packet.subarray(12, 16).join('.')
  const destination = packet.subarray(16, 20).join('.')
  const { protocol, detail } = upperLayer(packet.readUInt8(9), body)
  return { source, destination, protocol, text: `IPv4 ${source} → ${destination} ${protocol} ${detail}` }
}

function upperLayer(number: number, body: Buffer): { protocol: PacketSummary['protocol']; detail: string } {
  switch (number) {
    case PROTOCOL_ESP: {
      const spi = body.readUInt32BE(0).toString(16)
      return { protocol: 'ESP', detail: `spi 0x${spi}, sequence number ${body.readUInt32BE(4)}` }
    }
    case PROTOCOL_TCP:
      return { protocol: 'TCP', detail: `port ${body.readUInt16BE(0)} → ${body.readUInt16BE(2)}` }
    case PROTOCOL_ICMP:
      return { protocol: 'ICMP', detail: `type ${body.readUInt8(0)}` }
    default:
      return { protocol: 'other', detail: `(protocol ${number})` }
  }
}
