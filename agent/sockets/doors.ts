/**
 * The socket that clients connect to, and who may be connected at once.
 *
 * @module
 */
import { rmSync } from 'node:fs'
import { SystemError } from '../../netlink/libc/errno.ts'
import { type Watch, watchReadable } from '../../netlink/libc/poll.ts'
import * as libc from '../../netlink/libc/socket.ts'
import { Connection, type Handler } from './connection.ts'
import { Disposal } from './disposal.ts'
import { type Peer, peerOf } from './peer.ts'

const BACKLOG = 128
/** Connections of all, of all but root, and of one user other than root. */
const MOST = { all: 512, unprivileged: 448, ofUser: 64 }
/** Accepted in one turn of the event loop. */
const TURN = 32
/** Milliseconds to let descriptors become free in. */
const PAUSE = 100
/** Milliseconds after which a client that asks for nothing loses its place, and between looks for such clients. */
const LONGEST_IDLENESS = 60_000
const LOOK = 15_000

export class Doors {
  readonly #path: string
  readonly #fd: number
  readonly #handler: Handler
  readonly #connections = new Set<Connection>()
  readonly #disposal = new Disposal()
  #watch: Watch | undefined
  #pause: NodeJS.Timeout | undefined
  #looks: NodeJS.Timeout | undefined

  /**
   * Listens at a path, for everyone. A socket that was left there is replaced.
   *
   * @throws SystemError
   */
  constructor(path: string, handler: Handler) {
    const { AF_UNIX, SOCK_SEQPACKET, SOCK_NONBLOCK } = libc
    this.#path = path
    this.#handler = handler
    this.#fd = libc.socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0)
    try {
      rmSync(path, { force: true })
      const before = process.umask(0o111)
      try {
        libc.bind(this.#fd, libc.unixAddress(path))
      } finally {
        process.umask(before)
      }
      libc.listen(this.#fd, BACKLOG)
    } catch (error) {
      libc.close(this.#fd)
      throw error
    }
    this.#open()
  }

  #open(): void {
    this.#watch = watchReadable(this.#fd, () => this.#accept())
  }

  #accept(): void {
    for (let i = 0; i < TURN; i++) {
      try {
        this.#admit(libc.accept(this.#fd))
      } catch (error) {
        if (!(error instanceof SystemError)) throw error
        if (error.code === 'EMFILE' || error.code === 'ENFILE' || error.code === 'ENOMEM') this.#rest()
        return
      }
    }
  }

  /** The socket stays readable: to look again at once would be to spin. */
  #rest(): void {
    this.#watch?.close()
    this.#pause = setTimeout(() => this.#open(), PAUSE)
  }

  #admit(fd: number): void {
    let peer: Peer
    try {
      peer = peerOf(fd)
    } catch (error) {
      libc.close(fd)
      throw error
    }
    if (!this.#hasRoomFor(peer)) {
      void this.#disposal.take(peer.uid, [fd])
      return
    }
    const connection = new Connection(fd, peer, this.#handler, this.#disposal, () =>
      this.#connections.delete(connection),
    )
    this.#connections.add(connection)
    this.#looks ??= setInterval(() => this.#look(), LOOK)
  }

  #hasRoomFor({ uid }: Peer): boolean {
    if (this.#connections.size >= MOST.all) return false
    if (uid === 0) return true
    let [unprivileged, own] = [0, 0]
    for (const { peer } of this.#connections) {
      if (peer.uid !== 0) unprivileged++
      if (peer.uid === uid) own++
    }
    return unprivileged < MOST.unprivileged && own < MOST.ofUser
  }

  #look(): void {
    const limit = performance.now() - LONGEST_IDLENESS
    for (const connection of [...this.#connections]) {
      if (!connection.isBusy && connection.lastActive < limit) connection.close()
    }
    if (this.#connections.size > 0) return
    clearInterval(this.#looks)
    this.#looks = undefined
  }

  close(): void {
    this.#watch?.close()
    clearTimeout(this.#pause)
    clearInterval(this.#looks)
    for (const connection of [...this.#connections]) connection.close()
    libc.close(this.#fd)
    rmSync(this.#path, { force: true })
  }
}
