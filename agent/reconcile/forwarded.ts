/**
 * Marks packets that this host only forwards, so that outbound policies can leave them out: Solaris does not hold
 * forwarded packets against the host's policy, Linux does.
 *
 * One nftables rule sets one mark bit in prerouting, in a table of our own.
 *
 * @module
 */
import { spawnSync } from 'node:child_process'

const TABLE = 'solipsec'

/** nftables is needed, but not there or not willing. */
export class ForwardedMarkError extends Error {
  constructor(reason: string) {
    super(
      `this host forwards packets, and nft, which must tell them from its own, failed: ${reason} ` +
        `(install the package nftables, or turn forwarding off)`,
    )
    this.name = 'ForwardedMarkError'
  }
}

/**
 * Makes the nftables table say what it should: mark forwarded packets, or be absent.
 *
 * @param bit the mark bit to set; 0 = no forwarded packets to tell apart
 * @throws ForwardedMarkError
 */
export function syncForwardedMark(bit: number): void {
  if (bit === 0) {
    // Nothing to remove where nft is absent or has no such table.
    if (hasTable()) runNft(`delete table inet ${TABLE}\n`)
    return
  }
  runNft(
    `table inet ${TABLE}\ndelete table inet ${TABLE}\ntable inet ${TABLE} {\n` +
      `chain prerouting {\ntype filter hook prerouting priority mangle; policy accept;\n` +
      `fib daddr type unicast meta mark set meta mark or 0x${bit.toString(16)}\n}\n}\n`,
  )
}

function hasTable(): boolean {
  const { status } = spawnSync('nft', ['list', 'table', 'inet', TABLE], { stdio: 'ignore' })
  return status === 0
}

function runNft(script: string): void {
  const { error, status, stderr } = spawnSync('nft', ['-f', '-'], { input: script, encoding: 'utf8' })
  if (error) throw new ForwardedMarkError(error.message)
  if (status !== 0) throw new ForwardedMarkError(stderr.trim().split('\n')[0] ?? `exit ${status}`)
}
