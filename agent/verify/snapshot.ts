/**
 * Policies, SAs and addresses of this host as they were at one moment.
 *
 * @module
 */
import type { XfrmTables } from '../../netlink/xfrm/connection.ts'
import { family as af, dir, mode, policyType, proto } from '../../netlink/xfrm/constants.ts'
import { keyedAlgorithms } from '../../netlink/xfrm/keys.ts'
import type { SaMessage } from '../capture/viewed-sa.ts'
import { FlowCache } from '../datapath/software/policy/flow-cache.ts'
import { type Policy, policyOf } from '../datapath/software/policy/policy.ts'
import { PolicyTable } from '../datapath/software/policy/policy-table.ts'
import type { Protector } from '../datapath/software/policy/templates.ts'
import type { Flow } from '../packet/flow.ts'
import { bytesKey, read32 } from '../packet/octets.ts'
import { isOurPolicyIndex } from '../reconcile/ownership.ts'
import type { HostFacts } from './host-facts.ts'

/** What names an SA. */
export type SaName = Pick<SaMessage['body'], 'family' | 'id'>

/** A lookup that found nothing is remembered, too. */
const NO_POLICY = 'no policy'
/** Policies of single sockets have other directions. */
const DIRECTIONS = 3
/** `XFRM_OFFLOAD_PACKET` of linux/xfrm.h: the network card does it all. */
const OFFLOAD_PACKET = 4

interface Departed {
  readonly sa: Protector
  /** Milliseconds since 1970. */
  readonly until: number
}

/** When it began to be read, and when all of it was; milliseconds since 1970. */
export interface Moment {
  readonly begun: number
  readonly taken: number
}

export class Snapshot {
  readonly moment: Moment
  readonly facts: HostFacts
  /** How many there are; policies of single sockets are not counted. */
  readonly policyCount: number
  readonly saCount: number
  /** Some program's sockets are exempt from policy: those of a key manager. */
  readonly hasExemptSockets: boolean
  /** The network card protects packets, and we see them without. */
  readonly isOffloaded: boolean
  /** The mark of packets that are passed on, where policies of ours leave those out; else 0. */
  readonly forwardedMark: number
  /** By the interface id of policies: 0 for most. */
  readonly #tables = new Map<number, PolicyTable>()
  readonly #states = new Map<string, Protector>()
  readonly #spis = new Set<number>()
  readonly #departed = new Map<string, Departed>()
  readonly #local4 = new Set<number>()
  readonly #local6 = new Set<string>()
  readonly #tunnels: { readonly ends: string; readonly ifindex: number }[]
  readonly #caches = Array.from({ length: DIRECTIONS }, () => new FlowCache<Policy | typeof NO_POLICY>())

  /**
   * @param former the one before
   * @param kept milliseconds for which an SA that has gone counts as there
   */
  constructor(
    { policies, states }: XfrmTables,
    facts: HostFacts,
    moment: Moment,
    former?: Snapshot,
    kept = 5000,
  ) {
    this.moment = moment
    this.facts = facts
    let forwardedMark = 0
    let policyCount = 0
    // Of two with one priority the older is asked, and a dump has the newest first.
    for (const message of policies.toReversed()) {
      const { body, attributes } = message
      const { if_id = 0, mark } = attributes
      if (body.dir >= DIRECTIONS || attributes.policy_type?.type === policyType.SUB) continue
      policyCount++
      if (body.dir === dir.OUT && isOurPolicyIndex(body.index) && mark?.v === 0) forwardedMark |= mark.m
      this.#tableOf(if_id).add(withoutCompression(policyOf(message, body.index, 0)))
    }
    this.policyCount = policyCount
    this.forwardedMark = forwardedMark >>> 0
    this.hasExemptSockets = policies.some(
      ({ body, attributes }) => body.dir >= DIRECTIONS && !attributes.tmpl?.length,
    )
    this.isOffloaded = states.some(
      ({ attributes }) => ((attributes.offload_dev?.flags ?? 0) & OFFLOAD_PACKET) !== 0,
    )
    for (const state of states.filter(hasKeys)) {
      this.#states.set(nameOf(state.body), protectorOf(state))
      this.#spis.add(state.body.id.spi)
    }
    this.saCount = this.#states.size
    if (former) this.#keepDeparted(former, moment.taken + kept)
    for (const { family, bytes } of facts.localAddresses) {
      if (family === 'inet') this.#local4.add(read32(bytes, 0))
      else this.#local6.add(bytesKey(bytes))
    }
    this.#tunnels = [...facts.tunnels.values()].map(({ endpoints: { local, remote }, ifindex }) => ({
      ends: bytesKey(local.bytes) + bytesKey(remote.bytes),
      ifindex,
    }))
  }

  /** The policy that decides, if there is one. @param direction of `constants.ts` `dir` */
  lookup(direction: number, flow: Flow, mark: number, interfaceId: number): Policy | undefined {
    const table = this.#tables.get(interfaceId)
    if (!table) return undefined
    const cache = interfaceId === 0 ? this.#caches[direction] : undefined
    let found = cache?.get(flow, mark, 0)
    if (found === undefined) {
      found = table.lookup(direction, flow, mark) ?? NO_POLICY
      cache?.set(flow, mark, 0, found)
    }
    return found === NO_POLICY ? undefined : found
  }

  /** An SA that is there, or was at `time` (milliseconds since 1970). */
  protector(name: SaName, time: number): Protector | undefined {
    const key = nameOf(name)
    const present = this.#states.get(key)
    if (present) return present
    const departed = this.#departed.get(key)
    return departed && time <= departed.until ? departed.sa : undefined
  }

  /** True where some SA has this SPI. */
  hasSpi(spi: number): boolean {
    return this.#spis.has(spi)
  }

  /** True for addresses of this host. */
  isLocal(bytes: Uint8Array, at: number, version: 4 | 6): boolean {
    return version === 4
      ? this.#local4.has(read32(bytes, at))
      : this.#local6.has(bytesKey(bytes.subarray(at, at + 16)))
  }

  /** Indexes of the tunnel interfaces between two addresses, each of which has 4 or 16 bytes. */
  tunnelsBetween(local: Uint8Array, remote: Uint8Array): number[] {
    if (this.#tunnels.length === 0) return []
    const ends = bytesKey(local) + bytesKey(remote)
    return this.#tunnels.filter((tunnel) => tunnel.ends === ends).map(({ ifindex }) => ifindex)
  }

  #tableOf(interfaceId: number): PolicyTable {
    const table = this.#tables.get(interfaceId) ?? new PolicyTable()
    this.#tables.set(interfaceId, table)
    return table
  }

  #keepDeparted(former: Snapshot, until: number): void {
    for (const [key, departed] of former.#departed) {
      if (departed.until > this.moment.taken && !this.#states.has(key)) this.#departed.set(key, departed)
    }
    for (const [key, sa] of former.#states) if (!this.#states.has(key)) this.#departed.set(key, { sa, until })
  }
}

function nameOf({ family, id }: SaName): string {
  return `${id.proto} ${id.spi} ${bytesKey(family === af.INET ? id.daddr.subarray(0, 4) : id.daddr)}`
}

/** A number that is only reserved has none. */
function hasKeys({ attributes }: SaMessage): boolean {
  return keyedAlgorithms(attributes).length > 0
}

/** What is asked of an SA, and nothing that is secret. */
function protectorOf({ body, attributes }: SaMessage): Protector {
  const { alg_auth, alg_auth_trunc, set_mark, set_mark_mask, if_id, offload_dev } = attributes
  return {
    body,
    isTunnel: body.mode === mode.TUNNEL,
    attributes: {
      ...(alg_auth && { alg_auth: { ...alg_auth, alg_key: NO_KEY } }),
      ...(alg_auth_trunc && { alg_auth_trunc: { ...alg_auth_trunc, alg_key: NO_KEY } }),
      ...(set_mark !== undefined && { set_mark }),
      ...(set_mark_mask !== undefined && { set_mark_mask }),
      ...(if_id !== undefined && { if_id }),
      ...(offload_dev && { offload_dev }),
    },
  }
}

const NO_KEY = new Uint8Array(0)

/** Compressed packets are not looked into: whether they were compressed as they should, nobody here can tell. */
function withoutCompression(policy: Policy): Policy {
  if (!policy.templates.some(({ id }) => id.proto === proto.COMP)) return policy
  return { ...policy, templates: policy.templates.filter(({ id }) => id.proto !== proto.COMP) }
}
