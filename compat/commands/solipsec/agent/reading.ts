/**
 * A configuration read with the addresses that names have now, without a wait for those that nobody answers for.
 *
 * The agent starts before the network is up, and then a look-up of the system takes as long as resolv.conf(5) lets it, which by
 * default is ten seconds and more, one after the other. Interfaces would wait for it, since the agent comes before them, and
 * at some time systemd would give up. So the file is read twice: at first to learn its names, for which all are asked at
 * the same time, and then with what was answered within a few seconds. A file without names is read once.
 *
 * @module
 */
import type { Inquiry } from '../../../../agent/daemon/inquiry.ts'
import type { Address } from '../../../../agent/model/address.ts'
import type { SaProtocol } from '../../../../agent/model/association.ts'
import { hasErrors } from '../../../../agent/model/diagnostic.ts'
import { protocolsOf } from '../../../../agent/model/policy.ts'
import type { Resolver } from '../../../../agent/model/resolver.ts'
import type { CheckedConfiguration } from '../../../configuration/index.ts'
import { type ReadFile, wipeKeys } from '../change/configuration.ts'

/**
 * How long to wait for answers, in milliseconds: longer than a network that works takes, and shorter than the first time
 * limit of resolv.conf(5), after which another server is asked. What comes later is not lost: it is put into force then.
 */
export const PATIENCE_MS = 3000

export interface Reading extends ReadFile {
  /** Protocols of all SAs and rules, those with names that have no address included. */
  readonly protocols: readonly SaProtocol[]
  /** Whatever is wrong with the file is so because of what its names mean now. */
  readonly isRightButForNames: boolean
}

/** @param read reads the file with what names mean @param networks `getnetbyname(3)`, which files answer */
export async function readWithNames(
  read: (names: Partial<Resolver>) => ReadFile,
  inquiry: Inquiry,
  networks: Resolver['network'],
): Promise<Reading> {
  const asked = new Set<string>()
  const protocols = new Set<SaProtocol>()
  let isRight: boolean | undefined
  const until = performance.now() + PATIENCE_MS
  for (;;) {
    const fresh = new Map<string, number>()
    const found = read({
      addresses: (name) => {
        if (asked.has(name)) return inquiry.addressesOf(name)
        const number = fresh.get(name) ?? fresh.size
        fresh.set(name, number)
        return standIns(number)
      },
      network: (name) => (asked.has(name) ? networks(name) : undefined),
    })
    for (const protocol of protocolsIn(found.configuration)) protocols.add(protocol)
    const isWithNames = fresh.size > 0
    isRight ??= isWithNames && !hasErrors(found.diagnostics)
    if (!isWithNames) return { ...found, protocols: [...protocols], isRightButForNames: isRight }
    wipeKeys(found.configuration?.associations ?? [])
    await inquiry.ask([...fresh.keys()], Math.max(0, until - performance.now()))
    for (const name of fresh.keys()) asked.add(name)
  }
}

function protocolsIn({ rules = [], associations = [] }: Partial<CheckedConfiguration> = {}): SaProtocol[] {
  return [...protocolsOf(rules), ...associations.map(({ protocol }) => protocol)]
}

/**
 * In place of addresses that are not known yet, so that all else is read: of both families, and others for each name. Nothing
 * that is read with them is put into force.
 */
function standIns(number: number): Address[] {
  const bytes = Uint8Array.of(0xf0, number >>> 16, number >>> 8, number)
  const six = new Uint8Array(16)
  six[0] = 1
  six.set(bytes, 12)
  return [
    { family: 'inet', bytes },
    { family: 'inet6', bytes: six },
  ]
}
