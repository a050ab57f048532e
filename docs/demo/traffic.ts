/**
 * Ordinary traffic between the two hosts, of programs that know nothing of IPsec.
 *
 * @module
 */
import { once } from 'node:events'
import { createServer, type Server } from 'node:net'
import { withNetns } from '../../netlink/libc/netns.ts'
import { type Host, on } from './hosts.ts'
import { run } from './processes.ts'

export const PORT = 7777

/** A server that answers each line by `Got N bytes.` */
export class LineServer {
  readonly #server: Server
  readonly received: string[] = []

  private constructor(host: Host) {
    this.#server = createServer((socket) => {
      socket.setEncoding('utf8').on('data', (text: string) => {
        this.received.push(text)
        socket.end(`Got ${text.length} bytes.\n`)
      })
      socket.on('error', () => socket.destroy())
    })
    // Without an address to look up, the socket is made on the spot, in the host's namespace.
    withNetns(host.name, () => this.#server.listen(PORT))
  }

  static async start(host: Host): Promise<LineServer> {
    const server = new LineServer(host)
    if (!server.#server.listening) await once(server.#server, 'listening')
    return server
  }

  stop(): void {
    this.#server.close()
  }
}

/**
 * Sends a line over TCP.
 *
 * @param patience seconds to wait for the answer
 * @returns the answer; `undefined` where none came in time
 */
export async function sendLine(
  from: Host,
  to: Host,
  line: string,
  patience: number,
): Promise<string | undefined> {
  const script = `exec 3<>/dev/tcp/${to.address}/${PORT} && echo "$0" >&3 && cat <&3`
  const words = on(from, ['timeout', String(patience), 'bash', '-c', script, line])
  const { code, stdout } = await run('ip', words)
  return code === 0 ? stdout.trim() : undefined
}

/** Sends echo requests, small ones. @returns the line that sums them up */
export async function ping(from: Host, to: Host, count: number): Promise<string> {
  const words = on(from, ['ping', '-nq', '-s', '16', '-c', String(count), '-i', '0.2', '-W', '2', to.address])
  const { stdout } = await run('ip', words)
  return stdout.split('\n').find((line) => line.includes('received')) ?? 'no answer'
}
