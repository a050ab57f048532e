/**
 * What the system said, without the marks that Node.js puts around it for programmers.
 *
 * @module
 */

/** An error, perhaps with what Node.js adds to those of system calls. */
export type MaybeSystemError = Error & {
  readonly code?: unknown
  readonly syscall?: unknown
  readonly path?: unknown
  readonly dest?: unknown
}

/**
 * `no such file or directory`, out of `ENOENT: no such file or directory, open '/etc/x'`. Any other message is left
 * as it is.
 */
export function systemReason({ code, syscall, message }: MaybeSystemError): string {
  const start = `${code}: `
  const end = message.indexOf(`, ${syscall}`)
  return code !== undefined && syscall !== undefined && message.startsWith(start) && end > 0
    ? message.slice(start.length, end)
    : message
}

/** The same, after the file that it is about: `/etc/x: no such file or directory`. */
export function systemText(error: MaybeSystemError): string {
  const { path, dest } = error
  const files = dest === undefined ? path : `${path} to ${dest}`
  return files === undefined ? error.message : `${files}: ${systemReason(error)}`
}
