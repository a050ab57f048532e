/**
 * Capture files with protected packets, and the key file that opens them.
 *
 * @module
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { refreshChecksum } from '../../../../agent/packet/ip-header.ts'
import { ipv4, pcapFile } from '../../../agent/capture/files.ts'
import { Loop, type LoopOptions } from '../../../agent/datapath/software/loop.ts'

/** The SPI of every packet. */
export const SPI = 0x1234_5678
const CIPHER_KEY = '0102030405060708090a0b0c0d0e0f10'
const CODE_KEY = '11'.repeat(32)
export const KEYS = [CIPHER_KEY, CODE_KEY]

export const KEY_FILE =
  `add esp spi 0x${SPI.toString(16)} src 10.0.0.1 dst 10.0.0.2 encr_alg aes-cbc encrkey ${CIPHER_KEY} ` +
  `auth_alg sha256 authkey ${CODE_KEY}\n`

const bytesOf = (hex: string) => new Uint8Array(Buffer.from(hex, 'hex'))

const OPTIONS: LoopOptions = {
  protocol: 'esp',
  attributes: {
    alg_crypt: { alg_name: 'cbc(aes)', alg_key_len: 128, alg_key: bytesOf(CIPHER_KEY) },
    alg_auth_trunc: {
      alg_name: 'hmac(sha256)',
      alg_key_len: 256,
      alg_trunc_len: 128,
      alg_key: bytesOf(CODE_KEY),
    },
  },
  version: 4,
  destination: Uint8Array.of(10, 0, 0, 2),
  isTunnel: false,
  isExtended: false,
  inUdp: false,
  window: 64,
}

/** A UDP packet to this port, from 10.0.0.1 to 10.0.0.2. */
export function udpPacket(port: number, size = 12): Uint8Array {
  const udp = Buffer.alloc(8 + size, 'secret text ')
  udp.writeUInt16BE(40_000, 0)
  udp.writeUInt16BE(port, 2)
  udp.writeUInt16BE(udp.length, 4)
  udp.writeUInt16BE(0, 6)
  const packet = new Uint8Array(ipv4(udp, 17))
  refreshChecksum(packet, 0)
  return packet
}

/** Protects packets one after the other. */
export function protector(options: Partial<LoopOptions> = {}): (packet: Uint8Array) => Buffer {
  const loop = new Loop({ ...OPTIONS, ...options })
  return (packet) => {
    const wire = loop.protect(packet)
    if (typeof wire === 'string') throw new Error(wire)
    return Buffer.from(wire)
  }
}

const ETHERNET = Buffer.from('0202020202020202020202020800', 'hex')

/** Ethernet frames, a second between them. */
export function captureOf(packets: readonly Uint8Array[]): Buffer {
  const records = packets.map((packet, index) => ({
    seconds: 1_800_000_000 + index,
    data: Buffer.concat([ETHERNET, packet]),
  }))
  return pcapFile(records, { linkType: 1 })
}

/** A folder with these files, gone at the end of the test. */
export function folderWith(
  t: { teardown(task: () => void): void },
  files: Readonly<Record<string, Uint8Array | string>>,
): (name: string) => string {
  const folder = mkdtempSync(join(tmpdir(), 'solipsec-snoop-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  for (const [name, contents] of Object.entries(files)) {
    writeFileSync(join(folder, name), contents, { mode: 0o600 })
  }
  return (name) => join(folder, name)
}
