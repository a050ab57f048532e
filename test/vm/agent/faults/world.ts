/**
 * A host whose policy and SAs go from one generation to another, and what must hold however such a change ends: it is made
 * or not, the record says what the kernel has, and no packet that both generations protect passes in clear.
 *
 * @module
 */
import { readdirSync } from 'node:fs'
import { connectDataPath } from '../../../../agent/datapath/data-path.ts'
import type { SecurityAssociation } from '../../../../agent/model/association.ts'
import { defaultAlgorithmTable } from '../../../../agent/model/default-algorithms.ts'
import type { Rule } from '../../../../agent/model/policy.ts'
import type { Wanted } from '../../../../agent/reconcile/planner.ts'
import { replaceRules } from '../../../../agent/reconcile/policy-edit.ts'
import { Session } from '../../../../agent/reconcile/session.ts'
import type { KernelPolicy } from '../../../../agent/translate/kernel-policy.ts'
import { parsePolicy } from '../../../../compat/solaris/ipsecconf/index.ts'
import { parseKeyFile } from '../../../../compat/solaris/ipseckey/parser.ts'
import type { XfrmConnection } from '../../../../netlink/xfrm/connection.ts'
import { action, dir } from '../../../../netlink/xfrm/constants.ts'
import { findPolicy } from '../../../agent/translate/simulation/xfrm.ts'
import { resolver } from '../../../compat/solaris/ipseckey/support.ts'
import { address } from '../../../support/address.ts'
import { TestNet } from '../../../support/namespaces.ts'
import type { ownState } from '../../../support/own-state.ts'
import { AES_SHA256, keyFile, pairOf, type TestSa } from '../../support/keys.ts'
import { Station } from '../../support/station.ts'
import { type End, udp } from '../../support/traffic.ts'
import { kindsOf, Wiretap } from '../../support/wiretap.ts'

type TestContext = Parameters<typeof ownState>[0]

/** Many rules and many runs: `SOLIPSEC_FUZZ` greater than 1. */
export const isFull = Number(process.env.SOLIPSEC_FUZZ) > 1

/** Here, without a machine, with the software data path, which is much faster. */
const isSoftware = process.env.SOLIPSEC_DATAPATH === 'software'

const L = '10.1.0.1'
const R = '10.1.0.2'
/** Protected where there is an SA, which there always is; else in clear. */
const R2 = '10.1.0.4'
/** Protected in one of two ways, of which each generation of SAs has another one. */
const R3 = '10.1.0.3'
const L6 = 'fd00:1::1'
const R6 = 'fd00:1::2'
const ESP = 'ipsec {encr_algs aes(128) encr_auth_algs sha256}'
const STRONGER_ESP = 'ipsec {encr_algs aes(256) encr_auth_algs sha256}'

const isV6 = (text: string): boolean => text.includes(':')
/** The left host's address for packets to and from another one. */
const localOf = (peer: string): string => (isV6(peer) ? L6 : L)

/** Policy and SAs: none, or those of a generation. */
export interface Target {
  readonly rules: 0 | 1 | 2
  readonly sas: 0 | 1 | 2
}

/** Texts of one generation after the other, of which each second rule and SA stays. */
export class Generations {
  readonly #count: number
  readonly #rules = new Map<number, readonly Rule[]>()
  readonly #associations = new Map<number, readonly SecurityAssociation[]>()

  /** @param count how many rules */
  constructor(count: number) {
    this.#count = count
  }

  /** A few hosts whose packets are protected in all generations but the empty one. */
  get constantPeers(): string[] {
    const step = Math.max(1, this.#count >> 4)
    return Array.from({ length: 8 }, (_, i) => this.#peer(i * step * 2, 1))
  }

  #peer(i: number, generation: number): string {
    return `10.${i % 2 === 0 ? 100 : 100 + generation}.${i >> 8}.${i & 255}`
  }

  policyText(generation: number): string {
    if (generation === 0) return ''
    const many = Array.from(
      { length: this.#count },
      (_, i) => `{laddr ${L} raddr ${this.#peer(i, generation)}} ${ESP}\n`,
    )
    return [
      `{laddr ${L} raddr ${R}} ${ESP}\n`,
      ...many,
      `{laddr ${L} raddr ${R2}} ${ESP} or pass {}\n`,
      `{laddr ${L} raddr ${R3}} ${ESP} or ${STRONGER_ESP}\n`,
      `{laddr ${L6} raddr ${R6}} ${ESP}\n`,
    ].join('')
  }

  keyText(generation: number): string {
    if (generation === 0) return ''
    const many = Array.from({ length: this.#count >> 2 }, (_, i): TestSa => {
      const spi = 0x10000 + i + (i % 2 === 0 ? 0 : 0x10000 * generation)
      return { ...AES_SHA256, spi, source: L, destination: this.#peer(i, generation) }
    })
    const constant = pairOf({ ...AES_SHA256, spi: 0x1000, source: L, destination: R })
    const renewed = pairOf({
      ...AES_SHA256,
      spi: 0x2000,
      source: L,
      destination: R2,
      more: `replay ${32 * generation}`,
    })
    const either = pairOf({
      ...AES_SHA256,
      cipher: { name: 'aes', bits: 128 * generation },
      spi: 0x3000 + 0x1000 * generation,
      source: L,
      destination: R3,
    })
    const v6 = pairOf({ ...AES_SHA256, spi: 0x3000, source: L6, destination: R6 })
    return keyFile([...constant, ...renewed, ...either, ...v6, ...many])
  }

  rules(generation: number): readonly Rule[] {
    const known = this.#rules.get(generation)
    if (known) return known
    const { rules, diagnostics } = parsePolicy(this.policyText(generation), 'policy', {
      algorithms: defaultAlgorithmTable,
      resolver,
    })
    refuseErrors(diagnostics)
    this.#rules.set(generation, rules)
    return rules
  }

  associations(generation: number): readonly SecurityAssociation[] {
    const known = this.#associations.get(generation)
    if (known) return known
    const { commands, diagnostics } = parseKeyFile(this.keyText(generation), 'keys', {
      algorithms: defaultAlgorithmTable,
      resolver,
    })
    refuseErrors(diagnostics)
    const associations = commands.flatMap((one) => (one.kind === 'add' ? [one.association] : []))
    this.#associations.set(generation, associations)
    return associations
  }
}

function refuseErrors(diagnostics: readonly { severity: string; message: string }[]): void {
  const error = diagnostics.find(({ severity }) => severity === 'error')
  if (error) throw new Error(error.message)
}

/** Two hosts; the left one is put to the test. */
export class FaultWorld {
  readonly left: Station
  readonly right: Station
  readonly generations: Generations
  readonly #wire: Wiretap

  private constructor(left: Station, right: Station, wire: Wiretap, generations: Generations) {
    this.left = left
    this.right = right
    this.generations = generations
    this.#wire = wire
  }

  static async make(t: TestContext, count: number): Promise<FaultWorld> {
    const net = new TestNet(t)
    const [left, right] = isSoftware
      ? [await Station.makeSoftware(t, net), await Station.makeSoftware(t, net)]
      : await Station.make(t, net, 2)
    const ofRight = [R, R2, R3].map((one) => `${one}/24`)
    await net.wire(left.host, right.host, [`${L}/24`, `${L6}/64`], [...ofRight, `${R6}/64`])
    const world = new FaultWorld(left, right, Wiretap.open(t, { station: left }), new Generations(count))
    return world
  }

  /** Does something under the lock, as a command would; taking back what another one has left comes first. */
  inSession<T>(use: (session: Session) => T): T {
    return this.left.visit(() => {
      const session = Session.open(defaultAlgorithmTable, { choice: this.left.dataPath, needs: ['esp'] })
      try {
        return use(session)
      } finally {
        session.close()
      }
    })
  }

  /** Goes from one to the other as a command would. */
  change(from: Target, to: Target): void {
    this.inSession((session) => session.apply(session.planAll(this.wanted(session, from, to))))
  }

  /** What is otherwise in the second one. */
  wanted({ state }: Session, from: Target, to: Target): Wanted {
    return {
      ...(from.rules !== to.rules && {
        policy: replaceRules(state, this.generations.rules(to.rules), { kind: 'all' }),
      }),
      ...(from.sas !== to.sas && { associations: this.generations.associations(to.sas) }),
    }
  }

  /** True where policy, SAs and the record are just what they are to be. */
  isAt(target: Target): boolean {
    return this.inSession((session) => {
      const rules = this.generations.rules(target.rules)
      const recorded = session.state.rules.map(({ rule }) => rule.text)
      if (recorded.join('\n') !== rules.map(({ text }) => text).join('\n')) return false
      const associations = this.generations.associations(target.sas)
      const { reconciliation } = session.planAll({ policy: session.state, associations })
      return reconciliation.steps.length === 0
    })
  }

  /** Both tables, without counters. */
  picture(): string {
    return this.#look(({ policies, states }) =>
      [
        ...policies.map(({ body: { dir, sel, priority, action }, attributes: { tmpl, mark } }) =>
          JSON.stringify([dir, sel, priority, action, tmpl, mark]),
        ),
        ...states.map(({ body, attributes: { alg_crypt, alg_auth_trunc, set_mark, replay_esn_val } }) => {
          const window = replay_esn_val?.replay_window
          return JSON.stringify([
            body.id,
            body.saddr,
            body.reqid,
            alg_crypt,
            alg_auth_trunc,
            set_mark,
            window,
          ])
        }),
      ]
        .sort()
        .join('\n'),
    )
  }

  #look<T>(use: (tables: ReturnType<XfrmConnection['tables']>) => T): T {
    return this.left.visit(() => {
      const connection = connectDataPath(this.left.folder)
      try {
        return use(connection.tables())
      } finally {
        connection.close()
      }
    })
  }

  /** Traces of changes that were broken off. */
  traces(): string[] {
    return readdirSync(this.left.folder).filter((name) => /pending|\.new$/.test(name))
  }

  /**
   * What passes in clear though it is protected before and after a change: by the tables, and, for some, by real packets,
   * which take longer.
   */
  leaks(from: Target, to: Target, isThorough: boolean): string[] {
    if (from.rules === 0 || to.rules === 0) return []
    return [...(isThorough ? this.#probe(from.sas > 0 && to.sas > 0) : []), ...this.#tableLeaks()]
  }

  /**
   * Lets the next session take back what a change has left that was broken off.
   *
   * @param before how everything was
   * @throws Error where it is neither the old nor the new one
   */
  heal(from: Target, to: Target, before: string, isThorough: boolean): 'old' | 'new' {
    this.inSession(() => {})
    return this.ended(from, to, before, isThorough)
  }

  /**
   * What is there after a change that was broken off, and that somebody has taken back.
   *
   * @param before how everything was
   * @throws Error where it is neither the old nor the new one, or where there are traces of the change
   */
  ended(from: Target, to: Target, before: string, isThorough: boolean): 'old' | 'new' {
    if (this.traces().length > 0) throw new Error(`there are traces: ${this.traces()}`)
    const isOld = this.picture() === before
    if (!isOld || isThorough) {
      const target = isOld ? from : to
      if (!this.isAt(target)) throw new Error(`what is there is not ${isOld ? 'the old one' : 'the new one'}`)
    }
    return isOld ? 'old' : 'new'
  }

  /** @param hasKeys where there are SAs for what may also pass in clear, that is protected as well */
  #probe(hasKeys: boolean): string[] {
    const found: string[] = []
    for (const address of hasKeys ? [R, R2, R3, R6] : [R, R3, R6]) {
      this.#wire.take()
      udp(this.#own(address), { station: this.right, address })
      const kinds = kindsOf(this.#wire.take())
      if (kinds !== '' && kinds !== 'esp') found.push(`${kinds} to ${address}`)
    }
    for (const address of [R, R3, R6])
      if (udp({ station: this.right, address }, this.#own(address)).delivered)
        found.push(`clear text from ${address}`)
    return found
  }

  /** The end of the left host for one of the right one's addresses. */
  #own(peer: string): End {
    return { station: this.left, address: localOf(peer) }
  }

  #tableLeaks(): string[] {
    const policies = this.#look(({ policies }) =>
      policies.map(({ body, attributes: { tmpl = [], mark } }): KernelPolicy => {
        const { sel, priority } = body
        const [way, deed] = [body.dir as KernelPolicy['dir'], body.action as KernelPolicy['action']]
        return { sel, priority, dir: way, action: deed, tmpl, ...(mark && { mark }) }
      }),
    )
    return [R3, R6, ...this.generations.constantPeers].flatMap((peer) => {
      const packet = {
        family: isV6(peer) ? ('inet6' as const) : ('inet' as const),
        local: address(localOf(peer)),
        remote: address(peer),
        protocol: 17,
        localPort: 5,
        remotePort: 7,
        type: 0,
        code: 0,
      }
      return ([dir.OUT, dir.IN] as const).flatMap((way) => {
        const policy = findPolicy(policies, packet, way, 0)
        const isSafe = policy?.action === action.BLOCK || policy?.tmpl.some(({ optional }) => optional === 0)
        return isSafe ? [] : [`${way === dir.OUT ? 'out to' : 'in from'} ${peer}`]
      })
    })
  }
}
