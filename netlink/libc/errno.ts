/**
 * Error numbers of the system with their names and texts.
 *
 * @module
 */
import { constants } from 'node:os'
import { getSystemErrorMap } from 'node:util'

/** Numbers that Linux returns, also over netlink, and that Node has no name for. */
const LINUX_ONLY: readonly (readonly [number, string, string])[] = [
  [121, 'EREMOTEIO', 'remote input/output error'],
  [126, 'ENOKEY', 'required key not available'],
  [127, 'EKEYEXPIRED', 'key has expired'],
  [128, 'EKEYREVOKED', 'key has been revoked'],
  [129, 'EKEYREJECTED', 'key was rejected by service'],
  [524, 'ENOTSUPP', 'operation not supported inside the kernel'],
]

/** Two names share one number; these are the ones that the man pages of sockets use. */
const PREFERRED = ['EAGAIN', 'EOPNOTSUPP', 'EDEADLK']

let names: Map<number, string> | undefined
let texts: Map<number, string> | undefined

function nameTable(): Map<number, string> {
  if (names) return names
  names = new Map(Object.entries(constants.errno).map(([name, number]) => [number, name]))
  for (const [number, name] of LINUX_ONLY) names.set(number, name)
  for (const name of PREFERRED) {
    const number = (constants.errno as Record<string, number>)[name]
    if (number !== undefined) names.set(number, name)
  }
  return names
}

/** `ENOENT` for 2; `errno 4711` where the number has no name. */
export function errnoName(errno: number): string {
  return nameTable().get(errno) ?? `errno ${errno}`
}

/** The number of a name as {@link errnoName} gives it; `undefined` where there is none. */
export function errnoNumber(name: string): number | undefined {
  const own = LINUX_ONLY.find((row) => row[1] === name)
  return own ? own[0] : (constants.errno as Record<string, number>)[name]
}

/** Made once: Node builds its map anew at each call. */
function textTable(): Map<number, string> {
  if (texts) return texts
  texts = new Map([...getSystemErrorMap()].map(([number, [, text]]) => [-number, text]))
  for (const [number, , text] of LINUX_ONLY) texts.set(number, text)
  return texts
}

/** Numbers that are normal answers, and are asked for with each packet. */
export const { EAGAIN, EINTR } = constants.errno

/** A short English text, `unknown error` where there is none. */
export function errnoText(errno: number): string {
  return textTable().get(errno) ?? 'unknown error'
}

/** A system call that failed. `code` is the errno's name, as with Node's own errors. */
export class SystemError extends Error {
  override readonly name = 'SystemError'
  readonly syscall: string
  readonly errno: number
  readonly code: string

  constructor(syscall: string, errno: number) {
    super(`${syscall}: ${errnoName(errno)} (${errnoText(errno)})`)
    this.syscall = syscall
    this.errno = errno
    this.code = errnoName(errno)
  }
}
