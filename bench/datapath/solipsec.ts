/**
 * The software data path of this package, set up as an administrator would: policy and keys from files, loaded by the
 * commands. ESP in transport mode with AES-128-GCM.
 *
 * @module
 */
import { randomBytes } from 'node:crypto'
import { ours, type Workplace } from '../support/host.ts'
import type { Contender } from './contender.ts'
import { outputWithin } from './processes.ts'
import type { Host, Topology } from './topology.ts'

/** Seconds for a command. */
const PATIENCE = 20
const ON = ['-q', '--datapath', 'software', '--netns'] as const

/** The software data path, on hosts that it makes its files for in `place`. @param inUdp ESP stands in UDP (RFC 3948) */
export function solipsec(place: Workplace, inUdp: boolean): Contender {
  let hosts: readonly Host[] = []
  return {
    name: inUdp ? 'solipsec, ESP in UDP' : 'solipsec, ESP',
    protects: true,
    lacking: () => undefined,
    start: async ({ left, right }: Topology) => {
      hosts = [left, right]
      const lines = [sa(left, right, 0x1001, inUdp), sa(right, left, 0x1002, inUdp)]
      const keys = place.file(`${left.namespace}.ipseckeys`, lines.join(''))
      for (const [own, peer] of [
        [left, right],
        [right, left],
      ] as const) {
        const policy = place.file(`${own.namespace}.ipsecinit.conf`, rule(own, peer))
        await outputWithin(PATIENCE, ours('ipsecconf', ...ON, own.namespace, '-a', policy))
        await outputWithin(PATIENCE, ours('ipseckey', ...ON.slice(1), own.namespace, '-f', keys))
      }
    },
    // With its last policy and key gone, the program that carries the packets ends.
    stop: async () => {
      for (const { namespace } of hosts) {
        await outputWithin(PATIENCE, ours('ipseckey', ...ON.slice(1), namespace, 'flush'))
        await outputWithin(PATIENCE, ours('ipsecconf', ...ON, namespace, '-F'))
      }
    },
  }
}

function rule(own: Host, peer: Host): string {
  return `{laddr ${own.address} raddr ${peer.address}} ipsec {encr_algs aes-gcm(128)}\n`
}

/** A key of its own for each direction: 128 bits and the salt of RFC 4106. */
function sa(from: Host, to: Host, spi: number, inUdp: boolean): string {
  const key = randomBytes(16 + 4).toString('hex')
  const encap = inUdp ? ` encap udp nat_loc ${from.address} nat_rem ${to.address}` : ''
  return `add esp spi ${spi} src ${from.address} dst ${to.address} encr_alg aes-gcm reserved_bits 32 encrkey ${key}${encap}\n`
}
