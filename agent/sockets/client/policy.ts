/**
 * Policies of sockets, as a program asks for them by descriptor.
 *
 * @module
 */

import { SocketPolicyError } from './error.ts'
import { exchange, servicePath } from './exchange.ts'

/** Names of algorithms as ipsecalgs(8) has them, with key lengths in parentheses: `aes(256)`; or a number, or `any`. */
export interface Protection {
  /** ESP with this cipher. */
  readonly encryption?: string | number
  /** ESP that authenticates with this. */
  readonly authentication?: string | number
  /** AH. */
  readonly ah?: string | number
  /** `unique`: SAs of this flow alone. */
  readonly associations?: 'shared' | 'unique'
}

/** The members of Solaris's `ipsec_req_t`. */
export interface IpsecReq {
  readonly ipsr_ah_req?: number
  readonly ipsr_esp_req?: number
  readonly ipsr_self_encap_req?: number
  readonly ipsr_auth_alg?: number
  readonly ipsr_esp_alg?: number
  readonly ipsr_esp_auth_alg?: number
}

export type SocketPolicy =
  | { readonly protect: Protection; readonly selfEncapsulation?: boolean }
  /** In clear, whatever the rules of the host say. Needs privilege. */
  | { readonly action: 'bypass' }
  /** The rules of the host hold for the socket. */
  | { readonly action: 'none' }
  /** What the section `sockets` of the agent's configuration says for the unit of systemd that this process belongs to. */
  | { readonly action: 'service' }
  | { readonly request: IpsecReq }

export interface SecureOptions {
  /** Whom the socket will talk to, as an IP address: self-encapsulation needs it. */
  readonly peer?: string
  /** Seconds to wait for SAs where there are none, at most 60; absent: 0. */
  readonly wait?: number
  /** Of the agent's socket. */
  readonly path?: string
}

/** What was done. */
export interface Secured {
  /** The SAs that the socket is bound to, in words. */
  readonly associations: readonly string[]
  /** False where nothing had to be done, since the socket's packets never leave the host. */
  readonly applied: boolean
}

/** What a socket has. */
export interface SocketState {
  readonly policy: SocketPolicy
  /** The same in numbers, where that can be said. */
  readonly request?: Required<IpsecReq>
  /** It came from the listening socket. */
  readonly inherited: boolean
}

/** @throws SocketPolicyError (rejects) with the error number and the reason */
export async function secureDescriptor(
  fd: number,
  policy: SocketPolicy,
  { peer, wait, path }: SecureOptions = {},
): Promise<Secured> {
  const isNone = 'action' in policy && policy.action === 'none'
  const options = isNone ? {} : { ...(peer !== undefined && { peer }), ...(wait !== undefined && { wait }) }
  const { associations = [], applied = true } = await ask(fd, { ...policy, ...options }, path, wait)
  return { associations, applied }
}

/** @throws SocketPolicyError (rejects) */
export async function queryDescriptor(
  fd: number,
  { path }: Pick<SecureOptions, 'path'> = {},
): Promise<SocketState> {
  const { policy = { action: 'none' }, request, inherited = false } = await ask(fd, { action: 'query' }, path)
  return { policy, inherited, ...(request && { request }) }
}

interface Answer extends Partial<Secured>, Partial<SocketState> {
  readonly errno: number
  readonly code?: string
  readonly reason?: string
}

async function ask(fd: number, request: object, path = servicePath(), wait = 0): Promise<Answer> {
  const bytes = new TextEncoder().encode(JSON.stringify(request))
  const answer = JSON.parse(new TextDecoder().decode(await exchange(path, bytes, fd, wait))) as Answer
  if (answer.errno !== 0) throw new SocketPolicyError(answer.code ?? 'EIO', answer.reason ?? 'refused')
  return answer
}
