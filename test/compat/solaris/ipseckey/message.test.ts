import t from 'tap'
import type { SecurityAssociation } from '../../../../agent/model/association.ts'
import {
  formatAcquire,
  formatBare,
  formatDumpEnd,
  formatMessage,
  formatTimestamp,
  monitorHeading,
  type PrintOptions,
} from '../../../../compat/solaris/ipseckey/print/message.ts'
import { bytes, date, seconds } from '../../../../compat/solaris/ipseckey/print/units.ts'
import { address } from '../../../support/address.ts'
import { ADD, ADD_AH, added, ENDS, KEY_128, KEY_256, options } from './support.ts'

process.env.TZ = 'UTC'

const HEADING = { type: 'DUMP', sequence: 1, pid: 2412 } as const
const ADDED = 1_795_132_800n
const CURRENT = { allocations: 0n, bytes: 4128n, addTime: ADDED, useTime: ADDED + 60n }

function shown(sa: SecurityAssociation, more: Partial<PrintOptions> = {}): string {
  return formatMessage(HEADING, { ...sa, state: 'mature', current: CURRENT }, { ...options, ...more })
}

t.test('a whole block', (t) => {
  const sa = added(
    `${ADD} proto tcp dport 80 hard_addtime 28800 idle_usetime 90 outbound pair-spi 0x777 replay_value 5`,
  )
  t.equal(
    shown(sa),
    `Base message (version 2) type DUMP, SA type ESP.
Message length 296 bytes, seq=1, pid=2412.
SA: SADB_ASSOC spi=0x1234, replay window size=0, state=MATURE
SA: Authentication algorithm = hmac-sha256
SA: Encryption algorithm = aes-cbc
SA: flags=0xc0018000 < X_USED X_PAIRED X_OUTBOUND X_UNIQUE >
 LT: Lifetime information
CLT: 4128 bytes (4.03 KB) protected, 0 allocations used.
CLT: SA added at time Fri Nov 20 00:00:00 2026
CLT: SA first used at time Fri Nov 20 00:01:00 2026
HLT: Hard lifetime information:
HLT: 0 bytes of lifetime, 0 allocations.
HLT: 28800 seconds (8.00 hours) of post-add lifetime.
HLT: 0 seconds of post-use lifetime.
ILT: Idle lifetime information:
ILT: 0 seconds of post-add idle lifetime.
ILT: 90 seconds (1.50 minutes) of post-use idle lifetime.
SRC: Source address (proto=6/tcp)
SRC: AF_INET: port 0, 192.0.2.1 (left.example.net).
DST: Destination address (proto=6/tcp)
DST: AF_INET: port 80, 198.51.100.2 <unknown>.
AKY: Authentication key.
AKY: ${KEY_256}/256
EKY: Encryption key.
EKY: ${KEY_128}/128
OTH: Paired with spi=0x777
RPL: Replay value 5
`,
  )
  t.end()
})

const PARTS: [name: string, text: string, more: Partial<PrintOptions>, part: RegExp][] = [
  ['numeric', ADD, { numeric: true }, /^SRC: AF_INET: port 0, 192\.0\.2\.1\.$/m],
  ['paranoid', ADD, { paranoid: true }, /^EKY: (XX){16}\/128$/m],
  ['AH', ADD_AH, {}, /SA type AH\.\n.*\n.*\n.*hmac-sha256\nSA: flags=0x80000000 < X_USED >$/m],
  ['no source', ADD.replace('src 192.0.2.1', ''), {}, /^SRC: .* 0\.0\.0\.0 <unspecified>\.$/m],
  ['verbose', ADD, { verbose: true }, /^CLT: SA added at time .* 2026 \(raw time value 1795132800\)$/m],
  [
    'salt',
    `add esp spi 256 ${ENDS} encr_alg aes-gcm encrkey ${KEY_128}0a0b0c0d`,
    {},
    new RegExp(`^EKY: ${KEY_128}\\[0a0b0c0d\\]/128\\+32$`, 'm'),
  ],
  [
    'tunnel',
    `${ADD} isrc 10.0.0.0/8 idst 10.1.0.1 iproto tcp isport 7`,
    { numeric: true },
    /^INS: Inner source address \(proto=6\/tcp\)\nINS: AF_INET: port 7, 10\.0\.0\.0 \(prefix length 8\)\.\nIND: .*\nIND: AF_INET: port 0, 10\.1\.0\.1\.$/m,
  ],
  [
    'NAT',
    `${ADD} encap udp nat_loc 192.0.2.1 nat_rem 198.51.100.2 nat_rport 5`,
    { numeric: true },
    /^NRM: .*\nNRM: AF_INET: port 5, 198\.51\.100\.2\.\nNLC: .*\nNLC: AF_INET: port 4500, 192\.0\.2\.1\.$/m,
  ],
  ['NAT flags', `${ADD} encap udp nat_rem 198.51.100.2`, {}, /< X_USED X_NATT_REM >/],
  ['identity', `${ADD} srcidtype mailbox "a b"`, {}, /^SID: Source identity, type user_fqdn\.\nSID: a b$/m],
  [
    'IPv6',
    ADD.replace(ENDS, 'src6 2001:db8::1 dst6 2001:db8::2'),
    {},
    /^DST: AF_INET6: port 0, 2001:db8::2/m,
  ],
  [
    'soft expiration to come',
    `${ADD} soft_addtime 100`,
    { now: ADDED + 40n },
    /^SLT: Soft expiration occurs in 60 seconds \(1\.00 minutes\), at Fri Nov 20 00:01:40 2026$/m,
  ],
  [
    'the earlier of two ends',
    `${ADD} hard_addtime 100 hard_usetime 10`,
    { now: ADDED, verbose: true },
    /^HLT: Hard expiration occurs in 70 seconds .* \(raw time value 1795132870\)$/m,
  ],
  [
    'an end in the past',
    `${ADD} hard_usetime 10`,
    { now: ADDED + 75n },
    /^HLT: Hard expiration occurred 5 seconds ago/m,
  ],
]
for (const [name, text, more, part] of PARTS) {
  t.test(name, (t) => {
    t.match(shown(added(text), more), part)
    t.end()
  })
}

t.test('nothing of a key in paranoid output', (t) => {
  const text = shown(added(`add esp spi 256 ${ENDS} encr_alg aes-gcm encrkey ${KEY_128}0a0b0c0d`), {
    paranoid: true,
  })
  t.match(text, /^EKY: (XX){16}\[(XX){4}\]\/128\+32$/m)
  t.notMatch(text, /[0-9a-f]{8}\[|00112233|0a0b0c0d/)
  t.end()
})

t.test('messages that are not about one SA', (t) => {
  const wanted = {
    protocol: 'esp',
    source: address('192.0.2.1'),
    destination: address('198.51.100.2'),
    upperProtocol: 0,
    sourcePort: 0,
    destinationPort: 0,
  } as const
  t.equal(
    formatAcquire({ type: 'ACQUIRE', sequence: 7, pid: 0 }, wanted, { ...options, numeric: true }),
    `Base message (version 2) type ACQUIRE, SA type ESP.
Message length 96 bytes, seq=7, pid=0.
SRC: Source address
SRC: AF_INET: port 0, 192.0.2.1.
DST: Destination address
DST: AF_INET: port 0, 198.51.100.2.
`,
  )
  t.equal(
    formatBare({ type: 'FLUSH', sequence: 0, pid: 5 }, 'ah'),
    'Base message (version 2) type FLUSH, SA type AH.\nMessage length 16 bytes, seq=0, pid=5.\n',
  )
  t.equal(formatDumpEnd('all'), 'Dump succeeded for SA type 0.\n')
  t.equal(formatDumpEnd('esp'), 'Dump succeeded for SA type 3.\n')
  t.equal(monitorHeading(false), 'Actively monitoring the PF_KEY socket.\n')
  t.equal(monitorHeading(true), 'Passively monitoring the PF_KEY socket.\n')
  t.equal(formatTimestamp(ADDED, 96), 'Timestamp: Fri Nov 20 00:00:00 2026\nRead 96 bytes.\n')
  t.end()
})

t.test('units', (t) => {
  t.same([bytes(0n), bytes(1023n), bytes(1024n)], ['0 bytes', '1023 bytes', '1024 bytes (1.00 KB)'])
  t.equal(bytes(2n ** 64n - 1n), '18446744073709551615 bytes (16.00 EB)')
  t.same([seconds(59n), seconds(172800n)], ['59 seconds', '172800 seconds (2.00 days)'])
  t.equal(date(2n ** 63n), '<unknown>')
  t.end()
})
