/**
 * Sends UDP packets at a rate: `node sender.js ADDRESS PORT SIZE RATE SECONDS`, and prints `{ sent, seconds }`. Many to
 * a call; at ordinary rates some 20 every fifth of a millisecond.
 *
 * @module
 */
import { EAGAIN, errnoName } from '../../netlink/libc/errno.ts'
import { MessageVector } from '../../netlink/libc/message-vector.ts'
import {
  AF_INET,
  connect,
  SO_SNDBUFFORCE,
  SOCK_DGRAM,
  SOL_SOCKET,
  setSockOptInt,
  socket,
} from '../../netlink/libc/socket.ts'

/** Packets to a call. */
const BATCH = 64
/** Milliseconds between two looks at the clock. */
const TICK = 0.2
/** Seconds of arrears that are made up for: more in one go would be a burst that no rate is responsible for. */
const ARREARS = 0.001
/** A queue that is full must lose packets, not stop the sender. */
const SEND_BUFFER = 16 << 20

function open(address: string, port: number): number {
  const fd = socket(AF_INET, SOCK_DGRAM, 0)
  setSockOptInt(fd, SOL_SOCKET, SO_SNDBUFFORCE, SEND_BUFFER)
  const sockaddr = Uint8Array.of(
    AF_INET,
    0,
    port >> 8,
    port & 255,
    ...address.split('.').map(Number),
    ...new Uint8Array(8),
  )
  connect(fd, sockaddr)
  return fd
}

/** Packets that all lie in the same place. */
function packets(size: number): MessageVector {
  const vector = new MessageVector(BATCH, Math.max(size, 64))
  for (let slot = 0; slot < BATCH; slot++) vector.prepare(slot, vector.slotAt(0), size, 0)
  return vector
}

function send(fd: number, size: number, rate: number, seconds: number): { sent: number; seconds: number } {
  const vector = packets(size)
  const bell = new Int32Array(new SharedArrayBuffer(4))
  const most = Math.max(BATCH, ARREARS * rate)
  let sent = 0
  /** What should have been sent, less what was given up. */
  let due = 0
  const start = performance.now()
  let [now, last] = [start, start]
  for (; now - start < 1000 * seconds; last = now, now = performance.now()) {
    due = Math.min(due + (rate * (now - last)) / 1000, most)
    for (; due >= 1; ) {
      const count = vector.send(fd, 0, Math.min(BATCH, Math.floor(due)))
      if (count === -EAGAIN) break
      if (count < 0) throw new Error(`cannot send: ${errnoName(-count)}`)
      sent += count
      due -= count
    }
    if (due < 1) Atomics.wait(bell, 0, 0, TICK)
  }
  return { sent, seconds: (now - start) / 1000 }
}

const [address = '', ...numbers] = process.argv.slice(2)
const [port = 0, size = 0, rate = 0, seconds = 0] = numbers.map(Number)
process.stdout.write(JSON.stringify(send(open(address, port), size, rate, seconds)))
