import fc from 'fast-check'
import t from 'tap'
import { zeroMutable } from '../../../agent/packet/ah-mutable.ts'
import { verifyTransport, writeTransportChecksum } from '../../../agent/packet/checksum.ts'
import { fragmentPacket } from '../../../agent/packet/fragments.ts'
import { icmpKinds, writeIcmpError } from '../../../agent/packet/icmp.ts'
import {
  headerChecksumHolds,
  type IpHeader,
  newIpHeader,
  parseIp,
  setTrafficClass,
} from '../../../agent/packet/ip-header.ts'
import { addFragment, newReassembly } from '../../../agent/packet/reassembly.ts'
import { type TunnelOptions, takeOffOuter } from '../../../agent/packet/tunnel.ts'
import { type Memory, memoryOf } from '../../../netlink/codec/memory.ts'
import { anyNoise, data, digits } from './packets.ts'

const GUARD = 64
const options: TunnelOptions = {
  ecn: 'copy',
  dscp: 'copy',
  decapsulatedDscp: 'copy',
  dontFragment: 'copy',
  hopLimit: 64,
}

/** Everything that looks at a packet, or changes it in place; what came of it as text. */
const uses: Readonly<Record<string, (memory: Memory, at: number, end: number, ip: IpHeader) => unknown>> = {
  header: ({ bytes }, _at, _end, ip) => [{ ...ip }, headerChecksumHolds(bytes, ip)],
  verify: (memory, _at, _end, ip) => verifyTransport(memory, ip),
  checksum: (memory, _at, _end, ip) => writeTransportChecksum(memory, ip),
  set: ({ bytes }, at) => {
    setTrafficClass(bytes, at, 0x5a)
  },
  ah: ({ bytes }, at, _end, ip) => {
    const out = new Uint8Array(600)
    return [zeroMutable(bytes, at, ip.end, ip.upperAt, 12, out, 0), digits(out)]
  },
  fragments: ({ bytes }, _at, _end, ip) => {
    const out = new Uint8Array(4000)
    return [fragmentPacket(bytes, ip, 80, 1, out, 0, new Uint32Array(100)), digits(out)]
  },
  reassembly: ({ bytes }, _at, _end, ip) => {
    const result = addFragment(newReassembly(), bytes, ip, 0)
    return typeof result === 'number' ? result : digits(result)
  },
  tunnel: ({ bytes }, at, end) =>
    [4, 41].map((protocol) => takeOffOuter(bytes, at, end, protocol, 0xb9, options, newIpHeader())),
  icmp: ({ bytes }, _at, _end, ip) => {
    const out = new Uint8Array(1400)
    const kind = ip.version === 4 ? icmpKinds.prohibited4 : icmpKinds.prohibited6
    const sender = { source: data(16), sourceAt: 0, hopLimit: 64, identification: 5 }
    return [writeIcmpError(bytes, ip, kind, 0, sender, out, 0), digits(out)]
  },
}

/** Runs a use on a packet with a guard before and behind it, and checks that the guards stay. */
function run(packet: Uint8Array, guard: number, name: string): string {
  const bytes = new Uint8Array(packet.length + 2 * GUARD).fill(guard)
  bytes.set(packet, GUARD)
  const end = GUARD + packet.length
  const ip = newIpHeader()
  if (!parseIp(bytes, GUARD, end, ip)) return 'refused'
  const result = uses[name]?.(memoryOf(bytes), GUARD, end, ip)
  for (let i = 0; i < GUARD; i++)
    if (bytes[i] !== guard || bytes[end + i] !== guard) throw new Error(`guard at ${i}`)
  return JSON.stringify([result, digits(bytes, GUARD, end)])
}

for (const name of Object.keys(uses)) {
  t.test(`${name}: whatever is given, nothing is thrown, and nothing outside matters`, async (t) => {
    let packets = 0
    fc.assert(
      fc.property(anyNoise(), (noise) => {
        const result = run(noise, 0, name)
        if (result !== 'refused') packets++
        return result === run(noise, 0xff, name) && result === run(noise, 0x3c, name)
      }),
      { seed: 1, numRuns: 1500 },
    )
    t.ok(packets > 200, 'some are packets')
  })
}

t.test('lengths that lie', async (t) => {
  // Every byte of headers set to every value that matters, one at a time.
  const seeds = fc.sample(anyNoise(), { seed: 7, numRuns: 30 })
  let count = 0
  for (const seed of seeds) {
    for (let place = 0; place < Math.min(seed.length, 72); place++) {
      for (const value of [0, 1, 0x2c, 0x33, 0x3c, 0x45, 0xff]) {
        const packet = seed.slice()
        packet[place] = value
        for (const name of ['header', 'ah', 'fragments']) {
          if (run(packet, 0, name) !== run(packet, 0xff, name)) t.fail(`${name} ${digits(packet)}`)
        }
        count++
      }
    }
  }
  t.ok(count > 3000)
})
