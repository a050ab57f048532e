/**
 * Memory with an address that C functions can be told: packets lie in it, and places in it are plain numbers on both
 * sides, so that a call needs no object for each of its arguments.
 *
 * @module
 */
import { type Memory, memoryOf } from '../codec/memory.ts'
import { koffi } from './ffi.ts'

/** A stretch of memory that stays where it is for as long as the object lives. */
export interface Arena extends Memory {
  /** Address of its first byte. */
  readonly address: number
}

/** Memory of `size` zero bytes. */
export function allocateArena(size: number): Arena {
  // Small arrays may lie in the garbage collector's own heap, and move.
  const bytes = new Uint8Array(new ArrayBuffer(Math.max(size, 4096)))
  return { ...memoryOf(bytes), address: Number(koffi().address(bytes)) }
}
