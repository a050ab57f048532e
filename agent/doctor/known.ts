/**
 * Facts that may not be had: nothing is claimed that was neither tried nor read.
 *
 * @module
 */

/** A fact, or why it is not known. */
export type Known<T> = { readonly value: T } | { readonly unknown: string }

/** The outcome of trying something out. */
export type Trial =
  | { readonly outcome: 'works' }
  /** Tried, and refused: `why` is the kernel's reason. */
  | { readonly outcome: 'fails'; readonly why: string }
  | { readonly outcome: 'untried'; readonly why: string }

export const WORKS: Trial = { outcome: 'works' }

export function fails(why: string): Trial {
  return { outcome: 'fails', why }
}

export function untried(why: string): Trial {
  return { outcome: 'untried', why }
}

/** The fact, or `undefined`. */
export function knownValue<T>(fact: Known<T>): T | undefined {
  return 'value' in fact ? fact.value : undefined
}

/** Looks, and takes a refusal of the system for an answer. Errors of ours are thrown on. */
export function look<T>(read: () => T): Known<T> {
  try {
    return { value: read() }
  } catch (error) {
    return { unknown: reasonOf(error) }
  }
}

/** Why the system refused, in few words. @throws what is no refusal of the system */
export function reasonOf(error: unknown): string {
  const code = codeOf(error)
  if (code === undefined || !(error instanceof Error)) throw error
  return isDenied(error) ? `not permitted (${code})` : error.message
}

/** True where the caller lacks the privilege, and not the kernel the thing. */
export function isDenied(error: unknown): boolean {
  const code = codeOf(error)
  return code === 'EPERM' || code === 'EACCES'
}

/** Name of the error of a system call, or of netlink. */
function codeOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined
  const { errnoName, code } = error as Error & { errnoName?: unknown; code?: unknown }
  const name = errnoName ?? code
  return typeof name === 'string' && /^(E[A-Z0-9]+|ERR_NET\w+)$/.test(name) ? name : undefined
}
