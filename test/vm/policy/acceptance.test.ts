/**
 * What a rule lets in, and nothing else: a host with one rule, and a sender with an address for each way to
 * protect packets.
 */
import t from 'tap'
import { TestNet } from '../../support/namespaces.ts'
import {
  AES_GCM,
  AES_SHA256,
  AH_SHA256,
  keyFile,
  pairOf,
  type TestSa,
  type Transform,
} from '../support/keys.ts'
import { Station } from '../support/station.ts'
import { type End, icmp, tcp, udp, type Verdict } from '../support/traffic.ts'
import { kindsOf, Wiretap } from '../support/wiretap.ts'

t.setTimeout(300_000)

const AES256_SHA256 = { ...AES_SHA256, cipher: { name: 'aes', bits: 256 } } as const
const AES_SHA1 = { ...AES_SHA256, integrity: { name: 'sha1', bits: 160 } } as const
const AES = { protocol: 'esp', cipher: AES_SHA256.cipher } as const
const AH_SHA512 = { protocol: 'ah', integrity: { name: 'sha512', bits: 512 } } as const

/** Ways to send a packet: which SAs protect it, innermost first, and what a rule that asks for that says. */
const FORMS: Readonly<Record<string, { sas: readonly Transform[]; rule: string; wire: string }>> = {
  clear: { sas: [], rule: '', wire: '' },
  esp128: { sas: [AES_SHA256], rule: 'encr_algs aes(128) encr_auth_algs sha256', wire: 'esp' },
  esp256: { sas: [AES256_SHA256], rule: 'encr_algs aes(256) encr_auth_algs sha256', wire: 'esp' },
  espSha1: { sas: [AES_SHA1], rule: 'encr_algs aes(128) encr_auth_algs sha1', wire: 'esp' },
  espBare: { sas: [AES], rule: 'encr_algs aes(128)', wire: 'esp' },
  gcm: { sas: [AES_GCM], rule: 'encr_algs aes-gcm(128)', wire: 'esp' },
  ah256: { sas: [AH_SHA256], rule: 'auth_algs sha256', wire: 'ah' },
  ah512: { sas: [AH_SHA512], rule: 'auth_algs sha512', wire: 'ah' },
  ahEsp: {
    sas: [AES_SHA256, AH_SHA256],
    rule: 'auth_algs sha256 encr_algs aes(128) encr_auth_algs sha256',
    wire: 'ah',
  },
  ahEsp256: {
    sas: [AES256_SHA256, AH_SHA512],
    rule: 'auth_algs sha512 encr_algs aes(256) encr_auth_algs sha256',
    wire: 'ah',
  },
}
const NAMES = Object.keys(FORMS)

/** Rules of the receiver, and the forms that each accepts. */
const RULES: readonly (readonly [actions: string, accepted: readonly string[]])[] = [
  ['ipsec {encr_algs aes(128) encr_auth_algs sha256}', ['esp128']],
  ['ipsec {encr_algs aes(256..) encr_auth_algs sha256}', ['esp256']],
  ['ipsec {encr_algs aes(..192) encr_auth_algs sha256}', ['esp128']],
  ['ipsec {encr_algs aes(128..256) encr_auth_algs sha256}', ['esp128', 'esp256']],
  ['ipsec {encr_algs aes(128)}', ['esp128', 'espSha1', 'espBare']],
  ['ipsec {encr_algs any encr_auth_algs any}', ['esp128', 'esp256', 'espSha1', 'gcm']],
  ['ipsec {encr_algs aes-gcm(128)}', ['gcm']],
  ['ipsec {auth_algs sha256}', ['ah256']],
  ['ipsec {auth_algs any}', ['ah256', 'ah512']],
  ['ipsec {auth_algs sha256 encr_algs aes(128) encr_auth_algs sha256}', ['ahEsp']],
  ['ipsec {auth_algs any encr_algs any encr_auth_algs any}', ['ahEsp', 'ahEsp256']],
  [
    'ipsec {encr_algs aes(256) encr_auth_algs sha256} or ipsec {encr_algs aes(128) encr_auth_algs sha1}',
    ['esp256', 'espSha1'],
  ],
  ['ipsec {encr_algs aes(128) encr_auth_algs sha256} or ipsec {auth_algs sha512}', ['esp128', 'ah512']],
  [
    'ipsec {auth_algs sha256 encr_algs aes(128) encr_auth_algs sha256} or ipsec {encr_algs aes(256) encr_auth_algs sha256}',
    ['ahEsp', 'esp256'],
  ],
  ['ipsec {encr_algs aes-gcm(128)} or ipsec {auth_algs sha256} or pass {}', ['gcm', 'ah256', 'clear']],
  ['ipsec {encr_algs aes(256) encr_auth_algs sha256} or pass {}', ['esp256', 'clear']],
  ['pass {}', ['clear']],
  ['bypass {}', ['clear']],
  ['drop {}', []],
]

/** The sender's n-th address, and the receiver's only one. */
const FAMILIES = {
  inet: { sender: (n: number) => `10.1.0.${n + 11}`, receiver: '10.1.0.2', prefix: 24 },
  inet6: { sender: (n: number) => `fd00::${n + 11}`, receiver: 'fd00::2', prefix: 64 },
} as const

/** Both hosts, with SAs for every form in both families. */
async function setUp(): Promise<[Station, Station]> {
  const net = new TestNet(t)
  const [sender, receiver] = await Station.make(t, net, 2)
  const rules: string[] = []
  const sas: TestSa[] = []
  const addresses: string[] = []
  for (const { sender: address, receiver: other, prefix } of Object.values(FAMILIES)) {
    NAMES.forEach((name, n) => {
      addresses.push(`${address(n)}/${prefix}`)
      const { rule, sas: transforms = [] } = FORMS[name] ?? { rule: '' }
      if (rule !== '') rules.push(`{laddr ${address(n)}} ipsec {${rule}}`)
      for (const transform of transforms) {
        sas.push(
          ...pairOf({ ...transform, spi: 0x1000 + sas.length, source: address(n), destination: other }),
        )
      }
    })
  }
  const receiverAddresses = Object.values(FAMILIES).map((one) => `${one.receiver}/${one.prefix}`)
  await net.wire(sender.host, receiver.host, addresses, receiverAddresses)
  await sender.policy(rules.join('\n'))
  for (const station of [sender, receiver]) await station.keys(keyFile(sas))
  return [sender, receiver]
}

const TRAFFIC: Readonly<Record<string, (from: End, to: End) => Verdict>> = {
  udp,
  tcp,
  // A message that is never accepted in clear by exception: a timestamp request, a private experiment.
  icmp: (from, to) => icmp(from, to, to.address.includes(':') ? [200, 0] : [13, 0]),
}

t.test(
  'each rule accepts what it names, and refuses clear text, every other SA, and extra protection',
  async (t) => {
    const [sender, receiver] = await setUp()
    const wire = Wiretap.open(t, { station: sender }, { station: receiver })
    for (const [actions, accepted] of RULES) {
      const direction = actions.startsWith('ipsec') ? '' : ' dir both'
      await receiver.policy(`{laddr 10.1.0.2${direction}} ${actions}\n{laddr fd00::2${direction}} ${actions}`)
      const expected: Record<string, string> = {}
      const found: Record<string, string> = {}
      for (const [family, { sender: address, receiver: other }] of Object.entries(FAMILIES)) {
        NAMES.forEach((name, n) => {
          for (const [protocol, probe] of Object.entries(TRAFFIC)) {
            const key = `${family} ${protocol} ${name}`
            wire.take()
            const verdict = probe(
              { station: sender, address: address(n) },
              { station: receiver, address: other },
            )
            const plain = protocol === 'icmp' && family === 'inet6' ? 'icmp6' : protocol
            expected[key] =
              `${accepted.includes(name) ? 'delivered' : 'refused'} as ${FORMS[name]?.wire || plain}`
            // The last packets of a connection before, to another address, may still be on their way.
            const packets = wire.take().filter((one) => [one.source, one.destination].includes(address(n)))
            found[key] = `${wordOf(verdict)} as ${kindsOf(packets)}`
          }
        })
      }
      t.same(found, expected, actions)
    }
  },
)

function wordOf({ delivered, refusals }: Verdict): string {
  return delivered ? 'delivered' : refusals.length > 0 ? 'refused' : 'lost'
}
