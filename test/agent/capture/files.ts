/**
 * Capture files made by hand, of all kinds that there are, and their frames.
 *
 * @module
 */
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Frame } from '../../../agent/capture/frame.ts'
import { CaptureReader, type Damage } from '../../../agent/capture/read-capture.ts'

/** A frame that stays as it is. */
export type Kept = Omit<Frame, 'bytes'> & { readonly hex: string }

export interface ReadBack {
  readonly frames: readonly Kept[]
  readonly damage: Damage | undefined
  readonly leftOut: ReadonlyMap<number, number>
}

export function keep(frame: Frame): Kept {
  const { bytes, ...rest } = frame
  return { ...rest, hex: Buffer.from(bytes.subarray(0, frame.end)).toString('hex') }
}

/** Reads a file of these contents. */
export async function readBack(contents: Uint8Array): Promise<ReadBack> {
  const folder = mkdtempSync(join(tmpdir(), 'solipsec-capture-'))
  const file = join(folder, 'capture')
  writeFileSync(file, contents)
  const fd = openSync(file, 'r')
  try {
    const reader = new CaptureReader(fd)
    const frames: Kept[] = []
    do for (let frame = reader.next(); frame; frame = reader.next()) frames.push(keep(frame))
    while (await reader.fill())
    return { frames, damage: reader.damage, leftOut: reader.leftOut }
  } finally {
    closeSync(fd)
    rmSync(folder, { recursive: true })
  }
}

export interface Record {
  readonly seconds?: number
  readonly fraction?: number
  readonly data: Uint8Array
  readonly wireLength?: number
}

/** A classic pcap file. */
export function pcapFile(
  records: readonly Record[],
  { isLittle = true, magic = 0xa1b2c3d4, linkType = 101, version = 2 } = {},
): Buffer {
  const header = Buffer.alloc(24)
  const write = (buffer: Buffer, value: number, at: number) =>
    isLittle ? buffer.writeUInt32LE(value, at) : buffer.writeUInt32BE(value, at)
  write(header, magic, 0)
  if (isLittle) header.writeUInt16LE(version, 4)
  else header.writeUInt16BE(version, 4)
  write(header, 65535, 16)
  write(header, linkType, 20)
  const bodies = records.flatMap(({ seconds = 1, fraction = 0, data, wireLength = data.length }) => {
    const head = Buffer.alloc(16)
    for (const [index, value] of [seconds, fraction, data.length, wireLength].entries())
      write(head, value, 4 * index)
    return [head, data]
  })
  return Buffer.concat([header, ...bodies])
}

/** Blocks of pcapng in one byte order. */
export function pcapngBlocks(isLittle: boolean) {
  const u16 = (value: number) => {
    const bytes = Buffer.alloc(2)
    new DataView(bytes.buffer, bytes.byteOffset).setUint16(0, value, isLittle)
    return bytes
  }
  const u32 = (value: number) => {
    const bytes = Buffer.alloc(4)
    new DataView(bytes.buffer, bytes.byteOffset).setUint32(0, value, isLittle)
    return bytes
  }
  const padded = (data: Uint8Array) => Buffer.concat([data, Buffer.alloc(-data.length & 3)])
  const block = (type: number, ...body: Uint8Array[]): Buffer => {
    const content = padded(Buffer.concat(body))
    const length = u32(content.length + 12)
    return Buffer.concat([u32(type), length, content, length])
  }
  const option = (code: number, value: Uint8Array): Buffer =>
    Buffer.concat([u16(code), u16(value.length), padded(value)])
  return {
    u32,
    block,
    option,
    section: () => block(0x0a0d0d0a, u32(0x1a2b3c4d), u16(1), u16(0), u32(0xffffffff), u32(0xffffffff)),
    description: (linkType: number, snapLength = 0, ...options: Uint8Array[]) =>
      block(1, u16(linkType), u16(0), u32(snapLength), ...options),
    packet: (id: number, stamp: bigint, data: Uint8Array, ...options: Uint8Array[]) =>
      block(
        6,
        u32(id),
        u32(Number(stamp >> 32n)),
        u32(Number(stamp & 0xffffffffn)),
        u32(data.length),
        u32(data.length),
        padded(data),
        ...options,
      ),
    simple: (wireLength: number, data: Uint8Array) => block(3, u32(wireLength), data),
  }
}

/** An IPv4 packet with these bytes behind its header. */
export function ipv4(payload: Uint8Array = Buffer.from('payload'), protocol = 253): Buffer {
  const header = Buffer.from('4500000000010000400000000a0000010a000002', 'hex')
  header.writeUInt16BE(20 + payload.length, 2)
  header.writeUInt8(protocol, 9)
  return Buffer.concat([header, payload])
}
