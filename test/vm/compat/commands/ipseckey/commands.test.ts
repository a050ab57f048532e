import { execFileSync } from 'node:child_process'
import { appendFileSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { type Host, twoHosts } from '../../../../support/namespaces.ts'
import { Commands, key, leaks, whatOnlyTheKernelRefuses } from './support.ts'

t.setTimeout(250_000)

const ENDS = 'src 192.0.2.1 dst 192.0.2.2'
const BACK = 'src 192.0.2.2 dst 192.0.2.1'
const aes = (number: number) =>
  `encr_alg aes encrkey ${key(number)} auth_alg sha256 authkey ${key(number + 1000, 256)}`
const add = (spi: number, more = '', ends = ENDS) => `add esp spi ${spi} ${ends} ${aes(spi)} ${more}\n`

async function fresh(t: Tap): Promise<{ left: Host; commands: Commands }> {
  const { left } = await twoHosts(t)
  return { left, commands: new Commands(t, left.namespace) }
}
type Tap = Parameters<typeof twoHosts>[0]

t.test('add, get, delete, flush', async (t) => {
  const { commands } = await fresh(t)
  await commands.loaded(`${add(256)}${add(257)}add ah spi 258 ${ENDS} auth_alg sha1 authkey ${key(258, 160)}`)
  t.same(await commands.spis(), [256, 257, 258])
  const got = await commands.done('-n get esp spi 256 dst 192.0.2.2')
  t.match(got, /^Base message \(version 2\) type GET, SA type ESP\.\n/)
  t.match(got, new RegExp(`^EKY: ${key(256)}/128$`, 'm'))
  const hidden = await commands.done('-p get esp spi 256 dst 192.0.2.2')
  t.match(hidden, new RegExp(`^EKY: ${'XX'.repeat(16)}/128$`, 'm'))
  t.same(leaks(hidden), [])
  const json = await commands.done('--json get esp spi 256 dst 192.0.2.2')
  t.match(JSON.parse(json), { spi: 256, state: 'mature', direction: 'out', encryption: { keyBits: 128 } })
  t.same(leaks(json), [])
  await commands.done('delete esp spi 257 dst 192.0.2.2')
  t.same(await commands.spis(), [256, 258])
  await commands.done('flush esp')
  t.same(await commands.spis(), [258])
  t.match(await commands.done('dump ah'), /^Dump succeeded for SA type 2\.\n/m)
  await commands.done('flush')
  t.equal(await commands.done('dump'), 'Dump succeeded for SA type 0.\n')
})

t.test('what is there already, and what is not', async (t) => {
  const { commands } = await fresh(t)
  await commands.loaded(add(300))
  const addAgain = await commands.keys(add(300))
  t.equal(addAgain.code, 1)
  t.match(addAgain.err, /Config file entry near line 1 caused error/)
  t.match(addAgain.err, 'Association (type = ESP) with spi 0x12c and addr\n192.0.2.2 already exists.')
  for (const words of ['delete', 'get', 'delete-pair']) {
    const { code, err } = await commands.ipseckey(`${words} esp spi 301 dst 192.0.2.2`)
    t.equal(code, 1, words)
    t.match(err, 'Association (type = ESP) with spi 0x12d and addr\n192.0.2.2 does not exist.', words)
  }
  const update = await commands.keys('update esp spi 301 dst 192.0.2.2 hard_addtime 5')
  t.match(update.err, 'does not exist.')
  t.match(await commands.ipseckey(`add esp spi 302 ${ENDS} ${aes(302)}`), {
    code: 1,
    err: /can't do ADD or UPDATE from the command line/,
  })
  t.same(await commands.spis(), [300])
})

t.test('a file takes effect as a whole or not at all', async (t) => {
  const { left, commands } = await fresh(t)
  const refused = await whatOnlyTheKernelRefuses(left, ENDS)
  const many = Array.from({ length: 300 }, (_, i) => add(400 + i)).join('')
  const { code, err } = await commands.keys(`${many}${refused}`)
  t.equal(code, 1)
  t.match(err, /near line 301 .*\n.*spi 2000/)
  t.match(err, /Kernel returned: XFRM_MSG_NEWSA.*EEXIST/)
  t.match(err, 'Nothing was changed.')
  t.same(await commands.spis(), [])

  await commands.loaded(add(500, 'replay 32 hard_addtime 5000', BACK) + add(501, 'pair-spi 500'))
  const before = commands.states()
  const shown = await commands.dump()
  const flushed = await commands.keys(`flush\n${add(600)}${refused}`)
  t.equal(flushed.code, 1)
  t.same(commands.states(), before, 'the flush of the same file has been taken back')
  const now = await commands.dump()
  for (const spi of [500, 501]) t.equal(now.get(spi)?.pairSpi, shown.get(spi)?.pairSpi)

  await commands.loaded(`flush\n${add(500)}`)
  t.same(await commands.spis(), [500], 'flush and add of the same SPI')
})

t.test('update changes what can be changed and refuses the rest', async (t) => {
  const { left, commands } = await fresh(t)
  const refused = await whatOnlyTheKernelRefuses(left, ENDS)
  const target = 'esp spi 700 dst 192.0.2.2'
  await commands.loaded(add(700, 'hard_bytes 1000000 replay 32'))
  await commands.loaded(`update ${target} soft_addtime 3000 hard_addtime 4000`)
  t.match((await commands.dump()).get(700), {
    soft: { addTime: 3000 },
    hard: { addTime: 4000, bytes: 1_000_000 },
  })
  await commands.loaded(`update ${target} hard_bytes 0 replay_value 99 srcidtype fqdn left.example`)
  t.match((await commands.dump()).get(700), {
    hard: { addTime: 4000, bytes: 0 },
    replayValue: 99,
    sourceIdentity: { type: 'fqdn', value: 'left.example' },
  })
  await commands.loaded(`update ${target} replay_value 0`)
  t.equal((await commands.dump()).get(700)?.replayValue, 0)
  await commands.loaded(`update ${target} auth_alg sha256 hard_usetime 77`)
  const before = commands.states()
  for (const [words, reason] of [
    [`authkey ${key(1)}`, /authentication key present/],
    ['replay 64', /replay window of an SA cannot be changed/],
    ['encr_alg 3des', /cannot be changed/],
    ['state dying', /cannot be made dying/],
    ['soft_addtime 4001', /above the hard one/],
    ['encap udp nat_loc 192.0.2.1', /cannot be given to an SA that has none/],
    ['pair-spi 999', /Diagnostic code 76/],
  ] as const) {
    const { code, err } = await commands.keys(`update ${target} hard_usetime 78\nupdate ${target} ${words}`)
    t.equal(code, 1, words)
    t.match(err, reason, words)
  }
  t.same(commands.states(), before, 'nothing of the refused files was done')
  // The kernel refuses the last step: the new replay value and limits are taken back.
  t.equal((await commands.keys(`update ${target} replay_value 5 hard_usetime 9\n${refused}`)).code, 1)
  t.same(commands.states(), before)
})

t.test('pairs', async (t) => {
  const { commands } = await fresh(t)
  await commands.loaded(add(800, '', BACK) + add(801, 'pair-spi 800'))
  const pairs = async () => {
    const dump = await commands.dump()
    return [800, 801].map((spi) => dump.get(spi)?.pairSpi)
  }
  t.same(await pairs(), [801, 800])
  t.match(await commands.done('get esp spi 800 dst 192.0.2.1'), /^OTH: Paired with spi=0x321$/m)
  await commands.loaded('update-pair esp spi 801 dst 192.0.2.2 hard_addtime 1234')
  const dump = await commands.dump()
  for (const spi of [800, 801]) t.match(dump.get(spi), { hard: { addTime: 1234 } })
  const taken = await commands.keys(add(802, 'pair-spi 800'))
  t.match(taken, { code: 1, err: /is paired already[\s\S]*Diagnostic code 75/ })
  const crooked = await commands.keys(add(803, 'pair-spi 800', 'src 192.0.2.9 dst 192.0.2.2'))
  t.match(crooked, { code: 1, err: /Diagnostic code 74/ })
  await commands.done('delete-pair esp spi 800 dst 192.0.2.1')
  t.same(await commands.spis(), [])
  await commands.loaded(add(800, '', BACK) + add(801, 'pair-spi 800'))
  await commands.done('delete esp spi 800 dst 192.0.2.1')
  t.same(await pairs(), [undefined, undefined], 'the half that is left is no pair')
})

t.test('SAs of other programs are shown, and touched only when asked by name', async (t) => {
  const { left, commands } = await fresh(t)
  const auth = `auth-trunc hmac(sha256) 0x${key(900, 256)} 128`
  await left.ip(
    `xfrm state add ${ENDS} proto esp spi 900 reqid 7 mode transport ${auth} enc cbc(aes) 0x${key(901)}`,
    `xfrm state add ${ENDS} proto ah spi 902 reqid 16400 mode transport ${auth}`,
  )
  await commands.loaded(add(903))
  t.same(await commands.spis(), [900, 902, 903])
  t.match(await commands.done('get esp spi 900 dst 192.0.2.2'), /Encryption algorithm = aes-cbc/)
  const refused = await commands.ipseckey('delete esp spi 900 dst 192.0.2.2')
  t.match(refused, { code: 1, err: /belongs to another program/ })
  t.match(await commands.keys('update esp spi 900 dst 192.0.2.2 hard_addtime 9999'), { code: 1 })
  t.notMatch(await commands.done('save all'), /spi 0x384/)
  t.match(await commands.done('--all save all'), /spi 0x384/)
  await commands.done('flush')
  t.same(await commands.spis(), [900, 902])
  await commands.done('--all delete esp spi 900 dst 192.0.2.2')
  t.same(await commands.spis(), [902])
  await commands.done('--all flush')
  t.same(await commands.spis(), [])
})

t.test('a name with several addresses makes an SA for each', async (t) => {
  const { commands } = await fresh(t)
  const hosts = readFileSync('/etc/hosts', 'utf8')
  t.teardown(() => writeFileSync('/etc/hosts', hosts))
  appendFileSync(
    '/etc/hosts',
    '192.0.2.2 both.example\n2001:db8::2 both.example\n192.0.2.1 own.example\n2001:db8::1 own.example\n',
  )
  await commands.loaded(add(1000, '', 'src own.example dst both.example'))
  const ends = commands.states().map(({ body }) => [body.family, body.id.daddr[0]])
  t.same(
    ends,
    [
      [10, 0x20],
      [2, 192],
    ].sort(([, a = 0], [, b = 0]) => a - b),
  )
  t.match(await commands.done('get esp spi 1000 dst 2001:db8::2'), /own\.example\)/)
  t.match(await commands.ipseckey('-n get esp spi 1000 dst both.example'), { code: 1 })
  await commands.done('delete esp spi 1000 dst both.example')
  t.same(commands.states(), [])
})

t.test('which files are read', async (t) => {
  const { commands } = await fresh(t)
  const SMF = { service: { name: 'svc:/network/ipsec/manual-key:default' } }
  await commands.loaded(add(1100))
  const open = await commands.keys(add(1101), {}, 0o644)
  t.match(open, { code: 0, err: /WARNING: .* insecure permissions/ })
  const refused = await commands.keys(add(1102), SMF, 0o640)
  t.match(refused, { code: 95, err: /Config file .* has insecure permissions\./ })
  t.same(await commands.spis(), [1100, 1101], 'and nothing was flushed')
  const loaded = await commands.keys(add(1103), SMF)
  t.match(loaded, { code: 0, out: /^Flushing existing SA's[\s\S]*1 actions successfully processed\.$/m })
  t.same(await commands.spis(), [1103])

  const link = join(commands.folder, 'link')
  symlinkSync(commands.file(add(1104)), link)
  t.equal((await commands.ipseckey(`-f ${link}`)).code, 0)
  const fifo = join(commands.folder, 'fifo')
  execFileSync('mkfifo', [fifo])
  mkdirSync(join(commands.folder, 'folder'))
  for (const path of [fifo, join(commands.folder, 'folder'), '/dev/null']) {
    t.match(await commands.ipseckey(`-f ${path}`), { code: 1, err: `${path} - Not a regular file` })
  }
  t.match(await commands.ipseckey('-f /nonexistent'), { code: 1, err: 'Invalid pathname: /nonexistent' })
})

t.test('a saved file is for root alone, whatever was there', async (t) => {
  const { commands } = await fresh(t)
  await commands.loaded(add(1200))
  const there = commands.file('old', 0o666)
  await commands.done(`save esp ${there}`)
  t.equal(statSync(there).mode & 0o777, 0o600)
  t.match(readFileSync(there, 'utf8'), new RegExp(key(1200)))
  await commands.done(`-p save esp ${there}`)
  t.same(leaks(readFileSync(there, 'utf8')), [])
  t.match(await commands.ipseckey(`-f ${there}`), { code: 1 })
})

t.test('an or rule follows the SAs that come and go', async (t) => {
  const { left, commands } = await fresh(t)
  await commands.policy(
    '{raddr 192.0.2.2} ipsec {encr_algs aes encr_auth_algs sha256} or ipsec {encr_algs 3des encr_auth_algs sha256}',
  )
  const asked = async () => {
    const [rule = ''] = (await left.ip('xfrm policy list dir out'))
      .split(/^(?=src)/m)
      .filter(
        (one) => one.startsWith('src 0.0.0.0/0 dst 192.0.2.2/32 \n') || one.includes('dst 192.0.2.2/32'),
      )
    return Number(/reqid (\d+)/.exec(rule)?.[1])
  }
  const first = await asked()
  t.ok(first)
  const triple = `encr_alg 3des encrkey ${key(1300, 192)} auth_alg sha256 authkey ${key(1301, 256)}`
  await commands.loaded(`add esp spi 1300 ${ENDS} ${triple}`)
  const second = await asked()
  t.not(second, first, 'only the second alternative has an SA')
  t.equal(commands.states()[0]?.body.reqid, second)
  await commands.loaded(add(1302))
  t.equal(await asked(), first, 'the first one is preferred')
  await commands.done('delete esp spi 1302 dst 192.0.2.2')
  t.equal(await asked(), second)
})
