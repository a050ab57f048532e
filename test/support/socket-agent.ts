/**
 * The service for policies of sockets on a host of a test, and raw requests to it.
 *
 * @module
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { receiveParcel, sendParcel } from '../../netlink/libc/descriptors.ts'
import { EAGAIN } from '../../netlink/libc/errno.ts'
import * as libc from '../../netlink/libc/socket.ts'
import { pause } from '../vm/support/sockets.ts'
import type { Host, Teardown } from './namespaces.ts'

const PROGRAM = fileURLToPath(new URL('./socket-service.js', import.meta.url))

/** An answer in JSON. */
export interface Answer {
  readonly errno: number
  readonly code?: string
  readonly reason?: string
  readonly associations?: readonly string[]
  readonly applied?: boolean
  readonly policy?: object
  readonly request?: object
  readonly inherited?: boolean
}

/** What the unit of systemd leaves the agent of capabilities. */
const SERVICE = ['setpriv', '--bounding-set', '-all,+net_admin,+net_raw,+sys_admin']

export class SocketAgent {
  readonly path: string
  readonly #child: ChildProcess
  readonly #lines: AsyncIterator<string>

  private constructor(path: string, child: ChildProcess) {
    this.path = path
    this.#child = child
    if (!child.stdout) throw new Error('no output')
    this.#lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  }

  /** Starts one that ends with the test. @param words see `socket-service.ts` */
  static async start(t: Teardown, host: Host, ...words: string[]): Promise<SocketAgent> {
    const folder = mkdtempSync(join(tmpdir(), 'solipsec-sockets-'))
    const path = join(folder, 'sockets')
    const command = [...SERVICE, process.execPath, '--enable-source-maps', PROGRAM, path, ...words]
    const child = spawn('ip', ['netns', 'exec', host.namespace, ...command], {
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    const agent = new SocketAgent(path, child)
    t.teardown(async () => {
      await agent.stop()
      rmSync(folder, { recursive: true, force: true })
    })
    const { value } = await agent.#lines.next()
    if (value !== 'ready') throw new Error(`the service says ${value}`)
    return agent
  }

  get pid(): number {
    return this.#child.pid ?? 0
  }

  /** How many sockets it knows. */
  async sockets(): Promise<number> {
    this.#child.stdin?.write('\n')
    return Number((await this.#lines.next()).value)
  }

  async kill(): Promise<void> {
    const end = new Promise((resolve) => this.#child.once('exit', resolve))
    this.#child.kill('SIGKILL')
    await end
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    const end = new Promise((resolve) => this.#child.once('exit', resolve))
    this.#child.stdin?.end()
    await end
  }

  /** A connection to it. Close it with `libc.close`. */
  open(): number {
    const fd = libc.socket(libc.AF_UNIX, libc.SOCK_SEQPACKET, 0)
    libc.connect(fd, libc.unixAddress(this.path))
    return fd
  }

  /** One request as bytes, over a connection of its own. `undefined`: it hung up. */
  ask(bytes: Uint8Array, descriptors: readonly number[], connection?: number): Uint8Array | undefined {
    const fd = connection ?? this.open()
    try {
      sendParcel(fd, bytes, descriptors)
      return receive(fd)
    } finally {
      if (connection === undefined) libc.close(fd)
    }
  }

  /** One request in JSON. */
  request(request: object, ...descriptors: number[]): Answer {
    const bytes = this.ask(new TextEncoder().encode(JSON.stringify(request)), descriptors)
    if (!bytes) throw new Error('the service hung up')
    return JSON.parse(new TextDecoder().decode(bytes)) as Answer
  }
}

/** Waits for a message; the service is another process. */
export function receive(fd: number, milliseconds = 20_000): Uint8Array | undefined {
  const buffer = new Uint8Array(65536)
  const end = performance.now() + milliseconds
  for (;;) {
    const parcel = receiveParcel(fd, buffer)
    if (typeof parcel !== 'number') return parcel.length > 0 ? buffer.slice(0, parcel.length) : undefined
    if (parcel !== -EAGAIN) return undefined
    if (performance.now() > end) throw new Error('the service does not answer')
    pause(1)
  }
}
