/**
 * Which packets a rule is about: every form of pattern, in both directions, on the wire.
 */
import { appendFileSync } from 'node:fs'
import t from 'tap'
import { check, type Expectations } from '../support/check.ts'
import { type Addresses, ESP, INET, INET6, TwoStations } from '../support/two-stations.ts'

t.setTimeout(600_000)

type Test = Pick<typeof t, 'same'>

const two = await TwoStations.make(t)

/** Loads a policy at the left host and holds every probe against what is expected of it. */
async function checkPolicy(t: Test, policy: string, expectations: Expectations): Promise<void> {
  await two.left.policy(policy)
  check(t, policy, expectations)
}

/** Runs a test for each family. */
function forBoth(title: string, test: (t: Test, on: Addresses) => Promise<void>): void {
  for (const on of [INET, INET6]) t.test(`${title}, ${on.family}`, (t) => test(t, on))
}

forBoth('new style: addresses and networks', async (t, on) => {
  const { L, L2, R, R2, NET } = on
  await checkPolicy(t, `{laddr ${L} raddr ${R}} ipsec {${ESP}}`, {
    'out to R': [() => two.out(on), 'esp'],
    'out to R, TCP': [() => two.outTcp(on), 'esp'],
    'out to R, ICMP': [() => two.outIcmp(on, [200, 0]), 'esp'],
    'out to R2': [() => two.out(on, { remote: R2 }), 'clear'],
    'out from L2': [() => two.out(on, { local: L2 }), 'clear'],
    'in from R': [() => two.in(on), 'refused'],
    'in from R, TCP': [() => two.inTcp(on), 'refused'],
    'in from R, ICMP': [() => two.inIcmp(on, [200, 0]), 'refused'],
    'in from R2': [() => two.in(on, { remote: R2 }), 'accepted'],
    'in from R2, TCP': [() => two.inTcp(on, { remote: R2 }), 'accepted'],
    'in to L2': [() => two.in(on, { local: L2 }), 'accepted'],
  })
  await checkPolicy(t, `{local ${L}} ipsec {${ESP}}`, {
    'out to R2': [() => two.out(on, { remote: R2 }), 'esp'],
    'out from L2': [() => two.out(on, { local: L2 }), 'clear'],
    'in from R2': [() => two.in(on, { remote: R2 }), 'refused'],
    'in to L2': [() => two.in(on, { local: L2 }), 'accepted'],
  })
  await checkPolicy(t, `{remote ${NET}} ipsec {${ESP}}`, {
    'out to R': [() => two.out(on), 'esp'],
    'out to R2': [() => two.out(on, { remote: R2 }), 'clear'],
    'in from R': [() => two.in(on), 'refused'],
    'in from R2': [() => two.in(on, { remote: R2 }), 'accepted'],
  })
})

forBoth('directions', async (t, on) => {
  const { L, R } = on
  const outOnly: Expectations = { out: [() => two.out(on), 'esp'], in: [() => two.in(on), 'accepted'] }
  const inOnly: Expectations = { out: [() => two.out(on), 'clear'], in: [() => two.in(on), 'refused'] }
  const both: Expectations = { out: [() => two.out(on), 'esp'], in: [() => two.in(on), 'refused'] }
  await checkPolicy(t, `{laddr ${L} raddr ${R} dir out} ipsec {${ESP}}`, outOnly)
  await checkPolicy(t, `{laddr ${L} raddr ${R} dir in} ipsec {${ESP}}`, inOnly)
  await checkPolicy(t, `{laddr ${L} raddr ${R} dir both} ipsec {${ESP}}`, both)
  await checkPolicy(t, `{saddr ${L} daddr ${R}} apply {${ESP}}`, outOnly)
  await checkPolicy(t, `{saddr ${R} daddr ${L}} permit {${ESP}}`, inOnly)
  await checkPolicy(
    t,
    `{saddr ${L} daddr ${R}} apply {${ESP}}\n{saddr ${R} daddr ${L}} permit {${ESP}}`,
    both,
  )
  await checkPolicy(t, `{src ${R} dst ${L}} drop {dir in}`, inOnly)
  await checkPolicy(t, `{src ${R} dst ${L} dir in} ipsec {${ESP}}`, inOnly)
})

t.test('old style with a mask', async (t) => {
  await checkPolicy(t, `{saddr 10.1.0.1 daddr 10.1.0.0 dmask 255.255.255.252 dir out} ipsec {${ESP}}`, {
    'out to R': [() => two.out(INET), 'esp'],
    'out to R2': [() => two.out(INET, { remote: INET.R2 }), 'clear'],
  })
})

forBoth('ports and protocols', async (t, on) => {
  const { L } = on
  await checkPolicy(t, `{laddr ${L} lport 1000} ipsec {${ESP}}`, {
    'UDP out of it': [() => two.out(on, { sourcePort: 1000 }), 'esp'],
    'TCP out of it': [() => two.outTcp(on, { sourcePort: 1000 }), 'esp'],
    'UDP out to it': [() => two.out(on, { port: 1000 }), 'clear'],
    'UDP in to it': [() => two.in(on, { port: 1000 }), 'refused'],
    'TCP in to it': [() => two.inTcp(on, { port: 1000 }), 'refused'],
    'UDP in out of it': [() => two.in(on, { sourcePort: 1000 }), 'accepted'],
    'ICMP type 3 code 232, the same bytes': [() => two.outIcmp(on, [3, 232]), 'clear'],
  })
  await checkPolicy(t, `{laddr ${L} rport 1000 ulp tcp} ipsec {${ESP}}`, {
    'TCP out to it': [() => two.outTcp(on, { port: 1000 }), 'esp'],
    'UDP out to it': [() => two.out(on, { port: 1000 }), 'clear'],
    'TCP in': [() => two.inTcp(on, { sourcePort: 1000 }), 'refused'],
    'UDP in': [() => two.in(on, { sourcePort: 1000 }), 'accepted'],
  })
  await checkPolicy(t, `{laddr ${L} lport 1000 rport 2000 ulp udp} ipsec {${ESP}}`, {
    both: [() => two.out(on, { sourcePort: 1000, port: 2000 }), 'esp'],
    'the local one': [() => two.out(on, { sourcePort: 1000, port: 2001 }), 'clear'],
    'the remote one': [() => two.out(on, { sourcePort: 1001, port: 2000 }), 'clear'],
    'in, both': [() => two.in(on, { sourcePort: 2000, port: 1000 }), 'refused'],
    'in, swapped': [() => two.in(on, { sourcePort: 1000, port: 2000 }), 'accepted'],
  })
  await checkPolicy(t, `{laddr ${L} ulp udp} ipsec {${ESP}}`, {
    UDP: [() => two.out(on), 'esp'],
    TCP: [() => two.outTcp(on), 'clear'],
    ICMP: [() => two.outIcmp(on, [200, 0]), 'clear'],
    'UDP in': [() => two.in(on), 'refused'],
    'TCP in': [() => two.inTcp(on), 'accepted'],
  })
})

t.test('ICMP types and codes', async (t) => {
  const { L } = INET
  await checkPolicy(t, `{laddr ${L} ulp icmp type echo dir both} bypass {}\n{laddr ${L}} ipsec {${ESP}}`, {
    'echo out': [() => two.outIcmp(INET, [8, 0]), 'clear'],
    'echo in': [() => two.inIcmp(INET, [8, 0]), 'accepted'],
    'timestamp out': [() => two.outIcmp(INET, [13, 0]), 'esp'],
    'timestamp in': [() => two.inIcmp(INET, [13, 0]), 'refused'],
    'UDP out': [() => two.out(INET), 'esp'],
  })
  await checkPolicy(t, `{laddr ${L} ulp icmp type 13-18 code 0} ipsec {${ESP}}`, {
    'type 12': [() => two.outIcmp(INET, [12, 0]), 'clear'],
    'type 13': [() => two.outIcmp(INET, [13, 0]), 'esp'],
    'type 18': [() => two.outIcmp(INET, [18, 0]), 'esp'],
    'type 19': [() => two.outIcmp(INET, [19, 0]), 'clear'],
    'type 15 code 1': [() => two.outIcmp(INET, [15, 1]), 'clear'],
    'type 17 in': [() => two.inIcmp(INET, [17, 0]), 'refused'],
    'type 19 in': [() => two.inIcmp(INET, [19, 0]), 'accepted'],
  })
  await checkPolicy(t, `{laddr ${L} ulp icmp type unreach code 9-13 dir out} drop {}`, {
    'code 8': [() => two.outIcmp(INET, [3, 8]), 'clear'],
    'code 9': [() => two.outIcmp(INET, [3, 9]), 'EPERM'],
    'code 13': [() => two.outIcmp(INET, [3, 13]), 'EPERM'],
    'in, code 13': [() => two.inIcmp(INET, [3, 13]), 'accepted'],
  })
  const v6 = `{laddr ${INET6.L} ulp ipv6-icmp type echo6 dir both} bypass {}\n{laddr ${INET6.L}} ipsec {${ESP}}`
  await checkPolicy(t, v6, {
    'echo out': [() => two.outIcmp(INET6, [128, 0]), 'clear'],
    'echo in': [() => two.inIcmp(INET6, [128, 0]), 'accepted'],
    'an experiment out': [() => two.outIcmp(INET6, [200, 0]), 'esp'],
    'an experiment in': [() => two.inIcmp(INET6, [200, 0]), 'refused'],
  })
})

t.test('without an address a rule is about both families', async (t) => {
  await checkPolicy(t, `{ulp udp rport 1000} ipsec {${ESP}}`, {
    IPv4: [() => two.out(INET, { port: 1000 }), 'esp'],
    IPv6: [() => two.out(INET6, { port: 1000 }), 'esp'],
    'IPv4 in': [() => two.in(INET, { sourcePort: 1000 }), 'refused'],
    'IPv6 in': [() => two.in(INET6, { sourcePort: 1000 }), 'refused'],
    'another port': [() => two.out(INET6), 'clear'],
  })
  await checkPolicy(t, `{raddr 0.0.0.0/0 ulp udp rport 1000} ipsec {${ESP}}`, {
    IPv4: [() => two.out(INET, { port: 1000 }), 'esp'],
    IPv6: [() => two.out(INET6, { port: 1000 }), 'clear'],
  })
})

const notOurs = process.env.SOLIPSEC_VM === 'guest' ? false : 'writes /etc/hosts: only in the virtual machine'
t.test('a name stands for all its addresses', { skip: notOurs }, async (t) => {
  const names = [INET, INET6].flatMap(({ R, R2 }) => [`${R} peer`, `${R2} peer`])
  appendFileSync('/etc/hosts', `\n${names.join('\n')}\n`)
  await checkPolicy(t, `{raddr peer rport 1000} ipsec {${ESP}}`, {
    R: [() => two.out(INET, { port: 1000 }), 'esp'],
    R2: [() => two.out(INET, { port: 1000, remote: INET.R2 }), 'esp'],
    'R, IPv6': [() => two.out(INET6, { port: 1000 }), 'esp'],
    'R2, IPv6': [() => two.out(INET6, { port: 1000, remote: INET6.R2 }), 'esp'],
    'R2 in': [() => two.in(INET, { sourcePort: 1000, remote: INET.R2 }), 'refused'],
  })
})

forBoth('drop', async (t, on) => {
  const { L, R } = on
  await checkPolicy(t, `{laddr ${L} raddr ${R} dir out} drop {}`, {
    'UDP out': [() => two.out(on), 'EPERM'],
    'TCP out': [() => two.outTcp(on), 'EPERM'],
    'ICMP out': [() => two.outIcmp(on, [200, 0]), 'EPERM'],
    'out to R2': [() => two.out(on, { remote: on.R2 }), 'clear'],
    'UDP in': [() => two.in(on), 'accepted'],
  })
  await checkPolicy(t, `{laddr ${L} raddr ${R} dir in} drop {}`, {
    'UDP out': [() => two.out(on), 'clear'],
    'UDP in': [() => two.in(on), 'refused'],
    'TCP in': [() => two.inTcp(on), 'refused'],
    'ICMP in': [() => two.inIcmp(on, [200, 0]), 'refused'],
    'UDP in from R2': [() => two.in(on, { remote: on.R2 }), 'accepted'],
  })
})

forBoth('which rule wins: the class, then the place in the file, never the narrower one', async (t, on) => {
  const { L, R } = on
  const AH = 'auth_algs sha256'
  const drop = `{raddr ${R} dir both} drop {}`
  const bypass = `{laddr ${L} ulp udp dir both} bypass {}`
  const esp = `{laddr ${L}} ipsec {${ESP}}`
  const ah = `{laddr ${L} raddr ${R}} ipsec {${AH}}`
  const ahEsp = `{raddr ${R}} ipsec {${AH} ${ESP}}`
  const out = (expected: string): Expectations => ({
    out: [() => two.out(on), expected],
    in: [() => two.in(on), expected === 'clear' ? 'accepted' : 'refused'],
  })
  await checkPolicy(t, [drop, esp, bypass].join('\n'), out('clear'))
  await checkPolicy(t, [drop, esp].join('\n'), out('esp'))
  await checkPolicy(t, [drop, ah].join('\n'), out('ah'))
  await checkPolicy(t, [ah, esp].join('\n'), out('esp'))
  await checkPolicy(t, [esp, ah, ahEsp].join('\n'), out('ah'))
  await checkPolicy(t, [`{laddr ${L} ulp udp dir both} drop {}`, drop].join('\n'), out('EPERM'))
  const first = `{laddr ${L} ulp udp} ipsec {encr_algs aes(256) encr_auth_algs sha256}`
  await checkPolicy(t, [first, esp].join('\n'), out('XfrmOutNoStates'))
  await checkPolicy(t, [esp, first].join('\n'), out('esp'))
})
