import t from 'tap'
import type { SecurityAssociation } from '../../../../agent/model/association.ts'
import { acquireJson, associationJson } from '../../../../compat/solaris/ipseckey/print/json.ts'
import { violations } from '../../../schemas/support.ts'
import { address } from '../../../support/address.ts'
import { ADD, ADD_AH, added, algorithms, ENDS, KEY_160, KEY_256 } from './support.ts'

const CURRENT = { allocations: 0n, bytes: 4128n, addTime: 1_795_132_800n, useTime: 0n }

function json(sa: SecurityAssociation) {
  return associationJson({ ...sa, state: 'mature', current: CURRENT }, algorithms)
}

const everyKind = [
  ADD,
  ADD_AH,
  `${ADD} proto tcp sport 1 dport 80 hard_bytes 5 idle_addtime 9 replay 32 replay_value 7 inbound pair-spi 0x999`,
  `${ADD} proto 4 isrc 10.0.0.0/8 idst 10.1.0.1 iproto tcp idport 80`,
  `${ADD} encap udp nat_loc 192.0.2.1 nat_rport 1024`,
  `${ADD} srcidtype fqdn left.example dstidtype der_dn "CN=right"`,
  `add esp spi 0x1234 ${ENDS} encr_alg aes-gcm reserved_bits 32 encrkey ${KEY_160}`,
]

t.test('an SA as data follows its schema and has no key in it', async (t) => {
  for (const line of everyKind) {
    const text = JSON.stringify(json(added(line)))
    t.same(violations('ipseckey-association.schema.json', text), [], line)
    t.notMatch(text, KEY_160.slice(0, 8), line)
    t.notMatch(text, KEY_256.slice(-8), line)
  }
  const text = JSON.stringify(json(added(ADD)))
  t.not(violations('ipseckey-association.schema.json', text.replace('mature', 'ripe')).length, 0)
})

t.test('a key length does not count the salt', async (t) => {
  t.match(json(added(everyKind.at(-1) ?? '')), { encryption: { number: 20, name: 'aes-gcm', keyBits: 128 } })
})

t.test('lines of a monitor follow their schema', async (t) => {
  const head = { time: 1, pid: 2 }
  const association = json(added(ADD))
  const acquire = acquireJson({
    protocol: 'esp',
    source: address('192.0.2.1'),
    destination: address('192.0.2.2'),
    upperProtocol: 6,
    sourcePort: 1,
    destinationPort: 0,
  })
  for (const line of [
    { ...head, event: 'ADD', association },
    { ...head, event: 'EXPIRE', hard: true, association },
    { ...head, event: 'FLUSH', protocol: 'all' },
    { ...head, event: 'ACQUIRE', sequence: 3, ...acquire },
    { time: 1, event: 'OVERRUN' },
  ]) {
    t.same(violations('ipseckey-event.schema.json', JSON.stringify(line)), [], line.event)
  }
  const nonsense = JSON.stringify({ ...head, event: 'ADD', hard: true, association })
  t.not(violations('ipseckey-event.schema.json', nonsense).length, 0)
})
