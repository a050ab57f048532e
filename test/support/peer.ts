/**
 * A host's share of the test traffic: runs inside a network namespace, takes requests as JSON lines on standard
 * input and answers on standard output. One process for a whole test, because Node starts slowly under emulation.
 * Ends when its input ends. `namespaces.ts` is the other side.
 *
 * @module
 */
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { connect, createServer, isIPv6 } from 'node:net'
import { createInterface } from 'node:readline'

/** Where to send from and to; `payload` and everything received travel as base64. */
export interface Send {
  readonly to: string
  readonly port: number
  readonly payload: string
  /** Milliseconds to wait for an answer. */
  readonly timeout: number
  readonly from?: string
  readonly fromPort?: number
}

export type Request =
  | { readonly op: 'tcpEcho' | 'udpEcho' | 'received'; readonly port: number }
  | ({ readonly op: 'tcpSend' | 'udpSend' } & Send)

/** `reply`: what came back; `error`: `timeout` or the system's error name; `received`: what an echo service got. */
export interface Answer {
  readonly reply?: string
  readonly error?: string
  readonly received?: readonly string[]
}

const received = new Map<number, string[]>()

function note(port: number, data: Buffer): void {
  received.set(port, [...(received.get(port) ?? []), data.toString('base64')])
}

async function tcpEcho(port: number): Promise<Answer> {
  const server = createServer((socket) => {
    socket.on('error', () => {}) // the sender gave up
    socket.on('data', (data) => {
      note(port, data)
      socket.write(data)
    })
  })
  server.listen(port, '::')
  await once(server, 'listening')
  return {}
}

/** Two sockets, since an answer must leave from the address family it came in. */
async function udpEcho(port: number): Promise<Answer> {
  for (const type of ['udp4', 'udp6'] as const) {
    const socket = createSocket({ type, ipv6Only: type === 'udp6' })
    socket.on('error', () => {}) // refused by the policy under test: the sender sees no answer
    socket.on('message', (data, { address, port: from }) => {
      note(port, data)
      socket.send(data, from, address)
    })
    socket.bind(port)
    await once(socket, 'listening')
  }
  return {}
}

const errorName = (error: unknown): string =>
  error instanceof Error && 'code' in error ? String(error.code) : String(error)

/** Calls `start` with a function that settles the answer once; nothing within the time is `timeout`. */
function withTimeout(
  milliseconds: number,
  start: (settle: (answer: Answer) => void) => void,
): Promise<Answer> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve({ error: 'timeout' }), milliseconds)
    start((answer) => {
      clearTimeout(timer)
      resolve(answer)
    })
  })
}

async function tcpSend({ to, port, payload, timeout, from, fromPort }: Send): Promise<Answer> {
  const data = Buffer.from(payload, 'base64')
  const socket = connect({
    host: to,
    port,
    ...(from && { localAddress: from }),
    ...(fromPort && { localPort: fromPort }),
  })
  const answer = await withTimeout(timeout, (settle) => {
    const parts: Buffer[] = []
    socket.on('connect', () => socket.write(data))
    socket.on('data', (part) => {
      parts.push(part)
      const reply = Buffer.concat(parts)
      if (reply.length >= data.length) settle({ reply: reply.toString('base64') })
    })
    socket.on('error', (error) => settle({ error: errorName(error) }))
    socket.on('end', () => settle({ error: 'closed' }))
  })
  socket.destroy()
  return answer
}

async function udpSend({ to, port, payload, timeout, from, fromPort }: Send): Promise<Answer> {
  const socket = createSocket(isIPv6(to) ? 'udp6' : 'udp4')
  const answer = await withTimeout(timeout, (settle) => {
    socket.on('error', (error) => settle({ error: errorName(error) }))
    socket.on('message', (reply) => settle({ reply: reply.toString('base64') }))
    // A connected socket hears of ICMP errors.
    socket.on('connect', () => socket.send(Buffer.from(payload, 'base64')))
    socket.bind(fromPort ?? 0, from, () => socket.connect(port, to))
  })
  socket.close()
  return answer
}

function answer(request: Request): Promise<Answer> | Answer {
  switch (request.op) {
    case 'tcpEcho':
      return tcpEcho(request.port)
    case 'udpEcho':
      return udpEcho(request.port)
    case 'received':
      return { received: received.get(request.port) ?? [] }
    case 'tcpSend':
      return tcpSend(request)
    case 'udpSend':
      return udpSend(request)
  }
}

async function serve(line: string): Promise<void> {
  const { id, ...request } = JSON.parse(line) as { id: number } & Request
  const reply = await Promise.resolve(answer(request)).catch((error) => ({ error: errorName(error) }))
  process.stdout.write(`${JSON.stringify({ id, ...reply })}\n`)
}

createInterface(process.stdin)
  .on('line', (line) => void serve(line))
  .on('close', () => process.exit())
