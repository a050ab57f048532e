/**
 * Lifetime extensions to the model's lifetimes, and the rule that a soft limit lies below its hard one.
 *
 * @module
 */
import type { IdleLifetime, Lifetime } from '../../../agent/model/association.ts'
import type { EntryReader } from './entry.ts'
import type { Fields } from './extensions.ts'
import { pfkeyDiagnostic } from './pfkey-diagnostics.ts'

const NO_LIMITS: Lifetime = { allocations: 0n, bytes: 0n, addTime: 0n, useTime: 0n }
const NO_IDLE_LIMITS: IdleLifetime = { addTime: 0n, useTime: 0n }

/** The limits that the entry gives, only those. */
export function givenLimits(fields: Fields, kind: 'soft' | 'hard'): Partial<Lifetime> | undefined {
  const allocations = fields[`${kind}Allocations`]
  const bytes = fields[`${kind}Bytes`]
  const addTime = fields[`${kind}AddTime`]
  const useTime = fields[`${kind}UseTime`]
  if (!allocations && !bytes && !addTime && !useTime) return undefined
  return {
    ...(allocations && { allocations: allocations.value }),
    ...(bytes && { bytes: bytes.value }),
    ...(addTime && { addTime: addTime.value }),
    ...(useTime && { useTime: useTime.value }),
  }
}

export function givenIdleLimits(fields: Fields): Partial<IdleLifetime> | undefined {
  const { idleAddTime: addTime, idleUseTime: useTime } = fields
  if (!addTime && !useTime) return undefined
  return { ...(addTime && { addTime: addTime.value }), ...(useTime && { useTime: useTime.value }) }
}

/** All limits of a new SA; 0 where none is given. */
export function limitsOf(fields: Fields, kind: 'soft' | 'hard'): Lifetime {
  const allocations = fields[`${kind}Allocations`]
  const bytes = fields[`${kind}Bytes`]
  const addTime = fields[`${kind}AddTime`]
  const useTime = fields[`${kind}UseTime`]
  if (!allocations && !bytes && !addTime && !useTime) return NO_LIMITS
  return {
    allocations: allocations?.value ?? 0n,
    bytes: bytes?.value ?? 0n,
    addTime: addTime?.value ?? 0n,
    useTime: useTime?.value ?? 0n,
  }
}

export function idleLimitsOf(fields: Fields): IdleLifetime {
  const given = givenIdleLimits(fields)
  return given ? { ...NO_IDLE_LIMITS, ...given } : NO_IDLE_LIMITS
}

const LIMITS = [
  ['softAllocations', 'hardAllocations', 14],
  ['softBytes', 'hardBytes', 15],
  ['softAddTime', 'hardAddTime', 16],
  ['softUseTime', 'hardUseTime', 17],
] as const

/** Refuses soft limits above the hard limits of the same entry. */
export function checkLimits(reader: EntryReader, fields: Fields): void {
  for (const [softSlot, hardSlot, code] of LIMITS) {
    const soft = fields[softSlot]
    const hard = fields[hardSlot]
    if (!soft || !hard || hard.value === 0n || soft.value <= hard.value) continue
    reader.error(pfkeyDiagnostic(code), soft.token, `at most ${hard.value}, the hard limit`)
  }
}
