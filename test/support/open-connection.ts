/**
 * A TCP connection between two stations that stays open while policy changes around it.
 *
 * @module
 */
import { close, getSockOpt } from '../../netlink/libc/socket.ts'
import { IPPROTO_TCP, TCP_INFO } from '../../netlink/libc/socket-options.ts'
import {
  accept,
  bound,
  connect,
  listen,
  receive,
  SOCK_STREAM,
  trySend,
  until,
} from '../vm/support/sockets.ts'
import type { Station } from '../vm/support/station.ts'

/** Where one end is. */
export interface Place {
  readonly station: Station
  readonly address: string
}

/** How long something may take that is to happen, and how long one looks whether something does not happen. */
const PATIENCE_MS = 20_000
const GLANCE_MS = 700

const TCPI_UNACKED = 24

export class OpenConnection {
  readonly #client: number
  readonly #server: number
  #count = 0
  #isOpen = true

  private constructor(client: number, server: number) {
    this.#client = client
    this.#server = server
  }

  /**
   * @param fromPort of the client; 0: any
   * @returns `undefined` where it cannot be made
   */
  static tryOpen(
    client: Place,
    server: Place,
    port: number,
    fromPort = 0,
    patience = GLANCE_MS,
  ): OpenConnection | undefined {
    const listener = server.station.visit(() => bound(SOCK_STREAM, 0, server.address, port))
    listen(listener)
    const fd = client.station.visit(() => bound(SOCK_STREAM, 0, client.address, fromPort))
    try {
      connect(fd, server.address, port)
    } catch {
      // A rule of the client's host refuses it.
    }
    const accepted = until(() => accept(listener), patience)
    close(listener)
    if (accepted !== undefined) return new OpenConnection(fd, accepted)
    close(fd)
    return undefined
  }

  /** One that has to come about. */
  static open(client: Place, server: Place, port: number, fromPort = 0): OpenConnection {
    const connection = OpenConnection.tryOpen(client, server, port, fromPort, PATIENCE_MS)
    if (!connection) throw new Error('no connection')
    return connection
  }

  /** True where what either end sends reaches the other. @param expected true: it may take its time */
  passes(expected: boolean): boolean {
    const patience = expected ? PATIENCE_MS : GLANCE_MS
    return (
      this.#reaches(this.#client, this.#server, patience) &&
      this.#reaches(this.#server, this.#client, patience)
    )
  }

  #reaches(from: number, to: number, patience: number): boolean {
    const word = `word ${++this.#count};`
    trySend(from, Buffer.from(word))
    let got = ''
    const found = until(() => {
      got += Buffer.from(receive(to) ?? '').toString()
      return got.includes(word) ? true : undefined
    }, patience)
    // Its acknowledgement as well, so that nothing of this is on the wire when somebody looks at what comes next.
    return found === true && until(() => (unacknowledged(from) === 0 ? true : undefined), patience) === true
  }

  /** Resets it. */
  close(): void {
    if (!this.#isOpen) return
    this.#isOpen = false
    for (const fd of [this.#client, this.#server]) close(fd)
  }
}

/** Segments that were sent and not acknowledged yet: `tcpi_unacked` of `struct tcp_info` (linux/tcp.h). */
function unacknowledged(fd: number): number {
  return (
    new Uint32Array(getSockOpt(fd, IPPROTO_TCP, TCP_INFO, TCPI_UNACKED + 4).slice().buffer)[
      TCPI_UNACKED / 4
    ] ?? 0
  )
}
