/**
 * How long the kernel keeps a request for an SA, and an SA that is being made (`net.core.xfrm_acq_expires`), in the
 * network namespace of the calling thread.
 *
 * @module
 */
import { readFileSync, writeFileSync } from 'node:fs'

const PATH = '/proc/sys/net/core/xfrm_acq_expires'

/** Seconds; `undefined` where the kernel has no XFRM. */
export function readAcquireExpiry(): number | undefined {
  try {
    return Number(readFileSync(PATH, 'utf8'))
  } catch {
    return undefined
  }
}

/** @throws Error of the system, for want of privilege or of the setting */
export function writeAcquireExpiry(seconds: number): void {
  writeFileSync(PATH, `${seconds}\n`)
}
