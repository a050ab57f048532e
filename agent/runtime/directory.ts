/**
 * Where files live that are as short-lived as the kernel's own tables: a tmpfs, gone at boot.
 *
 * @module
 */
const DEFAULT = '/run/solipsec'

/** The runtime directory, unless `SOLIPSEC_RUN_DIR` says otherwise. */
export function runDirectory(): string {
  return process.env.SOLIPSEC_RUN_DIR || DEFAULT
}
