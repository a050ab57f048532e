/**
 * The socket that clients connect to, and who may be connected at once.
 *
 * @module
 */
import { rmSync } from 'node:fs'
import { SystemError } from '../../netlink/libc/errno.ts'
import { type Watch, watchReadable } from '../../netlink/libc/poll.ts'
import * as libc from '../../netlink/libc/socket.ts'
import { hasPlace, listenAt, type Places } from '../runtime/listener.ts'
import { Connection, type Handler } from './connection.ts'
import { Disposal } from './disposal.ts'
import { type Peer, peerOf } from './peer.ts'

const BACKLOG = 128
const MOST: Places = { all: 512, unprivileged: 448, ofUser: 64 }
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
    this.#path = path
    this.#handler = handler
    this.#fd = listenAt(path, { type: libc.SOCK_SEQPACKET, backlog: BACKLOG, mode: 0o666 })
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
    const users = [...this.#connections].map((connection) => connection.peer.uid)
    if (!hasPlace(peer.uid, users, MOST)) {
      void this.#disposal.take(peer.uid, [fd])
      return
    }
    const connection = new Connection(fd, peer, this.#handler, this.#disposal, () =>
      this.#connections.delete(connection),
    )
    this.#connections.add(connection)
    this.#looks ??= setInterval(() => this.#look(), LOOK)
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
