/**
 * Settings of the kernel's network (sysctl), and the interfaces that they are about, in the network namespace of the
 * calling thread.
 *
 * @module
 */
import { readdirSync, readFileSync } from 'node:fs'
import { dumpLinks, route, tunnelOf } from '../../../netlink/route/messages.ts'
import { NETLINK_ROUTE } from '../../../netlink/socket/protocols.ts'
import { NetlinkSocket } from '../../../netlink/socket/socket.ts'
import { type Known, look } from '../known.ts'

export interface InterfaceFacts {
  readonly name: string
  readonly isLoopback: boolean
  /** `ipip`, `gre`, `vti`, `xfrm`, …; absent for what is no tunnel. */
  readonly tunnelKind?: string
}

/** Values by path under `/proc/sys/net`, such as `ipv4/conf/eth0/rp_filter`. What is not there could not be read. */
export type Settings = ReadonlyMap<string, string>

/** Settings that hold for all interfaces. */
const GENERAL = [
  'core/xfrm_acq_expires',
  'core/xfrm_larval_drop',
  'ipv4/ip_forward',
  'ipv4/ip_no_pmtu_disc',
  'ipv4/ipfrag_high_thresh',
  'ipv4/ipfrag_time',
  'ipv4/xfrm4_gc_thresh',
  'ipv6/ip6frag_high_thresh',
  'ipv6/ip6frag_time',
] as const

/** Those that each interface has, and `all` and `default`. */
const OF_INTERFACES: Readonly<Record<string, readonly string[]>> = {
  ipv4: ['disable_xfrm', 'disable_policy', 'rp_filter', 'accept_redirects', 'forwarding'],
  ipv6: ['disable_policy', 'disable_ipv6', 'accept_redirects', 'forwarding'],
}

const ROOT = '/proc/sys/net'

export function readSettings(): Map<string, string> {
  const settings = new Map<string, string>()
  const read = (path: string) => {
    const text = look(() => readFileSync(`${ROOT}/${path}`, 'utf8'))
    // An interface may go meanwhile; a kernel need not have each setting.
    if ('value' in text) settings.set(path, text.value.trim())
  }
  for (const path of GENERAL) read(path)
  for (const [family, names] of Object.entries(OF_INTERFACES)) {
    const folders = look(() => readdirSync(`${ROOT}/${family}/conf`))
    if ('unknown' in folders) continue
    for (const folder of folders.value) for (const name of names) read(`${family}/conf/${folder}/${name}`)
  }
  return settings
}

const IFF_LOOPBACK = 0x8

export function readInterfaces(): Known<readonly InterfaceFacts[]> {
  return look(() => {
    const socket = NetlinkSocket.open(NETLINK_ROUTE)
    const interfaces: InterfaceFacts[] = []
    try {
      socket.dump({ type: route.type('GETLINK'), payload: dumpLinks() }, ({ type, payload }) => {
        const link = route.decode(type, payload)
        if (link.name !== 'NEWLINK') return
        const kind = tunnelOf(link.attributes)?.kind
        const isLoopback = (link.body.ifi_flags & IFF_LOOPBACK) !== 0
        const name = link.attributes.ifname ?? String(link.body.ifi_index)
        interfaces.push({ name, isLoopback, ...(kind !== undefined && { tunnelKind: kind }) })
      })
    } finally {
      socket.close()
    }
    return interfaces
  })
}
