/**
 * Whether a received packet has the protection that a policy asks for (`__xfrm_policy_check` of the kernel): its SAs,
 * in the order in which they were taken off, are held against the policy's templates, outermost first.
 *
 * @module
 */
import { mode } from '../../../../netlink/xfrm/constants.ts'
import type { UserTmpl } from '../../../../netlink/xfrm/structs.ts'
import type { State } from '../state/state.ts'

/** What templates ask of an SA. */
export type Protector = Pick<State, 'body' | 'attributes' | 'isTunnel'>

/**
 * @param path the SAs, outermost first, of which the first `length` count
 * @returns false where a template is not met, or a tunnel stands where no template asks for one
 */
export function satisfiesTemplates(
  templates: readonly UserTmpl[],
  path: readonly Protector[],
  length: number,
): boolean {
  let next = 0
  for (let i = templates.length - 1; i >= 0; i--) {
    const tmpl = templates[i]
    if (!tmpl) return false
    next = nextMatch(tmpl, path, next, length)
    if (next < 0) return false
  }
  // Transport protection beyond the templates is tolerated, a tunnel is not.
  for (; next < length; next++) if (path[next]?.isTunnel) return false
  return true
}

/** Where to go on behind the SA that meets the template; -1 where none does. */
function nextMatch(tmpl: UserTmpl, path: readonly Protector[], from: number, length: number): number {
  // The kernel takes an optional template of transport mode as met without a look.
  if (tmpl.optional !== 0 && tmpl.mode === mode.TRANSPORT) return from
  for (let at = from; at < length; at++) {
    const state = path[at]
    if (!state) return -1
    if (isMet(tmpl, state)) return at + 1
    if (state.isTunnel) return tmpl.optional !== 0 ? from : -1
  }
  return tmpl.optional !== 0 ? from : -1
}

function isMet(tmpl: UserTmpl, { body, attributes, isTunnel }: Protector): boolean {
  return (
    body.id.proto === tmpl.id.proto &&
    (tmpl.id.spi === 0 || tmpl.id.spi === body.id.spi) &&
    (tmpl.reqid === 0 || tmpl.reqid === body.reqid) &&
    body.mode === tmpl.mode &&
    allowsIntegrity(tmpl, attributes) &&
    (!isTunnel || sameSource(tmpl, body.saddr))
  )
}

/** All three masks full means that any algorithm is right. */
function allowsIntegrity({ aalgos, ealgos, calgos }: UserTmpl, attributes: State['attributes']): boolean {
  if ((aalgos & ealgos & calgos) >>> 0 === 0xffffffff) return true
  return ((aalgos >>> integrityNumber(attributes)) & 1) === 1
}

/** `props.aalgo`: the PF_KEY number of the integrity algorithm; 0 for combined modes, and for those without one. */
function integrityNumber({ alg_auth_trunc, alg_auth }: State['attributes']): number {
  return INTEGRITY_NUMBERS[alg_auth_trunc?.alg_name ?? alg_auth?.alg_name ?? ''] ?? 0
}

/** `desc.sadb_alg_id` of net/xfrm/xfrm_algo.c. */
const INTEGRITY_NUMBERS: Readonly<Record<string, number>> = {
  'hmac(md5)': 2,
  'hmac(sha1)': 3,
  'hmac(sha256)': 5,
  'hmac(sha384)': 6,
  'hmac(sha512)': 7,
  'hmac(rmd160)': 8,
  'xcbc(aes)': 9,
}

/** A template without a source takes any. */
function sameSource({ saddr }: UserTmpl, actual: Uint8Array): boolean {
  return saddr.every((byte) => byte === 0) || saddr.every((byte, i) => byte === actual[i])
}
