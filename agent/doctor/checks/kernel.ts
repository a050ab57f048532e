/**
 * What the kernel's IPsec can do.
 *
 * @module
 */
import { type Answer, FAMILIES, type FamilyName } from '../../datapath/kernel/features.ts'
import type { Facts } from '../facts.ts'
import { type Finding, findingsOf, unknownFinding } from '../finding.ts'
import { type KernelPart, wayToPart } from './modules.ts'
import { softwareReadiness } from './questions.ts'

const finding = findingsOf('kernel')

const XFRM: KernelPart = { module: 'xfrm_user', option: 'XFRM_USER' }
const PARTS: Readonly<Record<'esp' | 'ah', Readonly<Record<FamilyName, KernelPart>>>> = {
  esp: { IPv4: { module: 'esp4', option: 'INET_ESP' }, IPv6: { module: 'esp6', option: 'INET6_ESP' } },
  ah: { IPv4: { module: 'ah4', option: 'INET_AH' }, IPv6: { module: 'ah6', option: 'INET6_AH' } },
}

export function checkXfrm(facts: Facts): Finding[] {
  const { xfrm } = facts.abilities
  if (xfrm.outcome === 'untried') return [unknownFinding('kernel', 'xfrm', 'XFRM', xfrm.why)]
  if (xfrm.outcome === 'works') {
    return [finding('xfrm', 'XFRM', 'ok', 'The kernel has IPsec policy and SAs, and answers.')]
  }
  const [state, meaning] = instead(facts, 'The kernel has no IPsec at all')
  return [finding('xfrm', 'XFRM', state, meaning, ...wayToPart(XFRM, facts.kernel))]
}

/** ESP and AH, for each family. */
export function checkProtocols(facts: Facts): Finding[] {
  const { features } = facts.abilities
  if (!features) return []
  return FAMILIES.flatMap((family) =>
    (['esp', 'ah'] as const).map((protocol) => {
      const subject = `${protocol.toUpperCase()} for ${family}`
      if (features.families[family][protocol].works) {
        return finding(`${protocol}-${family.toLowerCase()}`, subject, 'ok', 'The kernel has it.')
      }
      const [state, meaning] = instead(facts, 'The kernel does not have it')
      const way = wayToPart(PARTS[protocol][family], facts.kernel)
      return finding(`${protocol}-${family.toLowerCase()}`, subject, state, meaning, ...way)
    }),
  )
}

/** What is left where the kernel cannot. */
function instead(facts: Facts, what: string): ['warning' | 'problem', string] {
  switch (softwareReadiness(facts)) {
    case 'ready':
      return ['warning', `${what}: the software data path takes its place, which is slower.`]
    case 'unknown':
      return [
        'warning',
        `${what}: the software data path would have to take its place; whether it can is not known.`,
      ]
    case 'not ready':
      return [
        'problem',
        `${what}, and the software data path cannot take its place (see there): rules that need it are refused.`,
      ]
  }
}

/** Tunnel mode, ESP in UDP, large replay windows: what SAs may have besides. */
export function checkFeatures({ abilities }: Facts): Finding[] {
  const { features } = abilities
  if (!features) return []
  return FAMILIES.flatMap((family) => {
    const { tunnel, encapsulation, esn } = features.families[family]
    const of = (check: string, subject: string, answer: Answer | undefined, without: string) =>
      ofFeature(`${check}-${family.toLowerCase()}`, `${subject} (${family})`, answer, without)
    return [
      of('tunnel-mode', 'tunnel mode', tunnel, 'rules for tunnels cannot be met'),
      of('esp-in-udp', 'ESP in UDP', encapsulation, 'SAs that pass address translation are refused'),
      of(
        'esn',
        'ESN and window of 4096',
        esn,
        'SAs with extended sequence numbers or large replay windows are refused',
      ),
    ]
  })
}

function ofFeature(check: string, subject: string, answer: Answer | undefined, without: string): Finding {
  if (!answer) {
    return unknownFinding('kernel', check, subject, 'the kernel has no protocol to try it with')
  }
  if (answer.works) return finding(check, subject, 'ok', 'The kernel takes it.')
  return finding(
    check,
    subject,
    'warning',
    `The kernel refuses it (${answer.why}): ${without}.`,
    'use a newer kernel, or the software data path: --datapath software',
  )
}

/** How the kernel answers, and what programs may do on their own. */
export function checkInterfaces({ abilities }: Facts): Finding[] {
  const { features } = abilities
  if (!features) return []
  const words = features.extack.works
    ? finding('extack', 'words of errors', 'ok', 'The kernel says what it does not like about a request.')
    : finding(
        'extack',
        'words of errors',
        'note',
        'The kernel gives numbers alone: commands cannot always say what was wrong with a request.',
        'boot Linux 6.1 or later',
      )
  const sockets = FAMILIES.map((family) => {
    const { socketPolicy } = features.families[family]
    const subject = `socket policy (${family})`
    const check = `socket-policy-${family.toLowerCase()}`
    if (socketPolicy.works)
      return finding(check, subject, 'ok', 'Programs can give their own sockets a policy.')
    const meaning = `The kernel has none (${socketPolicy.why}): programs that want a policy of their own do not get one.`
    return finding(check, subject, 'note', meaning)
  })
  return [words, ...sockets]
}

/** PF_KEY: not for solipsec, but for older programs. */
export function checkPfKey({ sockets, kernel }: Facts): Finding[] {
  const { pfKey } = sockets
  if (pfKey.outcome === 'untried') return [unknownFinding('kernel', 'pf-key', 'PF_KEY (AF_KEY)', pfKey.why)]
  if (pfKey.outcome === 'works') {
    return [finding('pf-key', 'PF_KEY (AF_KEY)', 'ok', 'The kernel has it, for programs that need it.')]
  }
  return [
    finding(
      'pf-key',
      'PF_KEY (AF_KEY)',
      'note',
      'The kernel has none: solipsec does not need it, but older programs do (setkey, racoon).',
      ...wayToPart({ module: 'af_key', option: 'NET_KEY' }, kernel),
    ),
  ]
}
