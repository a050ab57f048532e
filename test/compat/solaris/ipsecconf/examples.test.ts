/**
 * Rule files as people write them: the shapes of Oracle's sample file and of the examples of ipsecconf(8), with
 * addresses of documentation networks.
 */
import t from 'tap'
import { parse, rulesOf } from './support.ts'

t.test('a sample file, unchanged, without a word', async (t) => {
  const text = `#
# Traffic between this host and a remote one is encrypted.
#
{laddr 192.0.2.1 raddr 198.51.100.2} ipsec
	{encr_algs aes encr_auth_algs sha256 sa shared}

# Secure shell passes in clear.
{lport 22 dir both} bypass {}

# {laddr 192.0.2.1 dir in} drop {}
{laddr 192.0.2.1 dir in} drop {}
`
  const { rules, diagnostics } = parse(text)
  t.same(diagnostics, [])
  t.match(rules, [
    {
      direction: 'both',
      actions: [
        {
          kind: 'protect',
          protection: {
            esp: {
              encryption: { algorithm: 12, minBits: 128, maxBits: 65535 },
              authentication: { algorithm: 5, minBits: 256, maxBits: 65535 },
            },
            unique: false,
          },
        },
      ],
    },
    { direction: 'both', selector: { pairs: [{}], localPort: 22 }, actions: [{ kind: 'bypass' }] },
    { direction: 'in', actions: [{ kind: 'drop' }] },
  ])
  t.equal(rules[0]?.text.includes('\n\t{encr_algs'), true)
})

const MAN_PAGE: readonly (readonly [string, number])[] = [
  // Protecting outbound TCP with AH; old style with names.
  ['{saddr alpha daddr beta ulp tcp dir out} ipsec {auth_algs any}', 1],
  ['{ saddr 192.0.2.1 daddr 198.51.100.0/24 ulp tcp }\napply { auth_algs any }', 1],
  // The same for both directions, twice in old style.
  [
    '{saddr 192.0.2.1 daddr 198.51.100.2} apply {auth_algs SHA1}\n{saddr 198.51.100.2 daddr 192.0.2.1} permit {auth_algs SHA1}',
    2,
  ],
  // A server with a subnet in old masks.
  ['{saddr 192.0.2.1 daddr 10.0.0.0 dmask 0xff000000 sport 53 ulp udp} apply {auth_algs any sa unique}', 1],
  // DNS in clear, the rest protected.
  ['{lport domain dir both} bypass {}\n{raddr 10.0.0.0/8} ipsec {auth_algs any}', 2],
  // Several alternatives.
  [
    '{laddr alpha raddr beta} ipsec {encr_algs any encr_auth_algs any} or ipsec {auth_algs sha256(256)} or pass {}',
    1,
  ],
  // A key length range, and capitals.
  ['{} ipsec {encr_algs AES(192..256) encr_auth_algs SHA512(512) sa shared}', 1],
  // IPv6.
  ['{laddr fe80::a00:20ff:fe21:4483 raddr fe80::1 dir out} ipsec {auth_algs any}', 1],
  // Tunnels.
  [
    '{tunnel ip.tun0 negotiate tunnel laddr 10.1.0.0/16 raddr 10.2.0.0/16} ipsec {encr_algs aes encr_auth_algs sha1}\n{tunnel ip.tun1 negotiate transport} ipsec {auth_algs sha256}',
    2,
  ],
  // ICMP by type and code.
  ['{ulp icmp type unreach code 0-3 dir in} bypass {}\n{ulp ipv6-icmp type echo6 dir both} drop {}', 2],
]
for (const [text, count] of MAN_PAGE) {
  t.test(JSON.stringify(text), async (t) => {
    t.equal(rulesOf(text).length, count)
  })
}

t.test('an empty file, and one of comments', async (t) => {
  for (const text of ['', '\n', '# nothing\n', ' \t\r\n#x'])
    t.same(parse(text), { rules: [], diagnostics: [] })
})
