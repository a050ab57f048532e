import t from 'tap'
import { run } from '../../../../../compat/commands/ipseckey.ts'
import { captureIo } from '../../../../compat/commands/support/capture-io.ts'
import { type Host, twoHosts } from '../../../../support/namespaces.ts'
import { Commands, key, leaks, until } from './support.ts'

t.setTimeout(200_000)

const ENDS = 'src 192.0.2.1 dst 192.0.2.2'
const aes = `encr_alg aes encrkey ${key(1)} auth_alg sha256 authkey ${key(2, 256)}`

type Tap = { equal(found: unknown, wanted: unknown): unknown }

/** Listens until `during` is over, and gives what came. */
async function monitored(t: Tap, words: string[], host: Host, during: (seen: () => string) => Promise<void>) {
  const io = captureIo()
  const ended = run(['--netns', host.namespace, ...words], io)
  try {
    await until('the monitor listens', async () => (await listeners(host)) > 0)
    await during(io.out)
  } finally {
    io.interrupt()
  }
  t.equal(await ended, 0)
  t.equal(io.err(), '')
  return io.out()
}

/** How many sockets of this namespace are members of the XFRM groups EXPIRE and SA. */
async function listeners(host: Host): Promise<number> {
  const { stdout } = await host.exec('cat', ['/proc/net/netlink'])
  const rows = stdout.split('\n').map((line) => line.trim().split(/\s+/))
  return rows.filter(
    ([, protocol, , groups = '0']) => protocol === '6' && (Number.parseInt(groups, 16) & 6) === 6,
  ).length
}

t.test('what happens to SAs is printed as it happens', async (t) => {
  const { left } = await twoHosts(t)
  const commands = new Commands(t, left.namespace)
  const text = await monitored(t, ['-n', 'pmonitor'], left, async (seen) => {
    await commands.loaded(
      `add esp spi 256 ${ENDS} ${aes} srcidtype fqdn left.example soft_addtime 2 hard_addtime 4`,
    )
    await until('ADD', () => /type ADD/.test(seen()))
    await commands.loaded('update esp spi 256 dst 192.0.2.2 hard_addtime 5')
    await until('both limits', () => seen().split('type EXPIRE').length === 3)
    const ah = (spi: number) => `add ah spi ${spi} ${ENDS} auth_alg md5 authkey ${key(3)}\n`
    await commands.loaded(`${ah(257)}${ah(258)}`)
    await commands.done('delete ah spi 257 dst 192.0.2.2')
    await left.ip('xfrm state flush proto ah')
    await until('FLUSH', () => /type FLUSH/.test(seen()))
  })
  t.equal(text.split('\n')[0], 'Passively monitoring the PF_KEY socket.')
  t.same(
    [...text.matchAll(/type (\w+), SA type (\w+)/g)].map(([, type, sa]) => `${type} ${sa}`),
    ['ADD ESP', 'UPDATE ESP', 'EXPIRE ESP', 'EXPIRE ESP', 'ADD AH', 'ADD AH', 'DELETE AH', 'FLUSH AH'],
  )
  t.same(
    [...text.matchAll(/state=(\w+)/g)].map(([, state]) => state),
    ['MATURE', 'MATURE', 'DYING', 'DEAD', 'MATURE', 'MATURE', 'DEAD'],
  )
  t.match(text, /^Timestamp: .*\nRead \d+ bytes\.\nBase message/m)
  t.match(text, /^SID: left\.example$/m, 'with what is noted of it')
  t.match(text, new RegExp(`^EKY: ${key(1)}/128$`, 'm'))
  t.same(await commands.spis(), [], 'the hard limit has removed it')
})

t.test('the kernel asks for SAs while an active monitor listens', async (t) => {
  const { left } = await twoHosts(t)
  const commands = new Commands(t, left.namespace)
  await commands.policy('{raddr 192.0.2.2 ulp udp} ipsec {encr_algs aes encr_auth_algs sha256}')
  const text = await monitored(t, ['--json', 'monitor'], left, async (seen) => {
    await left.udpSend('192.0.2.2', 9, 'x', { timeout: 10, fromPort: 1024 })
    await until('ACQUIRE', () => seen().includes('ACQUIRE'))
    await commands.loaded(`add esp spi 300 ${ENDS} ${aes}`)
    await until('ADD', () => seen().includes('"ADD"'))
  })
  const events = text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  t.match(events[0], {
    event: 'ACQUIRE',
    protocol: 'esp',
    source: '192.0.2.1',
    destination: '192.0.2.2',
    mode: 'transport',
    upperProtocol: 17,
    sourcePort: 1024,
    destinationPort: 9,
  })
  t.match(events.at(-1), {
    event: 'ADD',
    association: { spi: 300, direction: 'out', encryption: { name: 'aes-cbc' } },
  })
  t.same(leaks(text), [])
})
