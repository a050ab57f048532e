/**
 * Policies and SAs that are there, other programs that have some, and what becomes of all other packets.
 *
 * @module
 */

import { counted } from '../../model/counted.ts'
import { DIRECTIONS } from '../facts/tables.ts'
import type { Facts } from '../facts.ts'
import { type Finding, findingsOf, unknownFinding } from '../finding.ts'
import { tablesInUse } from './questions.ts'

const GROUP = 'policy and SAs'
const finding = findingsOf(GROUP)

/** Programs of ours that hold such ports. */
const OUR_PROGRAMS = /^solipsec-/

/** What is loaded, by whom. */
export function checkTables(facts: Facts): Finding[] {
  const { kernel, software } = facts.policies
  const used = tablesInUse(facts)
  const findings: Finding[] = []
  if (used) {
    const { ourPolicies, ourStates } = used
    const meaning = `${counted(ourPolicies, 'policy', 'policies')} and ${counted(ourStates, 'SA')} are loaded.`
    findings.push(finding('own', 'of solipsec', 'ok', meaning))
  }
  if ('unknown' in kernel) {
    if (facts.abilities.xfrm.outcome !== 'fails') {
      findings.push(unknownFinding(GROUP, 'foreign', 'of other programs', kernel.unknown))
    }
    return findings
  }
  const { otherPolicies, otherStates, socketPolicies } = kernel.value
  if (otherPolicies + otherStates === 0) {
    findings.push(finding('foreign', 'of other programs', 'ok', 'There are none in the kernel.'))
  } else {
    const what = `${counted(otherPolicies, 'policy', 'policies')} and ${counted(otherStates, 'SA')}`
    const also = software
      ? ' Packets of the software data path are held against these policies, too.'
      : ' Where both are about a packet, the smaller number of priority wins; solipsec leaves them alone.'
    findings.push(
      finding(
        'foreign',
        'of other programs',
        'note',
        `There are ${what} in the kernel that are not of solipsec.${also}`,
        'see whose they are: ip xfrm policy; ip xfrm state',
        'to do without that program, end it, then: ip xfrm policy flush; ip xfrm state flush; ipsecconf -Fa FILE',
      ),
    )
  }
  if (socketPolicies > 0) {
    const meaning = `${counted(socketPolicies, 'policy', 'policies')} of single sockets: for these sockets, no other policy is asked.`
    findings.push(
      finding(
        'sockets',
        'of sockets',
        'note',
        meaning,
        'see them: ip xfrm policy list; end or set up the programs',
      ),
    )
  }
  return findings
}

/** What the kernel does with packets that no policy is about (Linux 5.14). */
export function checkDefaults(facts: Facts): Finding[] {
  const { defaults } = facts.policies
  if (facts.abilities.xfrm.outcome === 'fails') return []
  if ('unknown' in defaults) return [unknownFinding(GROUP, 'default', 'default policy', defaults.unknown)]
  const blocked = DIRECTIONS.filter((direction) => defaults.value[direction] === 'block')
  if (blocked.length === 0) {
    return [finding('default', 'default policy', 'ok', 'What no policy is about passes.')]
  }
  const hasFrame = (tablesInUse(facts)?.ourPolicies ?? 0) > 0 && !facts.policies.software
  const isWhole = blocked.includes('in') || blocked.includes('out')
  const discovery = hasFrame
    ? 'IPv6 neighbour discovery passes by policies of solipsec, for as long as rules are loaded.'
    : 'IPv6 neighbour discovery among it, so that no IPv6 host can be reached.'
  const meaning = isWhole
    ? `What no policy is about is blocked (${blocked.join(', ')}). ${discovery}`
    : 'What is forwarded and no policy is about is blocked.'
  const state = !isWhole ? 'note' : hasFrame ? 'warning' : 'problem'
  return [
    finding(
      'default',
      'default policy',
      state,
      meaning,
      'ip xfrm policy setdefault in accept fwd accept out accept',
    ),
  ]
}

/** Who has the ports of IKE, where ESP in UDP arrives, too. */
export function checkListeners({ sockets }: Facts): Finding[] {
  const { listeners } = sockets
  if ('unknown' in listeners) return [unknownFinding(GROUP, 'ike', 'UDP 500 and 4500', listeners.unknown)]
  const others = listeners.value.filter(({ program }) => !OUR_PROGRAMS.test(program ?? ''))
  if (others.length === 0) {
    return [finding('ike', 'UDP 500 and 4500', 'ok', 'No program of others listens there.')]
  }
  const programs = [...new Set(others.map(({ program }) => program ?? 'a program that does not show itself'))]
  const ports = [...new Set(others.map(({ port }) => port))].sort((a, b) => a - b)
  const meaning =
    `${programs.join(' and ')} has ${ports.length === 1 ? 'it' : 'them'}: key management that makes policies and SAs of its own.` +
    (ports.includes(4500) ? ' ESP in UDP for SAs of ipseckey arrives at its socket, and depends on it.' : '')
  return [
    finding(
      'ike',
      `UDP ${ports.join(' and ')}`,
      'note',
      meaning,
      'if it is not wanted, disable its service: systemctl disable --now strongswan (or ipsec)',
    ),
  ]
}

/** What some counters mean, and what to do. */
const LOSSES: Readonly<Record<string, readonly [meaning: string, way: string]>> = {
  XfrmInNoStates: ['came with an SPI that no SA has', 'compare both sides: ipseckey dump'],
  XfrmInStateProtoError: ['were not authentic: keys or algorithms differ', 'compare the keys of both sides'],
  XfrmInStateSeqError: [
    'were outside of the replay window',
    'see whether the peer was restarted: load new keys on both sides',
  ],
  XfrmInStateExpired: ['came for an SA that had ended', 'load new keys on both sides'],
  XfrmInTmplMismatch: ['were not protected as policy asks', 'solipsec verify; ipsecconf -l'],
  XfrmInPolBlock: ['came in and are refused by policy', 'ipsecconf -l'],
  XfrmInNoPols: ['were protected though no policy asks for it', 'ipsecconf -l'],
  XfrmOutNoStates: ['found no SA to be protected by', 'ipseckey -f FILE'],
  XfrmOutPolBlock: ['were to go out and are refused by policy', 'ipsecconf -l'],
  XfrmOutStateExpired: ['had to go out by an SA that had ended', 'load new keys on both sides'],
}

/** Packets that IPsec did not let through since the namespace is there, or since the software data path took over. */
export function checkLosses({ policies, abilities }: Facts): Finding[] {
  const { losses } = policies
  if (abilities.xfrm.outcome === 'fails') return []
  if ('unknown' in losses) return [unknownFinding(GROUP, 'losses', 'lost packets', losses.unknown)]
  if (losses.value.size === 0) return [finding('losses', 'lost packets', 'ok', 'None were counted.')]
  return [...losses.value].map(([name, count]) => {
    const [what, way] = LOSSES[name] ?? [
      'were lost',
      'see proc(5) and Documentation/networking/xfrm_proc.rst',
    ]
    return finding(
      'losses',
      name,
      'note',
      `${counted(count, 'packet')} ${what}, since ${policies.software ? 'the software data path took over' : 'the namespace was made'}.`,
      way,
    )
  })
}
