/** `solipsec explain` about rules that are loaded: its answer is what becomes of real packets, and drift is told. */
import { closeSync, openSync } from 'node:fs'
import t from 'tap'
import { run } from '../../../../../compat/commands/solipsec.ts'
import { enterNetns } from '../../../../../netlink/libc/netns.ts'
import { captureIo } from '../../../../compat/commands/support/capture-io.ts'
import { violations } from '../../../../schemas/support.ts'
import { ConfigurationPlace, espPair } from '../../../../support/configuration-place.ts'
import { ownState } from '../../../../support/own-state.ts'
import { softwarePair } from '../../../../support/software-pair.ts'
import { ping } from '../../../../vm/support/traffic.ts'

t.setTimeout(120_000)
ownState(t)
const { net, left, right } = await softwarePair(t)
const [L, R] = ['10.1.0.1', '10.1.0.2']
const here = new ConfigurationPlace(t, left)
const there = new ConfigurationPlace(t, right)
const home = openSync('/proc/thread-self/ns/net', 'r')
t.teardown(() => closeSync(home))

async function ask(question: string, station = left) {
  const io = captureIo()
  const where = ['--netns', station.host.namespace, '--datapath', station.dataPath]
  const code = await run(['explain', ...where, ...question.split(' ')], io)
  enterNetns(home)
  if (/[0-9a-f]{24}/.test(io.out())) throw new Error('a key was shown')
  return { code, out: io.out(), err: io.err() }
}

async function askJson(question: string, station = left) {
  const { code, out, err } = await ask(`--json ${question}`, station)
  t.same(violations('solipsec-explain.schema.json', out || '{}'), [], `${question} ${err}`)
  return { code, ...JSON.parse(out || '{}') }
}

const PROTECT = { encryption: 'aes(128)', authentication: 'sha256' }
t.test('nothing loaded', async (t) => {
  const answer = await askJson(`${L} ${R} tcp 1 2`)
  t.match(answer, { code: 0, route: { interface: 'eth0' } })
  t.match(answer.cases[0], { decider: { kind: 'none' }, departure: { kind: 'clear' }, agreement: 'same' })
})

t.test('the answer is what becomes of packets', async (t) => {
  const policies = (local: string, remote: string) => [
    { protocol: 'udp', remotePort: 53, action: 'bypass', direction: 'both' },
    { local, remote, protect: PROTECT },
  ]
  const associations = espPair(0x1000, L, R)
  await here.apply({ policies: policies(L, R), associations })
  await there.apply({ policies: policies(R, L), associations })
  const out = await askJson(`${L} ${R} icmp echo`)
  t.match(out.cases[0], {
    departure: { kind: 'protected', associations: [{ spi: 0x1000 }] },
    agreement: 'same',
    drift: [],
  })
  t.ok(ping({ station: left, address: L }, { station: right, address: R }).delivered)
  const back = await askJson(`${R} ${L} icmp 8`)
  t.match(back.cases[0].arrivals, [
    { isAccepted: false },
    { isAccepted: true, associations: [{ spi: 0x1001 }] },
  ])
  t.equal(back.isDifferent, false)
  const dns = await askJson(`${L} ${R} udp 5000 53`)
  t.match(dns.cases[0], { decider: { index: 4 }, departure: { kind: 'clear', why: 'bypass' } })
  const own = await askJson(`${L} ${L} tcp 22`)
  t.match(own.cases[0], { decider: { exception: 'own' }, kernel: { isNotAsked: true } })
  t.equal((await askJson(`fd01::1 fd01::1 tcp 22`)).isDifferent, false)
})

t.test('without the SAs', async (t) => {
  await here.apply({ associations: [] })
  const { out, code } = await ask(`${L} ${R} icmp echo`)
  t.equal(code, 0)
  t.match(out, /HELD BACK {2}The rule asks for protection, and no SA gives it/)
  t.match(out, /Without an SA\n {2}The kernel asks key management for one \(ACQUIRE/)
  t.match(await ask(`--out ${L} 172.16.0.1 tcp 1 2`), { code: 0, out: /NO ROUTE/ })
  t.notOk(ping({ station: left, address: L }, { station: right, address: R }).delivered)
})

t.test('in the kernel: what others have changed is told loudly', async (t) => {
  const host = await net.host()
  const plain = await net.host()
  await net.wire(host, plain, ['10.2.0.1/24'], ['10.2.0.2/24'])
  const config = here.file({
    dataPath: 'kernel',
    policies: [
      { remote: '10.2.0.2', protocol: 'tcp', protect: PROTECT },
      { remote: '10.2.0.3', action: 'drop', direction: 'both' },
    ],
  })
  const io = captureIo()
  t.equal(await run(['apply', '--netns', host.namespace, '--datapath', 'kernel', config], io), 0, io.err())
  enterNetns(home)
  const askHost = async (question: string) => {
    const captured = captureIo()
    const words = ['explain', '--netns', host.namespace, '--datapath', 'kernel', ...question.split(' ')]
    const code = await run(words, captured)
    enterNetns(home)
    return { code, out: captured.out(), err: captured.err() }
  }
  const fine = await askHost('10.2.0.1 10.2.0.3 tcp 1 2')
  t.match(fine, { code: 0, out: /DROPPED.*EPERM/ })
  t.match(await askHost('10.2.0.1 10.2.0.2 tcp 1 2'), { code: 0, out: /HELD BACK/ })

  await host.ip('xfrm policy delete src 0.0.0.0/0 dst 10.2.0.3/32 dir out')
  const gone = await askHost('10.2.0.1 10.2.0.3 tcp 1 2')
  t.match(gone, {
    code: 2,
    out: /DIFFERENT: the kernel does not do what the rules say\.\n {2}It sends it IN CLEAR/,
  })
  t.match(gone.out, /missing: out 0\.0\.0\.0\/0 -> 10\.2\.0\.3\/32 .* block/)

  await host.ip('xfrm policy add src 10.2.0.1 dst 10.2.0.2 dir out priority 5')
  const foreign = await askHost('10.2.0.1 10.2.0.2 tcp 1 2')
  t.match(foreign, { code: 2, out: /DIFFERENT/ })
  t.match(foreign.out, /priority 0x5 allow \(of another program\)/)
  t.equal((await askHost('10.2.0.1 10.2.0.4 tcp 1 2')).code, 0, 'others are as they were')
  const json = await askHost('--json 10.2.0.1 10.2.0.3 tcp 1 2')
  t.same(violations('solipsec-explain.schema.json', json.out), [])
  t.match(JSON.parse(json.out), { isDifferent: true, cases: [{ drift: [{ kind: 'missing' }] }] })
  const { status } = await host.exec('ip', ['xfrm', 'policy', 'setdefault', 'out', 'block'])
  if (status === 0) {
    const blocked = await askHost('10.2.0.1 10.2.0.4 tcp 1 2')
    t.match(blocked, { code: 2, out: /DIFFERENT.*\n {2}It drops it\.\n {4}out: no policy/ }, 'the default')
  }
  t.match(await askHost('--forwarded 10.9.0.1 10.2.0.2'), { code: 1, err: /passes no packets on/ })
})
