/**
 * What XFRM's messages about SAs do to the SADB.
 *
 * @module
 */

import type { XfrmAttributes } from '../../../../netlink/xfrm/attributes.ts'
import { mode, proto, stateFlag } from '../../../../netlink/xfrm/constants.ts'
import type { XfrmMessage } from '../../../../netlink/xfrm/messages.ts'
import type { AddressFilter, UsersaId } from '../../../../netlink/xfrm/structs.ts'
import { UnsupportedAlgorithmError } from '../crypto/keying.ts'
import type { Databases } from '../databases.ts'
import { areCountable, State, type StateSurroundings, UNCOUNTABLE } from '../state/state.ts'
import { RequestError } from './request-error.ts'
import { stateMessage } from './state-message.ts'

type NewState = XfrmMessage<'NEWSA'> | XfrmMessage<'UPDSA'>

/** Makes the surroundings of a new SA. */
export type SurroundingsOf = (body: NewState['body']) => StateSurroundings

const FIRST_GOOD_SPI = 1

/** @throws RequestError */
export function addState(databases: Databases, message: NewState, surroundingsOf: SurroundingsOf): State {
  const { body, attributes } = message
  checkState(message)
  if (databases.states.find(idOf(body))) throw new RequestError('EEXIST', 'this SA exists')
  const state = new State({ body, attributes }, surroundingsOf(body))
  try {
    state.verifyAlgorithms()
  } catch (error) {
    if (error instanceof UnsupportedAlgorithmError) throw new RequestError('ENOSYS', error.message)
    throw error
  }
  databases.states.add(state)
  databases.generation++
  return state
}

function checkState({ body, attributes }: NewState): void {
  const { alg_auth, alg_auth_trunc, alg_crypt, alg_aead, alg_comp, encap } = attributes
  const isAh = body.id.proto === proto.AH
  const refuse = (text: string) => new RequestError('EINVAL', text)
  if (!isAh && body.id.proto !== proto.ESP) {
    throw new RequestError('EPROTONOSUPPORT', 'the software data path has ESP and AH')
  }
  if (body.mode !== mode.TRANSPORT && body.mode !== mode.TUNNEL) throw refuse('Unsupported mode')
  if (body.id.spi < FIRST_GOOD_SPI) throw refuse('an SA without algorithms cannot be added')
  if (isAh && !(alg_auth || alg_auth_trunc)) throw refuse('Missing required attribute for AH: AUTH_TRUNC')
  if (isAh && (alg_aead || alg_crypt || encap)) throw refuse('Invalid attributes for AH')
  if (!isAh && !(alg_aead || alg_crypt || alg_auth || alg_auth_trunc)) {
    throw refuse('Missing required attribute for ESP: at least one of AUTH, AUTH_TRUNC, CRYPT, AEAD')
  }
  if (alg_aead && (alg_crypt || alg_auth || alg_auth_trunc)) throw refuse('Invalid attribute combination')
  if (alg_comp) throw refuse('compression is not supported')
  if (attributes.if_id || attributes.mark?.m || attributes.offload_dev) {
    throw refuse('marks, interface ids and offload of SAs are not supported by the software data path')
  }
  checkReplay(body, attributes)
}

function checkReplay(body: NewState['body'], attributes: XfrmAttributes): void {
  const { replay_esn_val: esn } = attributes
  const isExtended = (body.flags & stateFlag.ESN) !== 0
  if (!esn && body.replay_window > 32) throw new RequestError('EINVAL', 'Replay window too big')
  if (!isExtended) return
  if (!esn) throw new RequestError('EINVAL', 'Missing required attribute for ESN')
  if (esn.replay_window === 0) throw new RequestError('EINVAL', 'ESN replay window must be greater than 0')
  if (!areCountable(attributes)) throw new RequestError('EINVAL', UNCOUNTABLE)
}

function idOf({ id, family }: NewState['body']) {
  return { family, daddr: id.daddr, spi: id.spi, proto: id.proto }
}

/** @throws RequestError ESRCH */
export function existingState(databases: Databases, id: UsersaId): State {
  const state = databases.states.find(id)
  if (!state) throw new RequestError('ESRCH', 'there is no such SA')
  return state
}

/** @throws RequestError */
export function updateState(databases: Databases, { body, attributes }: XfrmMessage<'UPDSA'>): State {
  const state = existingState(databases, idOf(body))
  state.update(body.lft, attributes)
  databases.generation++
  return state
}

export function removeState(databases: Databases, state: State): void {
  databases.states.remove(state)
  databases.generation++
  state.destroy()
}

/** Removes all SAs of a protocol; 0 and 255 stand for every one. */
export function flushStates(databases: Databases, protocol: number): void {
  for (const state of [...databases.states.all()]) {
    if (isOf(state, protocol)) removeState(databases, state)
  }
}

function isOf({ body }: State, protocol: number): boolean {
  return protocol === 0 || protocol === proto.ANY || body.id.proto === protocol
}

/** The SAs of a dump, with its filter. */
export function* dumpStates(
  databases: Databases,
  { proto: protocol = 0, address_filter: filter }: XfrmAttributes,
): Generator<XfrmMessage<'NEWSA'>, void> {
  for (const state of databases.states.all()) {
    if (isOf(state, protocol) && (!filter || passes(filter, state))) yield stateMessage(state)
  }
}

function passes({ family, saddr, daddr, splen, dplen }: AddressFilter, { body }: State): boolean {
  if (family !== 0 && family !== body.family) return false
  return samePrefix(saddr, body.saddr, splen) && samePrefix(daddr, body.id.daddr, dplen)
}

function samePrefix(a: Uint8Array, b: Uint8Array, bits: number): boolean {
  for (let bit = 0; bit < bits; bit += 8) {
    const mask = (0xff00 >> Math.min(8, bits - bit)) & 0xff
    if ((((a[bit >> 3] ?? 0) ^ (b[bit >> 3] ?? 0)) & mask) !== 0) return false
  }
  return true
}
