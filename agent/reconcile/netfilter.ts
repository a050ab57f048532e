/**
 * What XFRM cannot tell about a packet and netfilter can, in an nftables table of our own:
 *
 * - whether this host only forwards it: Solaris does not hold forwarded packets against the host's policy, Linux
 *   does. One mark bit says so, and outbound policies leave such packets out.
 * - whether it came in from outside with a source address of this host: over IPv6 such packets would pass for this
 *   host's traffic with itself, which needs no protection. They are dropped.
 * - whether an SA protected it at all: what comes out of a tunnel interface still bears the class mark of the SA that
 *   protected the tunnel's own packet. It is taken off.
 *
 * @module
 */
import { spawnSync } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'

/** Its name. */
export const NETFILTER_TABLE = 'solipsec'

/** What the table has to do. */
export interface NetfilterRules {
  /** The mark bit that forwarded packets get; 0 = none. */
  readonly forwardedMark: number
  /** Drop what comes from outside under an IPv6 address of this host. */
  readonly guardsOwnAddresses: boolean
  /** The mark bits of classes, to be taken off what no SA protects; 0 = none. */
  readonly classMarks: number
}

/** Nothing to do: the table is absent. */
export const NO_NETFILTER_RULES: NetfilterRules = {
  forwardedMark: 0,
  guardsOwnAddresses: false,
  classMarks: 0,
}

/** nftables is needed, but not there or not willing. */
export class NetfilterError extends Error {
  constructor(reason: string) {
    super(
      `nft, which must tell this host's packets from others, failed: ${reason} ` +
        `(install the package nftables; on a host that forwards packets it is needed)`,
    )
    this.name = 'NetfilterError'
  }
}

/** True where rules differ. */
export function sameNetfilterRules(a: NetfilterRules, b: NetfilterRules): boolean {
  return (
    a.forwardedMark === b.forwardedMark &&
    a.guardsOwnAddresses === b.guardsOwnAddresses &&
    a.classMarks === b.classMarks
  )
}

/** True where there is an nft to run. */
export function hasNft(): boolean {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/sbin']
  return folders.some((folder) => {
    try {
      accessSync(join(folder, 'nft'), constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}

/** The script for nft(8) that makes the table do just this. */
export function netfilterScript({ forwardedMark, guardsOwnAddresses, classMarks }: NetfilterRules): string {
  const chains: string[] = []
  if (guardsOwnAddresses) {
    chains.push(
      'chain guard { type filter hook prerouting priority raw; policy accept;',
      'meta nfproto ipv6 iif != lo fib saddr type local drop; }',
    )
  }
  if (classMarks !== 0) {
    chains.push(
      'chain unprotected { type filter hook prerouting priority raw; policy accept;',
      `meta ipsec missing meta mark & ${hex(classMarks)} != 0 meta mark set meta mark and ${hex(~classMarks)}; }`,
    )
  }
  if (forwardedMark !== 0) {
    // Behind destination NAT (priority -100): only then is it known whether a packet is for this host.
    chains.push(
      'chain forwarded { type filter hook prerouting priority -99; policy accept;',
      `fib daddr type unicast meta mark set meta mark or ${hex(forwardedMark)}; }`,
    )
  }
  // Naming it first makes the deletion succeed where it is not there yet; all of a script happens at once.
  const gone = `table inet ${NETFILTER_TABLE}\ndelete table inet ${NETFILTER_TABLE}\n`
  return chains.length === 0 ? gone : `${gone}table inet ${NETFILTER_TABLE} {\n${chains.join('\n')}\n}\n`
}

function hex(bits: number): string {
  return `0x${(bits >>> 0).toString(16)}`
}

/**
 * Makes the table do just this.
 *
 * @throws NetfilterError
 */
export function syncNetfilter(rules: NetfilterRules): void {
  const { error, status, stderr } = nft(['-f', '-'], netfilterScript(rules))
  if (error) throw new NetfilterError(error.message)
  if (status !== 0) throw new NetfilterError(stderr.trim().split('\n')[0] ?? `exit ${status}`)
}

/** What is in the table now, in the words of nft: to be compared with what it was. Empty where there is none. */
export function listNetfilter(): string {
  return nft(['--stateless', 'list', 'table', 'inet', NETFILTER_TABLE], '').stdout ?? ''
}

function nft(argv: readonly string[], input: string) {
  return spawnSync('nft', argv, {
    input,
    encoding: 'utf8',
    env: { ...process.env, PATH: `${process.env.PATH ?? ''}${delimiter}/usr/sbin${delimiter}/sbin` },
  })
}
