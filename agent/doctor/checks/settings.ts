/**
 * Settings (sysctl) that bite.
 *
 * @module
 */
import type { Facts } from '../facts.ts'
import { type Finding, findingsOf, type State, unknownFinding } from '../finding.ts'
import { hasTunnels, interfacesOf, isForwarding, numberOf, tablesInUse, waySetting } from './questions.ts'

const GROUP = 'settings'
const finding = findingsOf(GROUP)

/** Interfaces that come to IPsec by a way of their own; they are meant to have these switches on. */
const ROUTED_KINDS = ['vti', 'vti6', 'xfrm']

/** The name that sysctl(8) takes. */
function nameOf(path: string): string {
  return path.includes('.') ? `net/${path}` : `net.${path.replaceAll('/', '.')}`
}

function bites(path: string, state: State, meaning: string, right: number): Finding {
  return finding(path.split('/').at(-1) ?? path, nameOf(path), state, meaning, ...waySetting(path, right))
}

function fine(path: string, value: number | string, meaning: string): Finding {
  return finding(path.split('/').at(-1) ?? path, nameOf(path), 'ok', `It is ${value}: ${meaning}`)
}

/** Switches that take an interface out of IPsec. The worst of all: packets pass in clear, and no listing shows it. */
export function checkSwitches(facts: Facts): Finding[] {
  if ('unknown' in facts.interfaces) {
    return [unknownFinding(GROUP, 'disable_xfrm', 'switches of interfaces', facts.interfaces.unknown)]
  }
  const meant = new Set(
    interfacesOf(facts)
      .filter(({ isLoopback, tunnelKind }) => isLoopback || ROUTED_KINDS.includes(tunnelKind ?? ''))
      .map(({ name }) => name),
  )
  const rows = [
    ['ipv4', 'disable_xfrm', 'What leaves by it goes out in clear, whatever policy says'],
    ['ipv4', 'disable_policy', 'What comes in by it is accepted without protection, whatever policy says'],
    ['ipv6', 'disable_policy', 'What comes in by it is accepted without protection, whatever policy says'],
  ] as const
  const found = rows.flatMap(([family, name, meaning]) =>
    [...facts.settings].flatMap(([path, value]) => {
      const [, device = ''] = new RegExp(`^${family}/conf/(.*)/${name}$`).exec(path) ?? []
      if (device === '' || value === '0' || meant.has(device)) return []
      const later = device === 'default'
      const whom = later
        ? 'So it will be for interfaces that come'
        : device === 'all'
          ? 'So it is for all'
          : meaning
      const text = later || device === 'all' ? `${whom}: ${meaning.replace('by it ', '')}.` : `${whom}.`
      return [bites(path, later ? 'warning' : 'problem', text, 0)]
    }),
  )
  if (found.length > 0) return found
  return [finding('disable_xfrm', 'switches of interfaces', 'ok', 'No interface is taken out of IPsec.')]
}

/** How the kernel waits for SAs that are not there. */
export function checkAcquiring(facts: Facts): Finding[] {
  const findings: Finding[] = []
  const expires = 'core/xfrm_acq_expires'
  const seconds = numberOf(facts, expires)
  if (seconds === 0) {
    const meaning = 'A request for an SA never ends: key management that missed it is not asked again.'
    findings.push(bites(expires, 'warning', meaning, 30))
  } else if (seconds !== undefined && seconds > 600) {
    const meaning = `Key management is asked again for a missing SA only after ${seconds} seconds.`
    findings.push(bites(expires, 'note', meaning, 30))
  } else if (seconds !== undefined) {
    findings.push(fine(expires, seconds, 'the seconds until a request for an SA is made again.'))
  }
  const drop = 'core/xfrm_larval_drop'
  const value = numberOf(facts, drop)
  if (value === 0) {
    const meaning =
      'Packets without an SA wait in the kernel instead of being dropped: programs hang and hear of no error.'
    findings.push(bites(drop, 'note', meaning, 1))
  } else if (value !== undefined) findings.push(fine(drop, value, 'packets without an SA are dropped.'))
  return findings
}

/** Why it cannot be told whether there is anything for settings to bite: interfaces, or policies and SAs, are not known. */
function unseen({ interfaces, policies, abilities }: Facts): string | undefined {
  if ('unknown' in interfaces) return interfaces.unknown
  const { tables } = policies.software ?? { tables: policies.kernel }
  return 'unknown' in tables && abilities.xfrm.outcome !== 'fails' ? tables.unknown : undefined
}

/** Routing settings that lose packets out of tunnels. They do no harm where there are none. */
export function checkTunnelSettings(facts: Facts): Finding[] {
  const why = unseen(facts)
  if (why !== undefined && !hasTunnels(facts)) return [unknownFinding(GROUP, 'tunnels', 'for tunnels', why)]
  if (!hasTunnels(facts))
    return [finding('tunnels', 'for tunnels', 'ok', 'There are no tunnels that settings could bite.')]
  const findings: Finding[] = []
  const all = numberOf(facts, 'ipv4/conf/all/rp_filter') ?? 0
  for (const { name, isLoopback } of interfacesOf(facts)) {
    const path = `ipv4/conf/${name}/rp_filter`
    const own = numberOf(facts, path)
    // The larger one holds (Documentation/networking/ip-sysctl.rst).
    if (isLoopback || own === undefined || Math.max(all, own) !== 1) continue
    const meaning =
      'Strict: packets out of a tunnel are dropped without a word where their source is not routed back by the same interface.'
    findings.push(bites(all === 1 ? 'ipv4/conf/all/rp_filter' : path, 'warning', meaning, 2))
    if (all === 1) break
  }
  if (!isForwarding(facts)) {
    const meaning = 'This host forwards nothing: tunnels serve it alone, and no network behind it.'
    findings.push(bites('ipv4/ip_forward', 'note', meaning, 1))
  }
  if (findings.length > 0) return findings
  return [finding('tunnels', 'for tunnels', 'ok', 'Reverse path filter and forwarding do tunnels no harm.')]
}

/** Neighbours that may tell this host another way past its rules. */
export function checkRedirects(facts: Facts): Finding[] {
  const { ourPolicies = 0, otherPolicies = 0 } = tablesInUse(facts) ?? {}
  const paths = interfacesOf(facts)
    .filter(({ isLoopback }) => !isLoopback)
    .flatMap(({ name }) => acceptedRedirects(facts, name))
  const say = (meaning: string) => [finding('accept_redirects', 'ICMP redirects', 'ok', meaning)]
  const why = unseen(facts)
  if (why !== undefined) return [unknownFinding(GROUP, 'accept_redirects', 'ICMP redirects', why)]
  if (paths.length === 0) return say('They are not accepted.')
  if (!hasTunnels(facts) && ourPolicies + otherPolicies === 0) {
    return say('They are accepted, and there is no policy to mislead.')
  }
  const meaning =
    'ICMP redirects are accepted: a neighbour can lead packets another way, past a tunnel or a gateway.'
  return [...new Set(paths)].map((path) => bites(path, 'note', meaning, 0))
}

/** The settings by which an interface accepts redirects; see Documentation/networking/ip-sysctl.rst. */
function acceptedRedirects(facts: Facts, device: string): string[] {
  const isOn = (path: string) => (numberOf(facts, path) ?? 0) !== 0
  const [all, own] = ['ipv4/conf/all/accept_redirects', `ipv4/conf/${device}/accept_redirects`]
  const on = [all, own].filter(isOn)
  // A router wants both, a host one of them.
  const inet = on.length < (isOn(`ipv4/conf/${device}/forwarding`) ? 2 : 1) ? [] : on
  // In IPv6 each interface has its own, and routers accept none.
  const own6 = `ipv6/conf/${device}/accept_redirects`
  return [...inet, ...(isOn(own6) && !isOn(`ipv6/conf/${device}/forwarding`) ? [own6] : [])]
}

/** Protected packets are longer, so they come in fragments more often. */
export function checkFragments(facts: Facts): Finding[] {
  const least = 256 * 1024
  const findings: Finding[] = []
  for (const path of ['ipv4/ipfrag_high_thresh', 'ipv6/ip6frag_high_thresh']) {
    const bytes = numberOf(facts, path)
    if (bytes === undefined) continue
    if (bytes === 0) {
      findings.push(
        bites(
          path,
          'problem',
          'No fragment is put together: protected packets that were cut on their way are lost.',
          4194304,
        ),
      )
    } else if (bytes < least) {
      findings.push(
        bites(
          path,
          'warning',
          `Only ${bytes} bytes for fragments: under load, protected packets that were cut are lost.`,
          4194304,
        ),
      )
    } else findings.push(fine(path, bytes, 'bytes for fragments.'))
  }
  for (const path of ['ipv4/ipfrag_time', 'ipv6/ip6frag_time']) {
    const seconds = numberOf(facts, path)
    if (seconds === undefined || seconds > 1) continue
    findings.push(
      bites(path, 'warning', 'Fragments are given up at once: protected packets that were cut are lost.', 30),
    )
  }
  return findings
}

/** What is known of how large packets may be. */
export function checkPathMtu(facts: Facts): Finding[] {
  const path = 'ipv4/ip_no_pmtu_disc'
  const value = numberOf(facts, path)
  if (value === undefined) return []
  if (value === 0) return [fine(path, value, 'sizes that the way takes are found out.')]
  const meanings: Readonly<Record<number, string>> = {
    1: 'Sizes that the way takes are not found out: packets go as large as the first link takes them, and routers cut them.',
    2: 'What routers say of sizes is thrown away: large protected packets may vanish.',
    3: 'What routers say of sizes is believed for TCP, SCTP and DCCP alone, not for ESP and AH: large protected packets may vanish.',
  }
  const meaning = meanings[value] ?? `It is ${value}, which is not known here.`
  return [bites(path, value === 1 ? 'note' : 'warning', meaning, 0)]
}

/** Before Linux 4.14, protected packets were refused beyond a number of cached ways. */
export function checkCacheLimit(facts: Facts): Finding[] {
  const path = 'ipv4/xfrm4_gc_thresh'
  const value = numberOf(facts, path)
  const [major = 0, minor = 0] = facts.kernel.release.split('.').map(Number)
  if (value === undefined || major > 4 || (major === 4 && minor >= 14)) return []
  if (value >= 32768) return [fine(path, value, 'cached ways of protected packets.')]
  const meaning = `Beyond ${2 * value} destinations, protected packets are refused for want of room.`
  return [bites(path, 'warning', meaning, 32768)]
}

/** Rules about IPv6 where there is none. */
export function checkIpv6(facts: Facts): Finding[] {
  if (numberOf(facts, 'ipv6/conf/all/disable_ipv6') === undefined) {
    return [
      finding('disable_ipv6', 'IPv6', 'note', 'The kernel has none here: rules about it have nothing to do.'),
    ]
  }
  if ('unknown' in facts.interfaces) {
    return [unknownFinding(GROUP, 'disable_ipv6', 'IPv6', facts.interfaces.unknown)]
  }
  const off = interfacesOf(facts)
    .map(({ name }) => `ipv6/conf/${name}/disable_ipv6`)
    .filter((path) => numberOf(facts, path) === 1)
  if (off.length === 0) return [finding('disable_ipv6', 'IPv6', 'ok', 'No interface has it switched off.')]
  return off.map((path) => bites(path, 'note', 'IPv6 is off there: rules about it have nothing to do.', 0))
}
