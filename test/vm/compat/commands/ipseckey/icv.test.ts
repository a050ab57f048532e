import t from 'tap'
import { twoHosts } from '../../../../support/namespaces.ts'
import { Commands, key } from './support.ts'

t.setTimeout(200_000)

/** Name, key bits, and bytes of ICV as RFC 2403, 2404, 4868, 3566 and 4494 have them. */
const algorithms = [
  ['md5', 128, 12],
  ['sha1', 160, 12],
  ['sha256', 256, 16],
  ['sha384', 384, 24],
  ['sha512', 512, 32],
  ['aes-xcbc', 128, 12],
  ['aes-cmac', 128, 12],
] as const

const AH_FIXED = 12
const ESP_FIXED = 8

t.test('each algorithm puts the ICV of its RFC on the wire', async (t) => {
  const { left, right } = await twoHosts(t)
  const ends = [new Commands(t, left.namespace), new Commands(t, right.namespace)]
  await right.udpEcho(7)
  for (const [name, bits, icv] of algorithms) {
    for (const [protocol, rule] of [
      ['ah', `auth_algs ${name}`],
      ['esp', `encr_algs null encr_auth_algs ${name}`],
    ] as const) {
      const authentication = `auth_alg ${name} authkey ${key(bits, bits)}`
      for (const commands of ends) {
        await commands.loaded(
          `flush\nadd ${protocol} spi 256 src 192.0.2.1 dst 192.0.2.2 ${authentication}\n` +
            `add ${protocol} spi 257 src 192.0.2.2 dst 192.0.2.1 ${authentication}`,
        )
      }
      await ends[0]?.policy(`{raddr 192.0.2.2 ulp udp} ipsec {${rule}}`)
      await ends[1]?.policy(`{raddr 192.0.2.1 ulp udp} ipsec {${rule}}`)
      const wire = await left.capture()
      const what = `${protocol} ${name}`
      t.match(await left.udpSend('192.0.2.2', 7, 'eleven chars'), { reply: 'eleven chars' }, what)
      const [packet] = await wire.stop()
      const udp = 8 + 12
      if (protocol === 'ah') {
        t.equal(packet?.protocol, 51, what)
        t.equal(packet?.payload.readUInt8(1), (AH_FIXED + icv) / 4 - 2, `${what}: length in the header`)
        t.equal(packet?.payload.length, AH_FIXED + icv + udp, `${what}: nothing is padded in IPv4`)
      } else {
        // NULL encryption pads to 4 bytes: 20 of UDP, 2 of padding, pad length and next header.
        t.equal(packet?.payload.length, ESP_FIXED + udp + 4 + icv, what)
      }
      for (const commands of ends) await commands.flushPolicy()
    }
  }
})
