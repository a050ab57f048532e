/**
 * Facts of hosts that are made up: a good one, to be made worse.
 *
 * @module
 */
import type { Answer, FamilyFeatures } from '../../../agent/datapath/kernel/features.ts'
import type { AbilityFacts, AlgorithmFacts } from '../../../agent/doctor/facts/abilities.ts'
import type { FolderState } from '../../../agent/doctor/facts/files.ts'
import type { TableFacts } from '../../../agent/doctor/facts/tables.ts'
import type { Facts } from '../../../agent/doctor/facts.ts'
import type { Finding } from '../../../agent/doctor/finding.ts'
import { fails, WORKS } from '../../../agent/doctor/known.ts'
import { capabilityNames } from '../../../netlink/libc/capabilities.ts'

export const YES: Answer = { works: true }
export const NO: Answer = { works: false, why: 'Requested type not found' }

export const FAMILY: FamilyFeatures = {
  esp: YES,
  ah: YES,
  tunnel: YES,
  encapsulation: YES,
  esn: YES,
  socketPolicy: YES,
}
/** A kernel without ESP and AH. */
export const BARE: FamilyFeatures = {
  esp: NO,
  ah: NO,
  tunnel: undefined,
  encapsulation: undefined,
  esn: undefined,
  socketPolicy: YES,
}

export const AES: AlgorithmFacts = {
  name: 'aes-cbc',
  kind: 'encryption',
  kernelName: 'cbc(aes)',
  kernel: WORKS,
  inSoftware: true,
}

export const NO_TABLES: TableFacts = {
  ourPolicies: 0,
  otherPolicies: 0,
  socketPolicies: 0,
  ourStates: 0,
  otherStates: 0,
  tunnelStates: 0,
}

export const FOLDER: FolderState = { isFolder: true, uid: 0, mode: 0o700, isInMemory: true, readable: [] }

const abilities: AbilityFacts = {
  xfrm: WORKS,
  features: { families: { IPv4: FAMILY, IPv6: FAMILY }, extack: YES },
  algorithms: [AES],
  library: 'openssl',
}

export const GOOD: Facts = {
  versions: { node: '20.11.0', solipsec: '0.1.0' },
  kernel: {
    release: '6.1.0-17-amd64',
    architecture: 'x64',
    options: { value: new Map([['INET_ESP', 'm']]) },
    modules: { value: new Set(['esp4', 'esp6', 'ah4', 'ah6']) },
  },
  privileges: {
    isRoot: true,
    capabilities: new Set(capabilityNames),
    isFirstUserNamespace: true,
    lockdown: { value: 'none' },
  },
  abilities,
  tunnels: { ipip: WORKS, ip6tnl: WORKS, gre: WORKS, ip6gre: WORKS },
  software: { hasNft: true, steering: WORKS, marking: WORKS, tun: WORKS },
  speed: {
    hasAesInstructions: { value: true },
    drivers: { value: [{ name: 'cbc(aes)', driver: 'cbc-aes-aesni', priority: 400 }] },
    isFips: { value: false },
    devices: [{ name: 'eth0', features: { value: [] } }],
  },
  settings: new Map([
    ['core/xfrm_acq_expires', '30'],
    ['core/xfrm_larval_drop', '1'],
    ['ipv4/ip_forward', '0'],
    ['ipv4/ip_no_pmtu_disc', '0'],
    ['ipv4/ipfrag_high_thresh', '4194304'],
    ['ipv4/ipfrag_time', '30'],
    ['ipv4/xfrm4_gc_thresh', '32768'],
    ['ipv4/conf/all/rp_filter', '0'],
    ['ipv4/conf/all/accept_redirects', '0'],
    ['ipv4/conf/lo/disable_xfrm', '1'],
    ['ipv4/conf/eth0/disable_xfrm', '0'],
    ['ipv4/conf/eth0/rp_filter', '0'],
    ['ipv6/conf/all/disable_ipv6', '0'],
  ]),
  interfaces: {
    value: [
      { name: 'lo', isLoopback: true },
      { name: 'eth0', isLoopback: false },
    ],
  },
  supply: { value: { rules: 0, lacking: [], unclaimed: [] } },
  policies: {
    kernel: { value: NO_TABLES },
    defaults: { value: { in: 'accept', fwd: 'accept', out: 'accept' } },
    losses: { value: new Map() },
  },
  sockets: { pfKey: WORKS, listeners: { value: [] } },
  folders: [{ path: '/run/solipsec', purpose: 'run', found: { value: FOLDER } }],
  clock: { now: Date.UTC(2026, 10, 21), isSynchronised: { value: true }, vectorsUntil: { value: 0 } },
  memory: { availableBytes: { value: 2 ** 30 } },
}

type Parts = { readonly [K in keyof Facts]?: Partial<Facts[K]> }

/** The good host with some facts changed: members of each part, or lists and maps as a whole. */
export function host(parts: Parts): Facts {
  const changed = Object.entries(parts).map(([name, part]) => {
    const there = GOOD[name as keyof Facts]
    const isPlain = Object.getPrototypeOf(there) === Object.prototype && !('value' in there)
    return [name, isPlain ? { ...there, ...part } : part]
  })
  return { ...GOOD, ...Object.fromEntries(changed) }
}

/** The good host with these settings besides. */
export function hostWith(settings: Readonly<Record<string, string | number>>, parts: Parts = {}): Facts {
  const more = Object.entries(settings).map(([path, value]) => [path, String(value)] as const)
  return { ...host(parts), settings: new Map([...GOOD.settings, ...more]) }
}

/** The kernel has neither ESP nor AH. */
export function bareKernel(parts: Parts = {}): Facts {
  const features = { families: { IPv4: BARE, IPv6: BARE }, extack: YES }
  const algorithms = [{ ...AES, kernel: fails('no ESP') }]
  return host({ ...parts, abilities: { features, algorithms, ...parts.abilities } })
}

/** What is not fine, in short. */
export function bad(
  findings: readonly Finding[],
): Pick<Finding, 'subject' | 'state' | 'meaning' | 'wayOut'>[] {
  return findings
    .filter(({ state }) => state !== 'ok')
    .map(({ subject, state, meaning, wayOut }) => ({ subject, state, meaning, wayOut }))
}
