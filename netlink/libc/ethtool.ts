/**
 * Features of network devices (ethtool(8) -k), by ioctl: netdevice(7), linux/ethtool.h. Needs no privilege.
 *
 * @module
 */
import { allocateArena } from './arena.ts'
import { SystemError } from './errno.ts'
import { foreign, lastErrno } from './ffi.ts'
import { AF_INET, close, SOCK_DGRAM, socket } from './socket.ts'

const SIOCETHTOOL = 0x8946
const ETHTOOL_GSTRINGS = 0x1b
const ETHTOOL_GSSET_INFO = 0x37
const ETHTOOL_GFEATURES = 0x3a
const ETH_SS_FEATURES = 4
const ETH_GSTRING_LEN = 32
const IFNAMSIZ = 16
const IFREQ_SIZE = 40
/** `available`, `requested`, `active` and `never_changed`, 32 features each. */
const BLOCK = 16

const ioctl = foreign<[number, number, Uint8Array], number>('int ioctl(int, unsigned long, void *)')

export interface DeviceFeature {
  readonly name: string
  /** The device can do it. */
  readonly isAvailable: boolean
  /** It is switched on. */
  readonly isActive: boolean
}

/**
 * All features of a device in the calling thread's network namespace.
 *
 * @throws SystemError `ENODEV`, `EOPNOTSUPP`
 */
export function deviceFeatures(device: string): DeviceFeature[] {
  const fd = socket(AF_INET, SOCK_DGRAM, 0)
  try {
    const count = featureCount(fd, device)
    const names = featureNames(fd, device, count)
    const blocks = Math.ceil(count / 32)
    const answer = ask(fd, device, 8 + blocks * BLOCK, (view) => {
      view.setUint32(0, ETHTOOL_GFEATURES, true)
      view.setUint32(4, blocks, true)
    })
    return names.flatMap((name, index) => {
      // Bits that the kernel has given no name, yet.
      if (name === '') return []
      const at = 8 + Math.floor(index / 32) * BLOCK
      const bit = (offset: number) => ((answer.getUint32(at + offset, true) >>> (index % 32)) & 1) === 1
      return [{ name, isAvailable: bit(0) || bit(8), isActive: bit(8) }]
    })
  } finally {
    close(fd)
  }
}

function featureCount(fd: number, device: string): number {
  const answer = ask(fd, device, 20, (view) => {
    view.setUint32(0, ETHTOOL_GSSET_INFO, true)
    view.setBigUint64(8, 1n << BigInt(ETH_SS_FEATURES), true)
  })
  return answer.getUint32(16, true)
}

function featureNames(fd: number, device: string, count: number): string[] {
  const answer = ask(fd, device, 12 + count * ETH_GSTRING_LEN, (view) => {
    view.setUint32(0, ETHTOOL_GSTRINGS, true)
    view.setUint32(4, ETH_SS_FEATURES, true)
    view.setUint32(8, count, true)
  })
  const decoder = new TextDecoder()
  return Array.from({ length: count }, (_, index) => {
    const at = answer.byteOffset + 12 + index * ETH_GSTRING_LEN
    const text = decoder.decode(new Uint8Array(answer.buffer, at, ETH_GSTRING_LEN))
    return text.split('\0')[0] ?? ''
  })
}

/** One call, with a question of so many bytes that the answer overwrites. */
function ask(fd: number, device: string, size: number, fill: (view: DataView) => void): DataView {
  const memory = allocateArena(size)
  fill(memory.view)
  const request = new Uint8Array(IFREQ_SIZE)
  request.set(new TextEncoder().encode(device).subarray(0, IFNAMSIZ - 1))
  new DataView(request.buffer).setBigUint64(IFNAMSIZ, BigInt(memory.address), true)
  if (ioctl(fd, SIOCETHTOOL, request) !== 0) throw new SystemError('ioctl', lastErrno())
  return memory.view
}
