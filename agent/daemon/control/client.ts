/**
 * Talks to the agent of this network namespace.
 *
 * @module
 */
import { createConnection, type Socket } from 'node:net'
import { createInterface } from 'node:readline'
import { ControlError } from './protocol.ts'

/** No agent listens there. */
export class NoAgentError extends Error {
  constructor(path: string, reason: string) {
    super(`the agent cannot be asked (${path}: ${reason})`)
    this.name = 'NoAgentError'
  }
}

/** One connection to an agent. */
export class ControlConnection {
  readonly #socket: Socket
  readonly #waiting = new Map<number, (answer: Answer) => void>()
  readonly #onEvent: (method: string, params: unknown) => void
  #last = 0
  #error: Error | undefined

  private constructor(socket: Socket, onEvent: (method: string, params: unknown) => void) {
    this.#socket = socket
    this.#onEvent = onEvent
    // It passes the socket's errors on, which are taken below.
    createInterface({ input: socket })
      .on('line', (line) => this.#take(line))
      .on('error', () => {})
    socket.on('error', (error) => this.#end(error))
    socket.on('close', () => this.#end(new Error('the agent has ended')))
  }

  /**
   * @param onEvent called for each event, once `agent.subscribe` was called
   * @throws NoAgentError
   */
  static open(
    path: string,
    onEvent: (method: string, params: unknown) => void = () => {},
  ): Promise<ControlConnection> {
    return new Promise((resolve, reject) => {
      const socket = createConnection(path)
      const refuse = (error: NodeJS.ErrnoException) =>
        reject(new NoAgentError(path, error.code ?? error.message))
      socket.once('error', refuse)
      socket.once('connect', () => {
        socket.off('error', refuse)
        resolve(new ControlConnection(socket, onEvent))
      })
    })
  }

  /** @throws ControlError where the agent says no; Error where it ends */
  call(method: string, params: object = {}): Promise<unknown> {
    return new Promise((resolve, reject) => {
      if (this.#error) return reject(this.#error)
      const id = ++this.#last
      this.#waiting.set(id, (answer) => {
        if ('error' in answer) reject(answer.error)
        else resolve(answer.result)
      })
      this.#socket.write(`${JSON.stringify({ jsonrpc: '2.0', id, method, params })}\n`)
    })
  }

  /** Resolved when the agent has gone. */
  get ended(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#error) resolve()
      else this.#socket.once('close', () => resolve())
    })
  }

  close(): void {
    this.#socket.destroy()
  }

  #take(line: string): void {
    const message = JSON.parse(line) as Incoming
    if (message.method !== undefined) {
      this.#onEvent(message.method, message.params)
      return
    }
    const answer = this.#waiting.get(message.id ?? 0)
    this.#waiting.delete(message.id ?? 0)
    const { error } = message
    answer?.(error ? { error: new ControlError(error.code, error.message) } : { result: message.result })
  }

  #end(error: Error): void {
    this.#error ??= error
    for (const answer of this.#waiting.values()) answer({ error: this.#error })
    this.#waiting.clear()
  }
}

type Answer = { readonly result: unknown } | { readonly error: Error }

interface Incoming {
  readonly id?: number
  readonly method?: string
  readonly params?: unknown
  readonly result?: unknown
  readonly error?: { readonly code: number; readonly message: string }
}

/** One call, and no more. @throws NoAgentError, ControlError */
export async function callAgent(path: string, method: string, params: object = {}): Promise<unknown> {
  const connection = await ControlConnection.open(path)
  try {
    return await connection.call(method, params)
  } finally {
    connection.close()
  }
}
