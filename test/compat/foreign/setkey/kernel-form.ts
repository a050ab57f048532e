/**
 * Policies of scripts and of the kernel in one form, to be compared.
 *
 * @module
 */
import assert from 'node:assert/strict'
import type { KernelPolicy } from '../../../../agent/translate/kernel-policy.ts'
import { familyNumber } from '../../../../agent/translate/selectors.ts'
import { toXfrmAddress } from '../../../../netlink/xfrm/address.ts'
import { action, dir, mode, proto } from '../../../../netlink/xfrm/constants.ts'
import type { SpokenPolicy } from './setkey-language.ts'

const DIRECTIONS: Readonly<Record<number, string>> = { [dir.IN]: 'in', [dir.OUT]: 'out', [dir.FWD]: 'fwd' }
export const hexOf = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')

/** A spoken policy as the kernel has it. */
export function spoken(one: SpokenPolicy): string {
  const { source, destination, protocol, requests } = one
  return JSON.stringify([
    [one.direction, familyNumber(source.address.family)],
    [hexOf(toXfrmAddress(source.address.bytes)), source.length, source.port],
    [hexOf(toXfrmAddress(destination.address.bytes)), destination.length, destination.port],
    protocol === 255 ? 0 : protocol,
    one.priority,
    one.verdict === 'discard' ? 'block' : 'allow',
    requests.map(({ ends, unique, ...rest }) => {
      const [from, to] = ends ?? []
      const tunnel = from && to ? [hexOf(toXfrmAddress(from.bytes)), hexOf(toXfrmAddress(to.bytes))] : []
      return [rest.protocol, rest.mode, ...tunnel, unique]
    }),
  ])
}

/** A policy of the kernel in the same form. @returns nothing for exceptions that there are no words for */
export function wanted(policy: KernelPolicy, numberOf: (reqid: number) => number | undefined): string[] {
  const { sel, tmpl } = policy
  const isBlocked = policy.action === action.BLOCK
  const isByAddress = sel.ifindex === 0 || (policy.dir === dir.OUT && tmpl.length > 0)
  const types = expand(sel.sport, sel.sport_mask)
  const codes = expand(sel.dport, sel.dport_mask)
  const isSayable = isByAddress || (isBlocked && policy.dir === dir.OUT)
  if (!isSayable || types.concat(codes).includes(-1)) {
    assert.ok(!isBlocked && tmpl.length === 0, 'only exceptions are left out')
    return []
  }
  return types.flatMap((sport) =>
    codes.map((dport) =>
      JSON.stringify([
        [DIRECTIONS[policy.dir], sel.family],
        [hexOf(sel.saddr), sel.prefixlen_s, sport],
        [hexOf(sel.daddr), sel.prefixlen_d, dport],
        sel.proto,
        policy.priority,
        isBlocked ? 'block' : 'allow',
        tmpl.map((one) => {
          const isTunnel = one.mode === mode.TUNNEL
          const ends = isTunnel ? [hexOf(one.saddr), hexOf(one.id.daddr)] : []
          const kind = isTunnel ? 'tunnel' : 'transport'
          return [one.id.proto === proto.AH ? 'ah' : 'esp', kind, ...ends, numberOf(one.reqid)]
        }),
      ]),
    ),
  )
}

/** Values under a mask; -1 stands for a 0 that is meant. */
function expand(value: number, mask: number): number[] {
  if (mask === 0) return [0]
  const all = Array.from({ length: 65536 - mask }, (_, i) => value + i)
  return all.length >= 256 ? [0] : all.map((one) => (one === 0 ? -1 : one))
}
