/**
 * Packet marks that XFRM itself does not set right, mended by nftables in prerouting, in a table of our own:
 *
 * - Packets that this host only forwards get a mark bit, so that outbound policies can leave them out: Solaris does not
 *   hold forwarded packets against the host's policy, Linux does.
 * - A packet that comes out of a tunnel interface still bears the class of the SA that protected the tunnel's own
 *   packet, but no SA protects it: the class is taken off.
 *
 * @module
 */
import { spawnSync } from 'node:child_process'
import { markLayout } from '../translate/marks.ts'
import type { PolicyState } from './policy-state.ts'

const TABLE = 'solipsec'

/** nftables is needed, but not there or not willing. */
export class ForwardedMarkError extends Error {
  constructor(reason: string) {
    super(
      `this host forwards packets or takes them out of a protected tunnel, and nft, which must tell them from its ` +
        `others, failed: ${reason} (install the package nftables, or turn forwarding off)`,
    )
    this.name = 'ForwardedMarkError'
  }
}

/**
 * Makes the nftables table say what a state needs, or be absent where it needs nothing (`forwardedMark` 0).
 *
 * @throws ForwardedMarkError
 */
export function syncForwardedMark({
  forwardedMark,
  markMask,
}: Pick<PolicyState, 'forwardedMark' | 'markMask'>): void {
  if (forwardedMark === 0) {
    // Nothing to remove where nft is absent or has no such table.
    if (hasTable()) runNft(`delete table inet ${TABLE}\n`)
    return
  }
  const classes = markLayout(markMask)?.classes ?? 0
  runNft(
    `table inet ${TABLE}\ndelete table inet ${TABLE}\ntable inet ${TABLE} {\n` +
      `chain prerouting {\ntype filter hook prerouting priority mangle; policy accept;\n` +
      `meta ipsec missing meta mark & ${hex(classes)} != 0 meta mark set meta mark and ${hex(~classes)}\n` +
      `fib daddr type unicast meta mark set meta mark or ${hex(forwardedMark)}\n}\n}\n`,
  )
}

function hex(bits: number): string {
  return `0x${(bits >>> 0).toString(16)}`
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
