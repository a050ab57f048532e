/**
 * What this process may do, and what the kernel hides.
 *
 * @module
 */

import type { Capability } from '../../../netlink/libc/capabilities.ts'
import type { Facts } from '../facts.ts'
import { type Finding, findingsOf, unknownFinding } from '../finding.ts'

const finding = findingsOf('privileges')

/** What does not go without each. */
const PURPOSES: Readonly<Record<Capability, string>> = {
  CAP_NET_ADMIN: 'policy and SAs can be neither changed nor listed',
  CAP_NET_RAW: 'neither the software data path nor solipsec snoop and verify can work',
  CAP_SYS_ADMIN:
    'the kernel cannot be tried out (ipsecalgs -s, automatic choice of the data path), and --netns does not work',
  CAP_SYS_PTRACE:
    'processes of other users do not show which sockets and namespaces they have, so helpers of solipsec may stay longer than needed',
}

export function checkCapabilities({ privileges }: Facts): Finding[] {
  const { capabilities, isRoot } = privileges
  return (Object.keys(PURPOSES) as Capability[]).map((name) => {
    if (capabilities.has(name)) return finding('capability', name, 'ok', 'This process has it.')
    const meaning = `This process lacks it: ${PURPOSES[name]}.`
    if (!isRoot) return finding('capability', name, 'note', meaning, 'run as root: sudo solipsec doctor')
    const word = name.toLowerCase()
    const state = name === 'CAP_NET_ADMIN' ? 'problem' : 'warning'
    return finding(
      'capability',
      name,
      state,
      `Though root, t${meaning.slice(1)}`,
      `give it to the container or service: --cap-add ${name.slice(4)}, or AmbientCapabilities=${word.toUpperCase()}`,
    )
  })
}

export function checkUserNamespace({ privileges }: Facts): Finding[] {
  if (privileges.isFirstUserNamespace) {
    return [
      finding('user-namespace', 'user namespace', 'ok', 'It is the first one, to which the host belongs.'),
    ]
  }
  return [
    finding(
      'user-namespace',
      'user namespace',
      'note',
      'It is a nested one: capabilities hold for network namespaces made in it, not for those of the host.',
      'to change the host itself, run outside of the container',
    ),
  ]
}

/** kernel_lockdown(7): under `confidentiality`, the kernel gives out SAs with zeros for keys. */
export function checkLockdown({ privileges }: Facts): Finding[] {
  const { lockdown } = privileges
  if ('unknown' in lockdown) return [unknownFinding('privileges', 'lockdown', 'lockdown', lockdown.unknown)]
  if (lockdown.value === 'confidentiality') {
    return [
      finding(
        'lockdown',
        'lockdown',
        'warning',
        'The kernel hides the keys of SAs: snoop and verify cannot open packets, ipseckey save has no keys, and rules that ' +
          'move an SA to another class are refused.',
        'boot with lockdown=integrity',
        'else: ipseckey flush before rules change, and load the keys again after',
      ),
    ]
  }
  return [finding('lockdown', 'lockdown', 'ok', 'The kernel shows keys of SAs to root.')]
}
