/**
 * A demand in the words of the section `sockets` of a configuration.
 *
 * @module
 */
import { type AlgorithmTable, algorithmByNumber, PROTOCOL_AH, PROTOCOL_ESP } from '../model/algorithm.ts'
import type { AlgorithmRequirement } from '../model/policy.ts'
import type { SocketDemand } from './demand.ts'

/** As `socketPolicy` of schemas/configuration.schema.json, without the name of a service. */
export interface DemandJson {
  action?: 'bypass' | 'none'
  protect?: { encryption?: string; authentication?: string; ah?: string; associations?: 'unique' }
  selfEncapsulation?: true
}

const MOST_BITS = 65535

/** No demand is `{"action": "none"}`. */
export function demandJson(demand: SocketDemand | undefined, table: AlgorithmTable): DemandJson {
  if (!demand) return { action: 'none' }
  const { action, selfEncapsulation } = demand
  if (action.kind === 'bypass') return { action: 'bypass' }
  const { ah, esp, unique } = action.protection
  return {
    protect: {
      ...(esp && { encryption: requirementText(esp.encryption, PROTOCOL_ESP, table) }),
      ...(esp?.authentication && {
        authentication: requirementText(esp.authentication, PROTOCOL_AH, table),
      }),
      ...(ah && { ah: requirementText(ah, PROTOCOL_AH, table) }),
      ...(unique && { associations: 'unique' }),
    },
    ...(selfEncapsulation && { selfEncapsulation }),
  }
}

/** With its key lengths, so that reading it again gives the same. */
function requirementText(
  { algorithm, minBits, maxBits }: AlgorithmRequirement,
  protocol: number,
  table: AlgorithmTable,
): string {
  const isUnlimited = minBits === 0 && maxBits === MOST_BITS
  if (algorithm === 0 && isUnlimited) return 'any'
  const name =
    algorithm === 0 ? 'any' : (algorithmByNumber(table, protocol, algorithm)?.names[0] ?? `${algorithm}`)
  if (isUnlimited) return `${name}()`
  if (minBits === maxBits) return `${name}(${minBits})`
  return `${name}(${minBits || ''}..${maxBits === MOST_BITS ? '' : maxBits})`
}
