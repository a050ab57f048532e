/**
 * The peer: strongSwan's ESP in user space (its plugin kernel-libipsec), one charon on each host. Tunnel mode between
 * the hosts' own addresses and ESP in UDP, since it can do nothing else, with AES-128-GCM.
 *
 * @module
 */
import { existsSync } from 'node:fs'
import type { CommandLine } from '../support/execute.ts'
import type { Workplace } from '../support/host.ts'
import type { Contender } from './contender.ts'
import { lackingPeer } from './install.ts'
import { connections, daemon } from './libipsec-files.ts'
import { outputWithin, type Service, startService, until } from './processes.ts'
import { PEER } from './table.ts'
import { type Host, on, type Topology } from './topology.ts'

/** Seconds for a daemon to be there, for a command to it, and for the negotiation. */
const PATIENCE = 15

/** The TUN device that the plugin makes. */
const DEVICE = 'ipsec0'

/**
 * Two daemons side by side: their sockets and files have fixed places, so each sees places of its own. `ip netns exec`
 * has given it a mount namespace whose mounts nobody else sees.
 */
const PRIVATELY = `set -e
mount -t tmpfs -o mode=755 tmpfs /run
mount --bind "$1" /etc/strongswan.conf
mount -t tmpfs -o mode=700 tmpfs /etc/swanctl
cp "$2" /etc/swanctl/swanctl.conf
exec /usr/sbin/charon-systemd`

/** strongSwan's data path in user space, on hosts that it makes its files for in `place`. */
export function libipsec(place: Workplace): Contender {
  const daemons: Service[] = []

  async function startDaemon(host: Host, peer: Host): Promise<Service> {
    const config = place.file(`${host.namespace}.strongswan.conf`, daemon)
    const swanctl = place.file(`${host.namespace}.swanctl.conf`, connections(host.address, peer.address))
    const service = startService(on(host, 'sh', '-c', PRIVATELY, 'charon', config, swanctl))
    daemons.push(service)
    const isThere = () => existsSync(`/proc/${service.pid}/root/run/charon.vici`)
    await until('charon listens', PATIENCE, () => isThere() || !service.isRunning())
    if (!service.isRunning()) throw new Error(`charon: ${service.said()}`)
    return service
  }

  return {
    name: PEER,
    protects: true,
    lacking: lackingPeer,
    start: async (topology) => {
      const [left, right] = await Promise.all([
        startDaemon(topology.left, topology.right),
        startDaemon(topology.right, topology.left),
      ])
      for (const service of [left, right]) await swanctl(service, '--load-all', '--noprompt')
      await swanctl(left, '--initiate', '--child', 'host', '--timeout', String(PATIENCE))
      await assertInUse(topology)
    },
    stop: async () => {
      await Promise.all(daemons.splice(0).map((service) => service.stop()))
    },
  }
}

/** Runs a command of a daemon's, in the places that the daemon sees. */
function swanctl({ pid }: Service, ...args: readonly string[]): Promise<string> {
  const command: CommandLine = ['nsenter', '-t', String(pid), '-m', '-n', 'swanctl', ...args]
  return outputWithin(PATIENCE + 5, command)
}

/** Packets must really take the way through the plugin's device. @throws Error where they do not */
async function assertInUse({ left, right }: Topology): Promise<void> {
  for (const [host, peer] of [
    [left, right],
    [right, left],
  ] as const) {
    const route = await outputWithin(5, on(host, 'ip', 'route', 'get', peer.address))
    if (!route.includes(` dev ${DEVICE} `))
      throw new Error(`libipsec: packets do not take ${DEVICE}: ${route}`)
  }
}
