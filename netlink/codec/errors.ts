/**
 * What a codec says when bytes or values do not fit their description. Neither error ever quotes payload
 * bytes: they may be keys.
 *
 * @module
 */

/** Bytes that do not fit their description: short, over-long or malformed. */
export class DecodeError extends Error {
  readonly code = 'ERR_NETLINK_DECODE'
  override readonly name = 'DecodeError'
  /** What is wrong, without the place. */
  readonly reason: string
  /** Byte at which it is wrong, counted from the start of what was decoded. */
  readonly offset: number
  /** The field or attribute at that byte, such as `XFRMA_TMPL[1].id.spi`. */
  readonly path: string

  constructor(reason: string, offset: number, path: string) {
    super(`${path === '' ? '' : `${path}: `}${reason} (byte ${offset})`)
    this.reason = reason
    this.offset = offset
    this.path = path
  }
}

/** A value that its description cannot hold: a mistake of the program that built it. */
export class EncodeError extends RangeError {
  readonly code = 'ERR_NETLINK_ENCODE'
  override readonly name = 'EncodeError'
  readonly reason: string
  readonly path: string

  constructor(reason: string, path = '') {
    super(path === '' ? reason : `${path}: ${reason}`)
    this.reason = reason
    this.path = path
  }
}

/** Puts the name of what encloses it in front of an error's path. Errors of any other kind pass unchanged. */
export function within(prefix: string, error: unknown): unknown {
  if (error instanceof DecodeError) {
    return new DecodeError(error.reason, error.offset, join(prefix, error.path))
  }
  if (error instanceof EncodeError) return new EncodeError(error.reason, join(prefix, error.path))
  return error
}

/** Joins two parts of a path: `sel` and `family` by a dot, `XFRMA_TMPL` and `[1]` by nothing. */
export function join(prefix: string, path: string): string {
  if (prefix === '' || path === '') return prefix + path
  return path.startsWith('[') ? prefix + path : `${prefix}.${path}`
}
