/**
 * What the software data path needs, and what nft(8) is needed for besides.
 *
 * @module
 */
import type { Facts } from '../facts.ts'
import { type Finding, findingsOf, type State, unknownFinding } from '../finding.ts'
import type { Trial } from '../known.ts'
import { type KernelPart, wayToPart } from './modules.ts'
import { hasTunnels, isForwarding } from './questions.ts'

const GROUP = 'software data path'
const finding = findingsOf(GROUP)

const TUN: KernelPart = { module: 'tun', option: 'TUN' }
const NFT_SOCKET: KernelPart = { module: 'nft_socket', option: 'NFT_SOCKET' }
const NFT_FIB: KernelPart = { module: 'nft_fib_inet', option: 'NFT_FIB_INET' }
const INSTALL = 'apt install nftables (Debian, Ubuntu); dnf install nftables (Fedora, RHEL)'

/** Whether the kernel leaves something to the software data path. */
function isNeeded({ abilities }: Facts): boolean {
  if (abilities.xfrm.outcome === 'fails') return true
  return Object.values(abilities.features?.families ?? {}).some(({ esp, ah }) => !esp.works || !ah.works)
}

function stateOf(facts: Facts): State {
  return isNeeded(facts) ? 'problem' : 'note'
}

export function checkNft(facts: Facts): Finding[] {
  const { hasNft, steering, marking } = facts.software
  if (!hasNft) {
    const isGateway = isForwarding(facts) || hasTunnels(facts)
    const meaning = isGateway
      ? 'It is not installed: on this host, which forwards packets or has tunnels, rules are refused without it.'
      : 'It is not installed: without it there is no software data path, and on hosts that forward packets, have tunnels, or rules about IPv6, rules are refused.'
    const state = isNeeded(facts) || isGateway ? 'problem' : 'warning'
    return [finding('nft', 'nft', state, meaning, INSTALL)]
  }
  return [
    finding('nft', 'nft', 'ok', 'It is installed.'),
    tried(facts, 'nft-steering', 'steering of packets', steering, NFT_SOCKET, stateOf(facts)),
    tried(
      facts,
      'nft-marking',
      'telling forwarded packets',
      marking,
      NFT_FIB,
      isForwarding(facts) ? 'problem' : 'warning',
    ),
  ]
}

export function checkTun(facts: Facts): Finding[] {
  const finding = tried(facts, 'tun', 'TUN device', facts.software.tun, TUN, stateOf(facts))
  if (finding.state === 'ok' || !finding.isKnown) return [finding]
  const container = 'in a container: give it the device, --device /dev/net/tun'
  return [{ ...finding, wayOut: [...finding.wayOut, container] }]
}

function tried(
  { kernel }: Facts,
  check: string,
  subject: string,
  trial: Trial,
  part: KernelPart,
  state: State,
): Finding {
  if (trial.outcome === 'untried') return unknownFinding(GROUP, check, subject, trial.why)
  if (trial.outcome === 'works') return finding(check, subject, 'ok', 'It was tried, and works.')
  const needed =
    state === 'problem'
      ? 'this host needs it'
      : 'this host can do without, as long as the kernel carries the packets'
  const meaning = `The kernel refuses it (${trial.why}); ${needed}.`
  return finding(check, subject, state, meaning, ...wayToPart(part, kernel))
}

/** The one that is in use, but does not run. */
export function checkService({ policies }: Facts): Finding[] {
  const { software } = policies
  if (!software) return []
  if ('value' in software.tables)
    return [finding('service', 'service', 'ok', 'It is in use here, and its program runs.')]
  const words = software.lastWords === '' ? '' : ` It said: ${software.lastWords}.`
  if (/not permitted/.test(software.tables.unknown))
    return [unknownFinding(GROUP, 'service', 'service', software.tables.unknown)]
  return [
    finding(
      'service',
      'service',
      'problem',
      `It is in use here, but its program does not run: what has to be protected is refused.${words}`,
      'ipsecconf -l (each command starts it again, and goes on where it ended)',
    ),
  ]
}
