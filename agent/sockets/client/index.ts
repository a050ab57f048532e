/**
 * `solipsec/socket`: IPsec policies for single sockets, as Solaris's `IP_SEC_OPT` gives them. The agent does it; this
 * asks it to. No privilege is needed but for `bypass`.
 *
 * @module
 * @example
 * import { createServer } from 'node:http'
 * import { connect, listen } from 'solipsec/socket'
 *
 * const policy = { protect: { encryption: 'aes(256)', authentication: 'sha256' } }
 * await listen(createServer(handler), { address: '0.0.0.0', port: 80 }, policy)
 *
 * const socket = await connect({ host: '192.0.2.2', port: 80 }, policy)
 */
import { descriptorOf, type SocketLike } from './descriptor.ts'
import {
  queryDescriptor,
  type Secured,
  type SecureOptions,
  type SocketPolicy,
  type SocketState,
  secureDescriptor,
} from './policy.ts'

export type { SocketLike } from './descriptor.ts'
export { SocketPolicyError } from './error.ts'
export { servicePath } from './exchange.ts'
export { bind, connect, listen, openSocket, type Place, type Target } from './open.ts'
export {
  type IpsecReq,
  type Protection,
  queryDescriptor,
  type Secured,
  type SecureOptions,
  type SocketPolicy,
  type SocketState,
  secureDescriptor,
} from './policy.ts'

/**
 * Gives a policy to a socket of `dgram` that is bound, or to a server that listens but has no connections yet. What came
 * before went without it: {@link listen}, {@link bind} and {@link connect} leave no such moment, and TCP sockets that
 * are connected keep what they have.
 *
 * @throws SocketPolicyError (rejects)
 */
export async function secure(
  socket: SocketLike,
  policy: SocketPolicy,
  options: SecureOptions = {},
): Promise<Secured> {
  return secureDescriptor(descriptorOf(socket), policy, options)
}

/**
 * What a socket was given, or a connection inherited.
 *
 * @throws SocketPolicyError (rejects)
 */
export async function query(
  socket: SocketLike,
  options: Pick<SecureOptions, 'path'> = {},
): Promise<SocketState> {
  return queryDescriptor(descriptorOf(socket), options)
}
