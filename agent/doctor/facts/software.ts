/**
 * What the software data path needs: a TUN device, and nftables that knows marks of sockets. Both are tried, in a network
 * namespace made for the purpose.
 *
 * @module
 */
import { spawnSync } from 'node:child_process'
import { closeSync } from 'node:fs'
import { delimiter } from 'node:path'
import { openTun } from '../../../netlink/libc/device.ts'
import { DEVICE } from '../../datapath/software/service/place.ts'
import { steeringScript } from '../../datapath/software/service/steering/table.ts'
import { hasNft, netfilterScript } from '../../reconcile/netfilter.ts'
import { fails, type Trial, untried, WORKS } from '../known.ts'
import { elsewhere } from './elsewhere.ts'

export interface SoftwareFacts {
  /** The program nft(8) is there. */
  readonly hasNft: boolean
  /** The table that steers packets to the data path (`nft_socket` and the hooks of the family `inet`). */
  readonly steering: Trial
  /** The table that tells forwarded packets from this host's, for the kernel's data path. */
  readonly marking: Trial
  readonly tun: Trial
}

export function trySoftware(): SoftwareFacts {
  const nft = hasNft()
  const absent = untried('there is no nft')
  return {
    hasNft: nft,
    steering: nft ? tryScript(steeringScript({ device: DEVICE, policies: [], tunnels: [] })) : absent,
    marking: nft ? tryScript(netfilterScript(ALL_RULES)) : absent,
    tun: elsewhere(() => {
      closeSync(openTun(DEVICE).fd)
      return WORKS
    }),
  }
}

const ALL_RULES = { forwardedMark: 1, guardsOwnAddresses: true, classMarks: 2 }

function tryScript(input: string): Trial {
  return elsewhere(() => {
    const { error, status, stderr } = spawnSync('nft', ['-f', '-'], {
      input,
      encoding: 'utf8',
      env: { ...process.env, PATH: `${process.env.PATH ?? ''}${delimiter}/usr/sbin${delimiter}/sbin` },
    })
    if (error) return untried(error.message)
    return status === 0 ? WORKS : fails(stderr.trim().split('\n')[0] ?? `exit ${status}`)
  })
}
