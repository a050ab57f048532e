/**
 * Two hosts, the agent on one of them, and another program that meddles with what it looks after.
 *
 * @module
 */
import type { Test } from 'tap'
import { connectDataPath } from '../../agent/datapath/data-path.ts'
import { isOurPolicyIndex, isOurState } from '../../agent/reconcile/ownership.ts'
import type { XfrmConnection } from '../../netlink/xfrm/connection.ts'
import type { XfrmMessage } from '../../netlink/xfrm/messages.ts'
import type { Station } from '../vm/support/station.ts'
import { ping } from '../vm/support/traffic.ts'
import { AgentProcess } from './agent-process.ts'
import { ConfigurationPlace, espPair } from './configuration-place.ts'

export interface Ends {
  readonly left: Station
  readonly right: Station
  readonly L: string
  readonly R: string
  /** The kernel has tunnel interfaces. */
  readonly hasTunnels: boolean
}

export const PROTECT = { encryption: 'aes(128)', authentication: 'sha256' }

/** Does something with what carries a station's packets, as another program would. */
export function meddle<T>(station: Station, use: (connection: XfrmConnection) => T): T {
  return station.visit(() => {
    const connection = connectDataPath(station.folder)
    try {
      return use(connection)
    } finally {
      connection.close()
    }
  })
}

const statesOf = (station: Station) =>
  meddle(station, (connection) => connection.states().filter(({ body }) => isOurState(body.reqid)))

export const policiesOf = (station: Station) =>
  meddle(station, (connection) => connection.policies().filter(({ body }) => isOurPolicyIndex(body.index)))

/** Without numbers that the kernel gives. */
export const pictureOf = (station: Station): string[] =>
  policiesOf(station)
    .map(({ body: { dir, sel, priority, action }, attributes: { tmpl, mark } }) =>
      JSON.stringify([dir, sel, priority, action, tmpl, mark]),
    )
    .sort()

export const spisOf = (station: Station): number[] =>
  statesOf(station)
    .map(({ body }) => body.id.spi)
    .sort()

export function deletion({ body: { id, family } }: XfrmMessage<'NEWSA'>): XfrmMessage<'DELSA'> {
  return { name: 'DELSA', body: { daddr: id.daddr, spi: id.spi, family, proto: id.proto }, attributes: {} }
}

export function policyDeletion({
  body,
  attributes: { mark },
}: XfrmMessage<'NEWPOLICY'>): XfrmMessage<'DELPOLICY'> {
  const { sel, dir } = body
  return { name: 'DELPOLICY', body: { sel, index: 0, dir }, attributes: mark ? { mark } : {} }
}

export function find(station: Station, spi: number): XfrmMessage<'NEWSA'> {
  const found = statesOf(station).find(({ body }) => body.id.spi === spi)
  if (!found) throw new Error(`there is no SA with SPI ${spi}`)
  return found
}

/** Sequence number that an SA has reached. */
export function sentBy({ attributes }: XfrmMessage<'NEWSA'>): number {
  return attributes.replay_esn_val?.oseq ?? attributes.replay_val?.oseq ?? 0
}

/** Protects between the two, both ways. */
export const ruleFor = (local: string, remote: string) => ({ local, remote, protect: PROTECT })

export interface AgentWorld extends Ends {
  /** Where configurations are, and become. */
  readonly here: ConfigurationPlace
  readonly there: ConfigurationPlace
  /** Policy and SAs of the left one. */
  readonly base: { readonly policies: readonly object[]; readonly associations: readonly object[] }
  /** Whether the left one reaches the right one. */
  delivered(): boolean
  /** Starts the agent on the left one with a document. */
  start(
    t: Test,
    document: object,
    ...more: string[]
  ): Promise<{ readonly agent: AgentProcess; readonly file: string }>
}

export function agentWorld(t: Test, ends: Ends): AgentWorld {
  const { left, right, L, R } = ends
  const here = new ConfigurationPlace(t, left)
  return {
    ...ends,
    here,
    there: new ConfigurationPlace(t, right),
    base: { policies: [ruleFor(L, R)], associations: espPair(0x1000, L, R) },
    delivered: () => ping({ station: left, address: L }, { station: right, address: R }).delivered,
    start: async (t, document, ...more) => {
      const file = here.file(document)
      return { agent: await AgentProcess.start(t, left, '--config', file, ...more), file }
    },
  }
}
