/**
 * One request to the service of the agent, and its answer.
 *
 * @module
 */
import { existsSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { sendParcel } from '../../../netlink/libc/descriptors.ts'
import { EAGAIN, SystemError } from '../../../netlink/libc/errno.ts'
import { watchReadable } from '../../../netlink/libc/poll.ts'
import * as libc from '../../../netlink/libc/socket.ts'
import { socketsPath, usualSocketsPath } from '../../runtime/agent-sockets.ts'
import { SocketPolicyError } from './error.ts'

/** Answers are short: what cannot be read whole is none. */
const LARGEST_ANSWER = 64 * 1024
/** Milliseconds that the agent has beyond what it was told to wait. */
const PATIENCE = 40_000
const RETRY = 20

/** The service of this network namespace, or that of the host where this one has none. */
export function servicePath(): string {
  const own = socketsPath()
  return existsSync(own) ? own : usualSocketsPath()
}

/**
 * @param wait seconds that the request tells the agent to wait
 * @throws SocketPolicyError where there is no agent, or it does not answer
 */
export async function exchange(
  path: string,
  request: Uint8Array,
  descriptor: number,
  wait: number,
): Promise<Uint8Array> {
  const deadline = performance.now() + wait * 1000 + PATIENCE
  const fd = await connectTo(path, deadline)
  try {
    sendParcel(fd, request, [descriptor])
    return await receive(fd, deadline)
  } catch (error) {
    throw failureOf(error, path)
  } finally {
    libc.close(fd)
  }
}

/** Connecting waits where many want to be heard; a blocking call would stop this program meanwhile. */
async function connectTo(path: string, deadline: number): Promise<number> {
  const { AF_UNIX, SOCK_SEQPACKET, SOCK_NONBLOCK } = libc
  for (;;) {
    const fd = libc.socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0)
    try {
      libc.connect(fd, libc.unixAddress(path))
      return fd
    } catch (error) {
      libc.close(fd)
      const isBusy = error instanceof SystemError && error.errno === EAGAIN
      if (!isBusy || performance.now() > deadline) throw failureOf(error, path)
    }
    await delay(RETRY)
  }
}

function receive(fd: number, deadline: number): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const buffer = new Uint8Array(LARGEST_ANSWER)
    const finish = (act: () => void) => {
      clearTimeout(timer)
      watch.close()
      act()
    }
    const watch = watchReadable(fd, () => {
      const length = libc.recvFrom(fd, buffer, libc.MSG_DONTWAIT, null, null)
      if (length === -EAGAIN) return
      if (length > 0) finish(() => resolve(buffer.subarray(0, length)))
      else {
        const error = new SocketPolicyError('ECONNRESET', 'the agent ended the connection: it is too busy')
        finish(() => reject(error))
      }
    })
    const timer = setTimeout(
      () => finish(() => reject(new SocketPolicyError('ETIMEDOUT', 'the agent does not answer'))),
      deadline - performance.now(),
    )
  })
}

function failureOf(error: unknown, path: string): unknown {
  if (!(error instanceof SystemError)) return error
  const isAbsent = error.code === 'ENOENT' || error.code === 'ECONNREFUSED'
  const reason = isAbsent
    ? `no agent listens at ${path}; start one for this network namespace: see solipsec-agent(8)`
    : error.message
  return new SocketPolicyError(error.code, reason)
}
