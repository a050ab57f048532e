/**
 * The software data path of one network namespace as a program: databases, journal, packets, and the socket on which
 * everyone talks to it as to the kernel's XFRM.
 *
 * @module
 */
import { SystemError } from '../../../../netlink/libc/errno.ts'
import { NETLINK_ROUTE } from '../../../../netlink/socket/protocols.ts'
import { NetlinkSocket } from '../../../../netlink/socket/socket.ts'
import { encapType, group } from '../../../../netlink/xfrm/constants.ts'
import type { XfrmMessage } from '../../../../netlink/xfrm/messages.ts'
import type { UsersaInfo } from '../../../../netlink/xfrm/structs.ts'
import type { Flow } from '../../../packet/flow.ts'
import { readAcquireExpiry } from '../../kernel/acquire-expiry.ts'
import { cryptoBackend } from '../crypto/select.ts'
import { Databases } from '../databases.ts'
import type { Policy } from '../policy/policy.ts'
import type { IvEpochs } from '../state/iv-source.ts'
import { HARD, SOFT, stageByTime } from '../state/lifetime.ts'
import type { State } from '../state/state.ts'
import { policyMessage } from '../xfrm/policy-requests.ts'
import { RequestError } from '../xfrm/request-error.ts'
import { Requests } from '../xfrm/requests.ts'
import { rememberedCounters, stateInfo, stateMessage } from '../xfrm/state-message.ts'
import { Acquires } from './acquires.ts'
import { Journal, JournalFullError } from './journal.ts'
import { isDeliveredHere } from './local-addresses.ts'
import { NatKeepalives } from './nat-keepalives.ts'
import { PacketPath } from './path/packet-path.ts'
import { TunDevice } from './path/tun-device.ts'
import { PathMtu } from './path-mtu.ts'
import { DEVICE } from './place.ts'
import { Server } from './server.ts'
import { SteeringKeeper } from './steering/keeper.ts'
import { removeSteeringTable } from './steering/nft.ts'
import { addRoutes, removeRoutes } from './steering/routes.ts'
import { Watchman } from './steering/watchman.ts'
import { Tunnels } from './tunnels.ts'
import type { UdpPort } from './wire/sockets.ts'

const TICK_MS = 250
/** What Linux has where nobody says otherwise. */
const ACQUIRE_PAUSE_SECONDS = 30

export interface ServiceOptions {
  readonly socketPath: string
  readonly journalPath: string
  readonly epochs: IvEpochs
  /** Called when there is nothing left to do: no policies, no SAs. */
  readonly onIdle: () => void
}

export class Service {
  readonly #databases: Databases
  readonly #requests: Requests
  readonly #journal: Journal
  readonly #route = NetlinkSocket.open(NETLINK_ROUTE)
  readonly #tunnels = new Tunnels(this.#route)
  readonly #packetPath: PacketPath
  readonly #server: Server
  readonly #watchman: Watchman
  readonly #keepalives = new NatKeepalives()
  readonly #options: ServiceOptions
  readonly #timer: NodeJS.Timeout
  readonly #steering: SteeringKeeper
  readonly #acquires = new Acquires(() => readAcquireExpiry() ?? ACQUIRE_PAUSE_SECONDS)
  #portsDirty = true
  #idleTicks = 0

  /**
   * Takes up what a program before left in the journal, and begins.
   *
   * @throws SystemError, NetlinkError, RequestError where something that it needs is not there
   */
  constructor(options: ServiceOptions) {
    this.#options = options
    this.#databases = new Databases({
      acquire: (policy, template, flow) => this.#acquire(policy, template, flow),
      expire: (state, hard) => this.#announceExpiry(state, hard),
    })
    this.#requests = new Requests(this.#databases, () => ({
      backend: cryptoBackend(),
      epochs: options.epochs,
      now: this.#databases.now,
      remember: (state, sent, seen) => this.#remember(state, sent, seen),
    }))
    this.#journal = new Journal(options.journalPath)
    this.#replay()
    const device = new TunDevice(DEVICE)
    addRoutes(DEVICE)
    this.#packetPath = new PacketPath(this.#databases, device, {
      pathMtu: new PathMtu(this.#route),
      tunnels: this.#tunnels,
      isDeliveredHere: (flow) => isDeliveredHere(this.#route, flow),
    })
    this.#steering = new SteeringKeeper(DEVICE, this.#databases, this.#tunnels)
    this.#steering.bring()
    this.#server = new Server(options.socketPath, {
      request: (message, portId, bytes) => this.#request(message, portId, bytes),
      dump: (name, filter) => this.#requests.dump(name, filter),
      statistics: () => this.#steering.statistics(),
      settle: () => this.#settle(),
    })
    this.#watchman = new Watchman({
      table: (sender) => this.#steering.restore(sender),
      routes: () => addRoutes(DEVICE),
      links: () => this.#steering.linksChanged(),
      // Decisions about packets out of tunnels depend on them.
      addresses: () => this.#databases.generation++,
    })
    this.#timer = setInterval(() => this.#tick(), TICK_MS)
  }

  get databases(): Databases {
    return this.#databases
  }

  /** Carries out again what the journal says. What cannot be is left out; nothing passes in clear for it. */
  #replay(): void {
    for (const message of this.#journal.read()) {
      try {
        this.#requests.handle(message)
      } catch (error) {
        if (!(error instanceof RequestError)) throw error
      }
    }
    this.#compact()
  }

  #compact(): void {
    this.#journal.rewrite(this.#everything())
  }

  /** The old file is as good. */
  #tryCompact(): void {
    try {
      this.#compact()
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC' && !(error instanceof JournalFullError))
        throw error
    }
  }

  *#everything(): Generator<XfrmMessage, void> {
    for (const policy of this.#databases.policies.all().reverse()) yield policyMessage(policy)
    for (const state of this.#databases.states.all()) {
      const message = stateMessage(state)
      yield { ...message, attributes: { ...message.attributes, ltime_val: message.body.curlft } }
      yield rememberedCounters(state, state.sequence.mark, state.seenMark)
    }
  }

  #remember(state: State, sent: number, seen: number): void {
    this.#journal.appendMessage(rememberedCounters(state, sent, seen))
  }

  #request(message: XfrmMessage, portId: number, bytes: Uint8Array): readonly XfrmMessage[] {
    if (message.name === 'GETSPDINFO') this.#steering.bring()
    const { replies, event, isChange } = this.#requests.handle(message)
    if (isChange) {
      this.#journal.append(bytes)
      if (message.name.endsWith('POLICY')) this.#steering.policiesChanged()
      else this.#portsDirty = true
      if (message.name === 'NEWSA') this.#rememberNew(message.body)
    }
    if (event) this.#server.announce(event.group, event.message, portId)
    return replies
  }

  /** When the SA was added is not in the request. */
  #rememberNew({ id, family }: UsersaInfo): void {
    const state = this.#databases.states.find({ family, daddr: id.daddr, spi: id.spi, proto: id.proto })
    if (state) this.#remember(state, state.sequence.mark, state.seenMark)
  }

  #settle(): void {
    if (this.#journal.isLong) this.#tryCompact()
    this.#steering.soon()
    if (this.#portsDirty) this.#syncPorts()
  }

  #syncPorts(): void {
    this.#portsDirty = false
    const ports = new Map<string, UdpPort>()
    for (const { body, attributes } of this.#databases.states.all()) {
      if (attributes.encap?.encap_type !== encapType.ESPINUDP) continue
      const port = { family: body.family, port: attributes.encap.encap_dport }
      ports.set(`${port.family} ${port.port}`, port)
    }
    try {
      this.#packetPath.listen([...ports.values()])
    } catch (error) {
      if (!(error instanceof SystemError)) throw error
      // Taken by somebody else: packets to it are lost, as they are to a kernel without the port.
      this.#portsDirty = true
    }
  }

  #tick(): void {
    const now = Math.floor(Date.now() / 1000)
    if (now !== this.#databases.now) {
      this.#databases.now = now
      this.#expireByTime(now)
      for (const state of this.#keepalives.due(this.#databases.clocked(), now)) {
        this.#packetPath.sendNatKeepalive(state)
      }
      if (this.#portsDirty) this.#syncPorts()
    }
    const isEmpty = this.#databases.policies.size === 0 && this.#databases.states.size === 0
    const isIdle = isEmpty && !this.#server.hasRequesters
    this.#idleTicks = isIdle ? this.#idleTicks + 1 : 0
    if (this.#idleTicks * TICK_MS >= 5000) this.#options.onIdle()
  }

  #expireByTime(now: number): void {
    for (const state of this.#databases.clocked()) {
      if (!state.limits.isTimed) continue
      const stage = stageByTime(state.limits, state.usage, now)
      if (stage === HARD) this.#databases.expire(state)
      else if (stage === SOFT) this.#databases.softExpire(state)
    }
  }

  #announceExpiry(state: State, hard: boolean): void {
    const body = { state: stateInfo(state), hard: hard ? 1 : 0 }
    if (hard) {
      const { id, family } = state.body
      const removal = { daddr: id.daddr, spi: id.spi, family, proto: id.proto }
      this.#journal.appendMessage({ name: 'DELSA', body: removal, attributes: {} })
      this.#portsDirty = true
    }
    this.#server.announce(group.EXPIRE, { name: 'EXPIRE', body, attributes: {} }, 0)
  }

  #acquire(policy: Policy, template: number, flow: Flow): void {
    if (!this.#server.hasListeners(group.ACQUIRE)) return
    const message = this.#acquires.need(policy, template, flow, this.#databases.now)
    if (message) this.#server.announce(group.ACQUIRE, message, 0)
  }

  /** Ends the program's part. What steers packets stays: what should be protected is refused from now on. */
  close(): void {
    clearInterval(this.#timer)
    this.#steering.close()
    this.#watchman.close()
    this.#server.close()
    this.#packetPath.close()
    this.#compact()
    this.#journal.close()
    this.#route.close()
  }
}

/** Takes away what steers packets: without it, everything passes in clear. */
export function removeSteering(): void {
  removeSteeringTable()
  removeRoutes()
}
