/**
 * The program of the software data path is killed: nothing leaves in clear, nothing in clear is let in, and when it is
 * back it goes on where it was, without using a number twice and without taking an old packet for a new one.
 */
import { existsSync, readFileSync, statSync } from 'node:fs'
import t, { type Test } from 'tap'
import { OWN } from '../../../../../agent/datapath/software/service/marks.ts'
import { servicePlace } from '../../../../../agent/datapath/software/service/place.ts'
import { close, SOL_SOCKET, send, setSockOptInt } from '../../../../../netlink/libc/socket.ts'
import { SO_MARK } from '../../../../../netlink/libc/socket-options.ts'
import { XfrmConnection } from '../../../../../netlink/xfrm/connection.ts'
import { ownState } from '../../../../support/own-state.ts'
import type { Packet } from '../../../../support/pcap.ts'
import { softwarePair } from '../../../../support/software-pair.ts'
import { AES_SHA256, keyFile, keyOf, pairOf } from '../../../../vm/support/keys.ts'
import { bound, pause, SOCK_DGRAM, SOCK_RAW, sockaddr, until } from '../../../../vm/support/sockets.ts'
import { udp } from '../../../../vm/support/traffic.ts'
import { kindsOf, Wiretap } from '../../../../vm/support/wiretap.ts'

t.setTimeout(240_000)
ownState(t)
const { left, right } = await softwarePair(t, ['10.1.0.1/24'], ['10.1.0.2/24'])
const wire = Wiretap.open(t, { station: left }, { station: right })
const from = { station: left, address: '10.1.0.1' }
const to = { station: right, address: '10.1.0.2' }
const KEYS = keyFile(
  pairOf({ ...AES_SHA256, spi: 0x1000, source: from.address, destination: to.address, more: 'replay 64' }),
)
const PROTECT = 'ipsec {encr_algs aes(128) encr_auth_algs sha256}'

t.before(async () => {
  await left.policy(`{laddr 10.1.0.1 raddr 10.1.0.2 ulp udp} ${PROTECT}`)
  await right.policy(`{laddr 10.1.0.2 raddr 10.1.0.1 ulp udp} ${PROTECT}`)
  for (const station of [left, right]) await station.keys(KEYS)
})

/** The sequence numbers of ESP packets. */
const numbersOf = (packets: readonly Packet[]) => packets.map(({ payload }) => payload.readUInt32BE(4))
/** Their initialization vectors. */
const vectorsOf = (packets: readonly Packet[]) => packets.map(({ payload }) => payload.toString('hex', 8, 24))

t.test('killed and started again, the sender repeats no number and no vector', async (t) => {
  wire.take()
  for (let i = 0; i < 5; i++) t.ok(udp(from, to).delivered)
  const before = wire.take()
  left.endService('SIGKILL')
  t.notOk(udp(from, to).delivered, 'nothing passes without the program')
  t.equal(kindsOf(wire.take()), '', 'not even onto the wire')
  t.equal((await left.ipseckey(['dump'])).code, 0, 'the next command starts it again')
  for (let i = 0; i < 5; i++) t.ok(udp(from, to).delivered)
  const after = wire.take()
  t.equal(kindsOf(after), 'esp')
  const numbers = numbersOf([...before, ...after])
  t.equal(new Set(numbers).size, 10, 'ten numbers')
  t.same(
    [...numbers].sort((a, b) => a - b),
    numbers,
    'that go up',
  )
  t.equal(new Set(vectorsOf([...before, ...after])).size, 10, 'ten vectors')
})

t.test('killed and started again, the receiver takes no packet a second time', async (t) => {
  t.ok(udp(from, to).delivered)
  wire.take()
  t.ok(udp(from, to).delivered)
  const [recorded] = wire.take()
  if (!recorded) throw new Error('nothing was on the wire')
  t.match(replayed(recorded), ['XfrmInStateSeqError'], 'the window refuses it')
  right.endService('SIGKILL')
  t.notOk(udp(from, to).delivered, 'nothing is let in without the program')
  t.equal((await right.ipseckey(['dump'])).code, 0)
  t.match(replayed(recorded), ['XfrmInStateSeqError'], 'and so it does after a restart')
  const sent = until(() => {
    // The window begins beyond what may have come in since it was last noted.
    sendMany(100)
    return udp(from, to).delivered ? true : undefined
  }, 20_000)
  t.ok(sent, 'what is new is taken')
})

/** Datagrams to nobody. */
function sendMany(count: number): void {
  const fd = left.visit(() => bound(SOCK_DGRAM, 0, from.address))
  try {
    for (let i = 0; i < count; i++) send(fd, Buffer.alloc(16), 0, sockaddr(to.address, 9))
  } finally {
    close(fd)
  }
}

/** Sends a packet of the left host once more, and tells what the right one counted. */
function replayed(packet: Packet): string[] {
  const before = right.refusals()
  const fd = left.visit(() => bound(SOCK_RAW, 50, from.address))
  try {
    setSockOptInt(fd, SOL_SOCKET, SO_MARK, OWN)
    send(fd, packet.payload, 0, sockaddr(to.address))
  } finally {
    close(fd)
  }
  until(
    () =>
      right.refusals().get('XfrmInStateSeqError') !== before.get('XfrmInStateSeqError') ? true : undefined,
    2000,
  )
  return [...right.refusals()]
    .filter(([name, count]) => count > (before.get(name) ?? 0))
    .map(([name]) => name)
}

t.test('clear text is refused while the receiver is away', async (t) => {
  await left.policy('')
  right.endService('SIGKILL')
  t.notOk(udp(from, to).delivered)
  t.match(await right.ipsecconf(['-l']), {
    code: 0,
    err: /NOTE: the program of the software data path had ended/,
  })
  t.match(await right.ipsecconf(['-l']), { code: 0, err: '' }, 'said once')
  t.match(udp(from, to).refusals.join(), /^XfrmIn(TmplMismatch|PolBlock)$/)
})

t.test('what others take away is put back', async (t) => {
  const refuses = () => (udp(from, to).delivered ? undefined : true)
  await right.host.exec('nft', ['flush', 'ruleset'])
  t.ok(until(refuses, 5000), 'the table that refuses clear text')
  await left.policy(`{laddr 10.1.0.1 raddr 10.1.0.2 ulp udp} ${PROTECT}`)
  // The receiver was killed before, and takes up to 128 packets for old ones.
  t.ok(until(() => (udp(from, to).delivered ? true : undefined), 20_000))
  await left.host.ip('rule del table 50500', 'route flush table 50500')
  wire.take()
  const isBack = until(() => (udp(from, to).delivered ? true : undefined), 5000)
  t.ok(isBack, 'the rule and the routes that lead to the device')
  t.equal(kindsOf(wire.take()), 'esp', 'and nothing has left in clear')
})

t.test('a table that others change is put back', async (t) => {
  const changes = [
    'flush table inet solipsec-datapath',
    'flush chain inet solipsec-datapath output',
    'insert rule inet solipsec-datapath output accept',
    'add table inet solipsec-datapath { flags dormant; }',
  ]
  for (const change of changes) {
    t.equal((await left.host.exec('nft', [change])).status, 0)
    const isBack = until(() => {
      wire.take()
      return udp(from, to).delivered && kindsOf(wire.take()) === 'esp' ? true : undefined
    }, 5000)
    t.ok(isBack, change)
  }
})

t.test('marks that others set lead no packet astray', async (t) => {
  const chains = [
    // As hosts with several ways out have it; the second says what the data path says of its own packets.
    ['type route hook output priority mangle + 1;', 'meta mark set ct mark'],
    ['type route hook output priority raw;', 'meta mark set 0x800000'],
    ['type filter hook output priority filter;', 'meta mark set 0x0'],
  ] as const
  for (const [chain, rule] of chains) {
    await left.host.exec('nft', [`add table inet marks; add chain inet marks c { ${chain} }`])
    t.equal((await left.host.exec('nft', [`add rule inet marks c ${rule}`])).status, 0)
    wire.take()
    t.ok(udp(from, to).delivered, `${chain} ${rule}`)
    t.equal(kindsOf(wire.take()), 'esp')
    await left.host.exec('nft', ['delete table inet marks'])
  }
})

t.test('its files are for root alone, and no key is where it should not be', async (t) => {
  const { journal, socket, log } = servicePlace(right.folder)
  for (const path of [journal, socket]) t.equal(statSync(path).mode & 0o077, 0, path)
  t.notOk(existsSync(log), 'nothing went wrong')
  const key = keyOf(0x1000, 'cipher', 128).toString('hex')
  const id = right.serviceId ?? 0
  const shown = ['cmdline', 'environ'].map((file) => readFileSync(`/proc/${id}/${file}`, 'latin1')).join()
  t.notMatch(shown, key)
  process.kill(id, 'SIGUSR1')
  await pause(200)
  const debugPort = (9229).toString(16).toUpperCase()
  t.notMatch(readFileSync(`/proc/${id}/net/tcp`, 'latin1'), `0100007F:${debugPort}`, 'no debugger listens')
})

/** To work out what to ask for takes time. */
function staysForWhoeverHasRequests(t: Test): void {
  const { socket } = servicePlace(left.folder)
  const connection = XfrmConnection.open({ service: socket })
  try {
    connection.spdInfo()
    // It would be gone after 5 seconds.
    pause(8000)
    t.equal(connection.spdInfo().info?.outcnt, 0, 'while somebody is connected it stays')
  } finally {
    connection.close()
  }
}

t.test('with the last rule and SA it goes, and everything passes', async (t) => {
  for (const station of [left, right]) {
    await station.policy('')
    await station.keys('')
    const id = station.serviceId
    t.ok(id)
    if (station === left) staysForWhoeverHasRequests(t)
    const ended = until(() => (station.serviceId === undefined ? true : undefined), 20_000)
    t.ok(ended, 'it ends by itself')
    t.notOk(existsSync(servicePlace(station.folder).journal))
    const { stdout: rules } = await station.host.exec('nft', ['list', 'ruleset'])
    t.notMatch(rules, 'solipsec-datapath')
    t.notMatch(await station.host.ip('rule list'), '50500')
    t.notMatch(await station.host.ip('link show'), 'solipsec0')
  }
  pause(50)
  t.ok(udp(from, to).delivered, 'in clear')
})
