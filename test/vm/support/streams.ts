/**
 * Much traffic between two hosts, whose content is compared byte by byte: streams both ways at once, and numbered
 * datagrams.
 *
 * @module
 */
import { randomBytes } from 'node:crypto'
import { constants } from 'node:os'
import { SystemError } from '../../../netlink/libc/errno.ts'
import { foreign } from '../../../netlink/libc/ffi.ts'
import {
  close,
  MSG_DONTWAIT,
  MSG_NOSIGNAL,
  recvFrom,
  SOL_SOCKET,
  send,
  setSockOpt,
  setSockOptInt,
} from '../../../netlink/libc/socket.ts'
import { IPPROTO_IP } from '../../../netlink/libc/socket-options.ts'
import {
  accept,
  bound,
  connect,
  listen,
  pause,
  receive,
  SOCK_DGRAM,
  SOCK_STREAM,
  sockaddr,
} from './sockets.ts'
import type { End } from './traffic.ts'

const IP_OPTIONS = 4
const SO_OOBINLINE = 10
const SHUT_WR = 1
const MSG_OOB = 1
const { ECONNRESET } = constants.errno
/** The socket takes nothing now: its buffer is full, it is not connected yet or no more. */
const NOT_NOW = ['EAGAIN', 'ENOTCONN', 'EPIPE', 'ECONNRESET']

/** How long nothing may move before a stream counts as stalled: TCP waits longer with each loss in a row. */
const PATIENCE_MS = 30_000
const CHUNK = 256 * 1024
const scratch = new Uint8Array(CHUNK)

const shutdown = foreign<[number, number], number>('int shutdown(int, int)')

export interface StreamOptions {
  /** Length of each of the two streams. */
  readonly bytes: number
  readonly port?: number
  /** IPv4 options of all packets. */
  readonly ipOptions?: Uint8Array
  /** Of each so many bytes the last is urgent. */
  readonly urgentEvery?: number
  /** The client resets the connection when it has everything; else both close. */
  readonly resets?: boolean
}

/** One end of a connection: what it has to send, and what it has got. */
class Stream {
  readonly fd: number
  readonly #out: Buffer
  readonly #urgentEvery: number
  #sent = 0
  #isShut = false
  #in: Uint8Array[] = []
  got = 0
  /** How it ended for the reader. */
  end: 'open' | 'closed' | 'reset' = 'open'

  constructor(fd: number, out: Buffer, urgentEvery = Number.POSITIVE_INFINITY) {
    this.fd = fd
    this.#out = out
    this.#urgentEvery = urgentEvery
  }

  get content(): Buffer {
    return Buffer.concat(this.#in)
  }

  /** @returns whether something moved */
  push(finish: boolean): boolean {
    const before = this.#sent
    while (this.#sent < this.#out.length && this.#pushOnce()) {}
    if (this.#sent === this.#out.length && finish && !this.#isShut) {
      this.#isShut = true
      shutdown(this.fd, SHUT_WR)
    }
    return this.#sent > before
  }

  #pushOnce(): boolean {
    const toUrgent = this.#urgentEvery - (this.#sent % this.#urgentEvery) - 1
    const isUrgent = toUrgent === 0
    const length = isUrgent ? 1 : Math.min(CHUNK, toUrgent)
    try {
      const piece = this.#out.subarray(this.#sent, this.#sent + length)
      this.#sent += send(this.fd, piece, MSG_NOSIGNAL | MSG_DONTWAIT | (isUrgent ? MSG_OOB : 0))
      return true
    } catch (error) {
      if (error instanceof SystemError && NOT_NOW.includes(error.code)) return false
      throw error
    }
  }

  /** @returns whether something moved */
  pull(): boolean {
    const before = this.got
    while (this.end === 'open') {
      const length = recvFrom(this.fd, scratch, MSG_DONTWAIT, null, null)
      if (length > 0) {
        this.#in.push(scratch.slice(0, length))
        this.got += length
      } else if (length === 0) this.end = 'closed'
      else if (length === -ECONNRESET) this.end = 'reset'
      else break
    }
    return this.got > before
  }
}

/**
 * A connection from `from` to `to` with a stream of its own each way at the same time.
 *
 * @returns `same` where both arrived as they were sent and the connection ended as it should, else what is wrong
 */
export function streams(from: End, to: End, options: StreamOptions): string {
  const { bytes, port = 7, ipOptions, urgentEvery, resets = false } = options
  const fds: number[] = []
  const open = (end: End, localPort: number) => {
    const fd = end.station.visit(() => bound(SOCK_STREAM, 0, end.address, localPort))
    fds.push(fd)
    if (urgentEvery) setSockOptInt(fd, SOL_SOCKET, SO_OOBINLINE, 1)
    if (ipOptions) setSockOpt(fd, IPPROTO_IP, IP_OPTIONS, ipOptions)
    return fd
  }
  try {
    const listener = open(to, port)
    listen(listener)
    const client = open(from, 0)
    connect(client, to.address, port)
    const server = patiently(() => accept(listener))
    if (server === undefined) return 'not connected'
    fds.push(server)
    if (ipOptions) setSockOpt(server, IPPROTO_IP, IP_OPTIONS, ipOptions)
    const [question, answer] = [randomBytes(bytes), randomBytes(bytes)]
    const here = new Stream(client, question, urgentEvery)
    const there = new Stream(server, answer, urgentEvery)
    const end = converse(here, there, bytes, resets)
    if (end !== 'same') return end
    const differences = [differenceOf(question, there.content), differenceOf(answer, here.content)]
    if (differences.some((one) => one !== undefined)) return differences.join(' / ')
    if (!resets) return 'same'
    close(client)
    fds.splice(fds.indexOf(client), 1)
    patiently(() => (there.pull() || there.end === 'open' ? undefined : true))
    return there.end === 'reset' ? 'same' : `not reset: ${there.end}`
  } finally {
    for (const fd of fds) close(fd)
  }
}

function converse(here: Stream, there: Stream, bytes: number, resets: boolean): string {
  for (let stalled = performance.now(); performance.now() - stalled < PATIENCE_MS; ) {
    const moves = [here, there].map((stream) => [stream.push(!resets), stream.pull()])
    if (moves.flat().includes(true)) {
      stalled = performance.now()
      continue
    }
    const isComplete = here.got >= bytes && there.got >= bytes
    if (isComplete && (resets || (here.end === 'closed' && there.end === 'closed'))) return 'same'
    if (here.end === 'reset' || there.end === 'reset') return 'reset'
    pause(1)
  }
  return `stalled: ${there.got} and ${here.got} of ${bytes}, ${there.end} and ${here.end}`
}

function patiently<T>(ask: () => T | undefined): T | undefined {
  for (const end = performance.now() + PATIENCE_MS; performance.now() < end; pause(1)) {
    const answer = ask()
    if (answer !== undefined) return answer
  }
  return undefined
}

function differenceOf(sent: Buffer, arrived: Buffer): string | undefined {
  if (sent.equals(arrived)) return undefined
  const at = sent.findIndex((byte, n) => byte !== arrived[n])
  return `${arrived.length} of ${sent.length} bytes, other from ${at} on`
}

export interface DatagramOptions {
  readonly count: number
  /** Payload bytes of each, at least 4. */
  readonly size: number
  /** How many are waited for, however slow the hosts are. */
  readonly least: number
  readonly port?: number
  readonly ipOptions?: Uint8Array
}

/** What became of numbered datagrams. */
export interface Arrived {
  /** Numbers of those that came, each as often as it came. */
  readonly numbers: readonly number[]
  /** How many had another content than what was sent under their number. */
  readonly spoilt: number
}

const QUIET_MS = 250
const AT_ONCE = 16

/** Sends numbered datagrams, some at a time, and waits until enough have come and nothing more does, twice or not. */
export function datagrams(from: End, to: End, options: DatagramOptions): Arrived {
  const { count, size, least, port = 7, ipOptions } = options
  const receiver = to.station.visit(() => bound(SOCK_DGRAM, 0, to.address, port))
  const sender = from.station.visit(() => bound(SOCK_DGRAM, 0, from.address))
  const pattern = randomBytes(size + 256)
  const payload = (number: number) => {
    const bytes = Buffer.from(pattern.subarray(number % 256, (number % 256) + size))
    bytes.writeUInt32BE(number)
    return bytes
  }
  const numbers: number[] = []
  let spoilt = 0
  const pull = () => {
    const before = numbers.length
    for (let got = receive(receiver); got; got = receive(receiver)) {
      const number = got.length < 4 ? -1 : Buffer.from(got).readUInt32BE()
      numbers.push(number)
      if (number < 0 || !payload(number).equals(got)) spoilt++
    }
    return numbers.length > before
  }
  try {
    if (ipOptions) setSockOpt(sender, IPPROTO_IP, IP_OPTIONS, ipOptions)
    for (let number = 0; number < count; number++) {
      send(sender, payload(number), 0, sockaddr(to.address, port))
      if (number % AT_ONCE === AT_ONCE - 1) pause(1)
      pull()
    }
    patiently(() => {
      pull()
      return numbers.length >= least ? true : undefined
    })
    for (let last = performance.now(); performance.now() - last < QUIET_MS; pause(1)) {
      if (pull()) last = performance.now()
    }
    return { numbers, spoilt }
  } finally {
    close(receiver)
    close(sender)
  }
}
