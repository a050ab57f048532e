/**
 * Carries steps for tunnel interfaces out, in the network namespace of the calling thread.
 *
 * @module
 */
import { errnoText } from '../../netlink/libc/errno.ts'
import { requestRoute } from '../../netlink/route/request.ts'
import {
  addAddress,
  changeTunnel,
  createTunnel,
  deleteAddress,
  deleteLink,
  type RouteRequest,
  setMtu,
  setUp,
} from '../../netlink/route/tunnels.ts'
import { NetlinkError } from '../../netlink/socket/error.ts'
import { NETLINK_ROUTE } from '../../netlink/socket/protocols.ts'
import { NetlinkSocket } from '../../netlink/socket/socket.ts'
import { formatAddress, formatPrefix } from '../model/address.ts'
import { type OwnTunnel, tunnelModules } from '../model/tunnel.ts'
import type { BlockedTunnel, TunnelStep } from './tunnel-plan.ts'

/** The kernel refused to make a tunnel interface, or to change or remove it. */
export class TunnelError extends Error {
  readonly step: TunnelStep
  override readonly cause: NetlinkError
  /** The way out; absent where the message says it all. */
  readonly hint: string | undefined

  constructor(step: TunnelStep, cause: NetlinkError) {
    super(`the tunnel interface ${step.tunnel.name} cannot be ${doing(step)}: ${reasonOf(cause)}`)
    this.name = 'TunnelError'
    this.step = step
    this.cause = cause
    this.hint = hintFor(step, cause)
  }
}

/** Interfaces that are not ours have the names of tunnels that are wanted, and are others. */
export class TunnelBlockedError extends Error {
  readonly blocked: readonly BlockedTunnel[]

  constructor(blocked: readonly BlockedTunnel[]) {
    super(`interfaces that solipsec has not made are in the way: ${blocked.map(({ found }) => found.name)}`)
    this.name = 'TunnelBlockedError'
    this.blocked = blocked
  }
}

/** What the kernel says, or else what its number means. */
function reasonOf({ extack, errno, errnoName, message }: NetlinkError): string {
  if (errno === undefined) return message
  return `${extack ?? errnoText(errno)} (${errnoName})`
}

function doing(step: TunnelStep): string {
  switch (step.kind) {
    case 'create':
      return 'made'
    case 'delete':
      return 'removed'
    case 'ends':
      return 'given other ends'
    case 'mtu':
      return `given an MTU of ${step.tunnel.mtu}`
    case 'up':
    case 'down':
      return `set ${step.kind}`
    case 'add-address':
      return `given the address ${formatPrefix(step.address)}`
    case 'delete-address':
      return `rid of the address ${formatPrefix(step.address)}`
  }
}

function hintFor({ kind, tunnel }: TunnelStep, { errnoName }: NetlinkError): string | undefined {
  if (kind === 'create' && errnoName === 'EOPNOTSUPP') {
    return (
      `this kernel has no interfaces of kind ${tunnel.kind}; its module is ${tunnelModules[tunnel.kind]} ` +
      `(modprobe ${tunnelModules[tunnel.kind]}). Without it, take another kind or leave the tunnel out`
    )
  }
  if ((kind === 'create' || kind === 'ends') && errnoName === 'EEXIST') {
    const ends = `${formatAddress(tunnel.local)} and ${formatAddress(tunnel.remote)}`
    return `another interface of kind ${tunnel.kind} has the ends ${ends} (ip -d link show type ${tunnel.kind})`
  }
  if (kind === 'create' && errnoName === 'EBUSY') return 'its number was taken just now; try again'
  return undefined
}

/**
 * Carries steps out, in order.
 *
 * @throws TunnelError at the first that the kernel refuses; those before it stay
 */
export function runTunnelSteps(steps: readonly TunnelStep[]): void {
  if (steps.length === 0) return
  const socket = NetlinkSocket.open(NETLINK_ROUTE)
  try {
    for (const step of steps) runStep(socket, step)
  } finally {
    socket.close()
  }
}

function runStep(socket: NetlinkSocket, step: TunnelStep): void {
  const { message, flags } = requestOf(step)
  try {
    requestRoute(socket, message, flags)
  } catch (error) {
    if (!(error instanceof NetlinkError)) throw error
    if (!isDone(step, error)) throw new TunnelError(step, error)
  }
}

/** What was to be taken away has gone by itself; what was to come is there. */
function isDone({ kind }: TunnelStep, { errnoName }: NetlinkError): boolean {
  if (kind === 'delete' || kind === 'down') return errnoName === 'ENODEV'
  if (kind === 'delete-address') return errnoName === 'EADDRNOTAVAIL'
  return kind === 'add-address' && errnoName === 'EEXIST'
}

function requestOf(step: TunnelStep): RouteRequest {
  const { name, ifindex, mtu } = step.tunnel
  switch (step.kind) {
    case 'create':
      return createTunnel(name, ifindex, formOf(step.tunnel), mtu)
    case 'delete':
      return deleteLink(ifindex)
    case 'ends':
      return changeTunnel(ifindex, formOf(step.tunnel))
    case 'mtu':
      return setMtu(ifindex, mtu ?? 0)
    case 'up':
    case 'down':
      return setUp(ifindex, step.kind === 'up')
    case 'add-address':
      return addAddress(ifindex, step.address.bytes, step.address.length)
    case 'delete-address':
      return deleteAddress(ifindex, step.address.bytes, step.address.length)
  }
}

function formOf({ kind, local, remote }: OwnTunnel) {
  return { kind, local: local.bytes, remote: remote.bytes }
}
