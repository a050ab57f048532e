/**
 * `ipsec_req_t`, the value of Solaris's socket options `IP_SEC_OPT` and `IPV6_SEC_OPT` (ipsec(4P)): 16 bytes, in the byte
 * order of the host.
 *
 * @module
 */
import { u8, u32, type ValueOf } from '../../netlink/codec/field.ts'
import { memoryOf } from '../../netlink/codec/memory.ts'
import { pad, struct } from '../../netlink/codec/struct.ts'
import { SocketError } from './socket-error.ts'

const ipsecReq = struct('ipsec_req_t', 16, [
  ['ipsr_ah_req', u32],
  ['ipsr_esp_req', u32],
  ['ipsr_self_encap_req', u32],
  ['ipsr_auth_alg', u8],
  ['ipsr_esp_alg', u8],
  ['ipsr_esp_auth_alg', u8],
  pad(1),
])

/** Numbers as they are, whether they make sense or not. */
export type IpsecRequest = ValueOf<typeof ipsecReq>

const REQUEST_SIZE = ipsecReq.size

/** Names and largest values of its members. */
export const REQUEST_MEMBERS: readonly (readonly [name: keyof IpsecRequest, largest: number])[] =
  ipsecReq.members.map(({ name, field }) => [name as keyof IpsecRequest, 2 ** (8 * field.size) - 1])

export const EMPTY_REQUEST: IpsecRequest = decodeRequest(new Uint8Array(REQUEST_SIZE))

/** @throws SocketError EINVAL where there are not exactly 16 bytes */
export function decodeRequest(bytes: Uint8Array): IpsecRequest {
  if (bytes.length !== REQUEST_SIZE) {
    throw new SocketError('EINVAL', `an ipsec_req_t has ${REQUEST_SIZE} bytes, not ${bytes.length}`)
  }
  return ipsecReq.get(memoryOf(bytes), 0)
}

/** @throws EncodeError where a number does not fit */
export function encodeRequest(request: IpsecRequest): Uint8Array {
  const bytes = new Uint8Array(REQUEST_SIZE)
  ipsecReq.set(memoryOf(bytes), 0, request)
  return bytes
}
