/** Names through NSS, against what `getent` (the C library's own tool) says about this host. */
import { spawnSync } from 'node:child_process'
import t from 'tap'
import { formatAddress } from '../../../agent/model/address.ts'
import type { Resolver } from '../../../agent/model/resolver.ts'
import * as names from '../../../netlink/libc/names.ts'
import { address } from '../../support/address.ts'

const resolver: Resolver = {
  addresses: names.addresses,
  network: names.network,
  service: names.service,
  protocol: names.protocol,
  hostName: names.hostName,
  serviceName: names.serviceName,
  protocolName: names.protocolName,
}

/** Words of the first line that `getent` prints; empty where it knows nothing. */
function getent(...args: string[]): string[] {
  return spawnSync('getent', args, { encoding: 'utf8' }).stdout.split('\n')[0]?.split(/\s+/) ?? []
}

t.test('hosts', async (t) => {
  const { stdout } = spawnSync('getent', ['ahosts', 'localhost'], { encoding: 'utf8' })
  const wanted = [
    ...new Set(
      stdout
        .trim()
        .split('\n')
        .map((line) => line.split(/\s+/)[0]),
    ),
  ]
  t.ok(wanted.length > 0)
  t.strictSame(resolver.addresses('localhost').map(formatAddress), wanted)
  t.strictSame(resolver.addresses('::1').map(formatAddress), ['::1'])
  t.strictSame(resolver.addresses('no-such-host.invalid'), [])
  t.strictSame(resolver.addresses(''), [])
  t.strictSame(resolver.addresses('localhost\0.invalid'), [], 'a NUL does not cut a name short')
  t.equal(resolver.hostName(address('127.0.0.1')), getent('hosts', '127.0.0.1')[1])
  t.equal(resolver.hostName(address('240.0.0.1')), undefined)
})

t.test('networks', async (t) => {
  const [, wanted] = getent('networks', 'loopback')
  const found = resolver.network('loopback')
  t.equal(found && formatAddress(found), wanted)
  t.equal(resolver.network('no-such-network'), undefined)
})

t.test('services', async (t) => {
  for (const name of ['ssh', 'domain', 'tftp', 'isakmp', 'no-such-service']) {
    const wanted = getent('services', name)[1]?.split('/')[0]
    t.equal(resolver.service(name)?.toString(), wanted, name)
  }
  t.equal(resolver.service('ssh'), 22)
  t.equal(resolver.service('tftp'), 69, 'of whatever transport protocol')
  t.equal(resolver.serviceName(22), 'ssh')
  t.equal(resolver.serviceName(22, 6), 'ssh')
  t.equal(resolver.serviceName(69, 17), 'tftp')
  t.equal(resolver.serviceName(69, 6), undefined)
  t.equal(resolver.serviceName(22, 252), undefined, 'a protocol without a name')
  t.equal(resolver.serviceName(64999), undefined)
})

t.test('protocols', async (t) => {
  for (const name of ['tcp', 'udp', 'icmp', 'ipv6-icmp', 'esp', 'ah', 'no-such-protocol']) {
    t.equal(resolver.protocol(name)?.toString(), getent('protocols', name)[1], name)
  }
  t.equal(resolver.protocol('tcp'), 6)
  t.equal(resolver.protocolName(50), 'esp')
  t.equal(resolver.protocolName(252), undefined)
})
