/**
 * Where the software data path of a network namespace keeps its files, and what it is called.
 *
 * @module
 */
import { join } from 'node:path'

/** Paths in the namespace's state folder. */
export interface ServicePlace {
  /** Where programs talk to it. */
  readonly socket: string
  /** What it has to know after a crash. That there is one says that the namespace's data path is this one. */
  readonly journal: string
  /** Held by the program that runs; its number stands in it. */
  readonly lock: string
  /** Why it could not begin, or came to an end. */
  readonly log: string
}

/** @param folder the state folder of the namespace */
export function servicePlace(folder: string): ServicePlace {
  return {
    socket: join(folder, 'datapath.sock'),
    journal: join(folder, 'datapath.journal'),
    lock: join(folder, 'datapath.lock'),
    log: join(folder, 'datapath.log'),
  }
}

/** Name of the device that packets are steered to; there, they are in clear. */
export const DEVICE = 'solipsec0'
