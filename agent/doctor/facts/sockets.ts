/**
 * Sockets of key management: who listens on the ports of IKE, and whether the kernel has PF_KEY.
 *
 * @module
 */
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { SystemError } from '../../../netlink/libc/errno.ts'
import { AF_KEY, close, SOCK_RAW, socket } from '../../../netlink/libc/socket.ts'
import { fails, isDenied, type Known, look, type Trial, untried, WORKS } from '../known.ts'

/** IKE, and IKE with ESP in UDP (RFC 3947). */
const PORTS = [500, 4500]
const PF_KEY_V2 = 2

export interface Listener {
  readonly port: number
  readonly family: 'IPv4' | 'IPv6'
  /** Name and number of a process that has the socket; absent where none shows itself. */
  readonly program?: string
}

export interface SocketFacts {
  readonly pfKey: Trial
  readonly listeners: Known<readonly Listener[]>
}

export function readSockets(): SocketFacts {
  return { pfKey: tryPfKey(), listeners: look(readListeners) }
}

function tryPfKey(): Trial {
  try {
    close(socket(AF_KEY, SOCK_RAW, PF_KEY_V2))
    return WORKS
  } catch (error) {
    if (!(error instanceof SystemError)) throw error
    return isDenied(error) ? untried(`not permitted (${error.code})`) : fails(error.code)
  }
}

/** A line of `/proc/net/udp` and `udp6`. */
export interface UdpSocket {
  readonly port: number
  readonly inode: string
}

export function parseUdp(text: string): UdpSocket[] {
  return text
    .split('\n')
    .slice(1)
    .flatMap((line) => {
      const words = line.trim().split(/\s+/)
      const port = Number.parseInt(words[1]?.split(':')[1] ?? '', 16)
      const inode = words[9]
      return Number.isNaN(port) || inode === undefined ? [] : [{ port, inode }]
    })
}

function readListeners(): Listener[] {
  const found = (['IPv4', 'IPv6'] as const).flatMap((family) => {
    const path = `/proc/thread-self/net/${family === 'IPv4' ? 'udp' : 'udp6'}`
    // A kernel without IPv6 has no file for it.
    const sockets = family === 'IPv4' || existsSync(path) ? parseUdp(readFileSync(path, 'utf8')) : []
    return sockets.filter(({ port }) => PORTS.includes(port)).map((one) => ({ ...one, family }))
  })
  const owners =
    found.length === 0 ? new Map<string, string>() : ownersOf(new Set(found.map(({ inode }) => inode)))
  return found.map(({ port, family, inode }) => {
    const program = owners.get(inode)
    return { port, family, ...(program !== undefined && { program }) }
  })
}

/** Processes by the socket that they have open, as far as they show themselves. */
function ownersOf(inodes: ReadonlySet<string>): Map<string, string> {
  const owners = new Map<string, string>()
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    const descriptors = look(() => readdirSync(`/proc/${pid}/fd`))
    if ('unknown' in descriptors) continue
    for (const descriptor of descriptors.value) {
      const target = look(() => readlinkSync(`/proc/${pid}/fd/${descriptor}`))
      const [, inode = ''] = /^socket:\[(\d+)\]$/.exec('value' in target ? target.value : '') ?? []
      if (!inodes.has(inode)) continue
      const name = look(() => readFileSync(`/proc/${pid}/comm`, 'utf8').trim())
      if ('value' in name) owners.set(inode, `${name.value} (${pid})`)
    }
  }
  return owners
}
