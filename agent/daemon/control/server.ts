/**
 * The control socket: whoever may connect may ask, root may change things as well.
 *
 * @module
 */
import { readFileSync, rmSync } from 'node:fs'
import { Socket } from 'node:net'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { SystemError } from '../../../netlink/libc/errno.ts'
import { type Watch, watchReadable } from '../../../netlink/libc/poll.ts'
import * as libc from '../../../netlink/libc/socket.ts'
import { hasPlace, listenAt, type Places } from '../../runtime/listener.ts'
import {
  ControlError,
  code,
  formatError,
  formatNotification,
  formatResult,
  parseRequest,
  type Request,
} from './protocol.ts'

/** One call that can be made. */
export interface Method {
  /** `change`: for root alone. */
  readonly access: 'read' | 'change'
  /** @throws ControlError; what else it throws is told as `INTERNAL_ERROR` without its text */
  run(params: Request['params'], client: ControlClient): unknown
}

export type Methods = Readonly<Record<string, Method>>

/** Whoever is connected, as a method sees it. */
export interface ControlClient {
  readonly credentials: libc.PeerCredentials
  /** From now on it gets events. */
  subscribe(): void
}

const BACKLOG = 64
const MOST: Places = { all: 256, unprivileged: 224, ofUser: 32 }
/** Longest request in bytes. Only root has something long to say. */
const LONGEST_LINE = { read: 64 * 1024, change: 64 * 1024 * 1024 }
/** What may wait for a client that does not read; one with more is cut off. */
const MOST_WAITING = 16 * 1024 * 1024
/** Whose members may ask how things are. */
const GROUP = 'solipsec'

export class ControlServer {
  readonly #path: string
  readonly #fd: number
  readonly #watch: Watch
  readonly #clients = new Set<Client>()

  /**
   * Listens at `path`. A socket that an agent before left there is replaced.
   *
   * @throws SystemError
   */
  constructor(path: string, methods: Methods) {
    const gid = groupNumber(GROUP)
    const access = gid === undefined ? { mode: 0o600 } : { mode: 0o660, gid }
    this.#path = path
    this.#fd = listenAt(path, { type: libc.SOCK_STREAM, backlog: BACKLOG, ...access })
    this.#watch = watchReadable(this.#fd, () => this.#accept(methods))
  }

  /** Tells all who have subscribed. */
  notify(method: string, params: object): void {
    const line = formatNotification(method, params)
    for (const client of this.#clients) if (client.isSubscribed) client.send(line)
  }

  close(): void {
    this.#watch.close()
    libc.close(this.#fd)
    for (const client of this.#clients) client.close()
    rmSync(this.#path, { force: true })
  }

  #accept(methods: Methods): void {
    let fd: number
    try {
      fd = libc.accept(this.#fd)
    } catch (error) {
      if (!(error instanceof SystemError)) throw error
      return
    }
    const credentials = libc.peerCredentials(fd)
    const users = [...this.#clients].map((client) => client.credentials.uid)
    if (!hasPlace(credentials.uid, users, MOST)) {
      libc.close(fd)
      return
    }
    const client = new Client(fd, credentials, methods, () => this.#clients.delete(client))
    this.#clients.add(client)
  }
}

/** One connection. Its requests are answered one after the other. */
class Client implements ControlClient {
  readonly credentials: libc.PeerCredentials
  readonly #socket: Socket
  readonly #methods: Methods
  #received: Buffer[] = []
  #length = 0
  #isBusy = false
  #isSubscribed = false

  constructor(fd: number, credentials: libc.PeerCredentials, methods: Methods, onClose: () => void) {
    this.credentials = credentials
    this.#methods = methods
    this.#socket = new Socket({ fd, readable: true, writable: true })
    this.#socket.on('data', (chunk: Buffer) => this.#take(chunk))
    this.#socket.on('error', () => this.#socket.destroy())
    this.#socket.on('close', onClose)
  }

  get isSubscribed(): boolean {
    return this.#isSubscribed
  }

  subscribe(): void {
    this.#isSubscribed = true
  }

  send(line: string): void {
    if (this.#socket.writableLength + line.length > MOST_WAITING) this.#socket.destroy()
    else this.#socket.write(line)
  }

  close(): void {
    this.#socket.end()
    this.#socket.destroySoon()
  }

  get #mayChange(): boolean {
    return this.credentials.uid === 0
  }

  #take(chunk: Buffer): void {
    this.#received.push(chunk)
    this.#length += chunk.length
    if (chunk.includes(0x0a)) {
      if (!this.#isBusy) void this.#answerAll()
    } else if (this.#length > LONGEST_LINE[this.#mayChange ? 'change' : 'read']) this.#refuseLength()
  }

  #refuseLength(): void {
    this.#socket.pause()
    this.#received = []
    this.send(formatError(null, new ControlError(code.INVALID_REQUEST, 'the request is too long')))
    this.close()
  }

  /** Meanwhile nothing is read: who asks faster than is answered waits. */
  async #answerAll(): Promise<void> {
    this.#isBusy = true
    this.#socket.pause()
    const text = Buffer.concat(this.#received)
    const end = text.lastIndexOf(0x0a)
    this.#received = [text.subarray(end + 1)]
    this.#length = text.length - end - 1
    for (const line of text.subarray(0, end).toString('utf8').split('\n')) {
      if (this.#socket.destroyed) return
      if (line.trim() === '') continue
      await this.#answer(line)
      // One request of each at a time: whoever asks for much does not keep others waiting.
      await nextTurn()
    }
    this.#isBusy = false
    this.#socket.resume()
  }

  async #answer(line: string): Promise<void> {
    let request: Request
    try {
      request = parseRequest(line)
    } catch (error) {
      this.send(formatError(null, error as ControlError))
      return
    }
    const { id } = request
    const answer = await this.#outcome(request)
    // Without an id, nobody waits for an answer.
    if (id !== undefined)
      this.send('error' in answer ? formatError(id, answer.error) : formatResult(id, answer.result))
  }

  async #outcome(request: Request): Promise<{ readonly result: unknown } | { readonly error: ControlError }> {
    try {
      return { result: await this.#run(request) }
    } catch (error) {
      if (error instanceof ControlError) return { error }
      return { error: new ControlError(code.INTERNAL_ERROR, 'something went wrong in the agent') }
    }
  }

  #run({ method: name, params }: Request): unknown {
    const method = Object.hasOwn(this.#methods, name) ? this.#methods[name] : undefined
    if (!method) throw new ControlError(code.METHOD_NOT_FOUND, `there is no method '${name.slice(0, 64)}'`)
    if (method.access === 'change' && !this.#mayChange) {
      throw new ControlError(code.NOT_ALLOWED, `only root may call ${name}`)
    }
    return method.run(params, this)
  }
}

/** Groups that are made for services are in the file. */
function groupNumber(name: string): number | undefined {
  const line = readGroups().find((one) => one.startsWith(`${name}:`))
  const number = Number(line?.split(':')[2] ?? Number.NaN)
  return Number.isInteger(number) ? number : undefined
}

function readGroups(): string[] {
  try {
    return readFileSync('/etc/group', 'utf8').split('\n')
  } catch {
    return []
  }
}
