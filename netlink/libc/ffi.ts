/**
 * The foreign-function library, loaded at the first call and not at import: it costs some 10 ms, which a
 * command that makes no system call of ours must not pay.
 *
 * @module
 */
import { createRequire } from 'node:module'

type Koffi = typeof import('koffi')

let koffiModule: Koffi | undefined
let program: ReturnType<Koffi['load']> | undefined

/** The library itself, for its struct types and its place on the event loop. */
export function koffi(): Koffi {
  koffiModule ??= createRequire(import.meta.url)('koffi') as Koffi
  return koffiModule
}

/** True once {@link koffi} has been called: what the cold-start test looks at. */
export function isLoaded(): boolean {
  return koffiModule !== undefined
}

/**
 * A C function of the program that runs us (so of the C library that Node itself uses), bound at its first
 * call. The call is synchronous and runs in the calling thread: it sees that thread's network namespace.
 *
 * @param prototype - the C declaration; `long` stands for ssize_t
 */
export function foreign<Args extends unknown[], Result>(prototype: string): (...args: Args) => Result {
  let bound: ((...args: Args) => Result) | undefined
  return (...args) => {
    bound ??= bind<Args, Result>(prototype)
    return bound(...args)
  }
}

/**
 * As {@link foreign}, bound at once: for calls so frequent that the step in between would count.
 *
 * @throws where the program has no function of this name
 */
export function bind<Args extends unknown[], Result>(prototype: string): (...args: Args) => Result {
  program ??= koffi().load(null)
  return program.func(prototype) as unknown as (...args: Args) => Result
}

/** `errno` as the last foreign call left it. Read it before the next call. */
export function lastErrno(): number {
  return koffi().errno()
}
