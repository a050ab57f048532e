/** Tunables on a host: shown and set as on Solaris, and what the kernel makes of them. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { run as ipadm } from '../../../../compat/commands/ipadm.ts'
import { run as ndd } from '../../../../compat/commands/ndd.ts'
import { run as solipsec } from '../../../../compat/commands/solipsec.ts'
import type { Run } from '../../../../compat/commands/support/io.ts'
import { captureIo } from '../../../compat/commands/support/capture-io.ts'
import { violations } from '../../../schemas/support.ts'
import { makePlace } from '../../../support/ipsecconf-place.ts'
import { skip } from '../../netlink/namespace.ts'

function makeHost(test: Parameters<typeof makePlace>[0]) {
  const place = makePlace(test)
  const command = async (run: Run, argv: string[]) => {
    const saved = process.env.SOLIPSEC_RUN_DIR
    process.env.SOLIPSEC_RUN_DIR = place.runDir
    try {
      const io = captureIo()
      const code = await run(argv, io)
      return { code, out: io.out(), err: io.err() }
    } finally {
      if (saved === undefined) delete process.env.SOLIPSEC_RUN_DIR
      else process.env.SOLIPSEC_RUN_DIR = saved
    }
  }
  let files = 0
  return {
    ...place,
    ndd: (words: string) => command(ndd, ['--netns', place.netns, ...words.split(' ')]),
    ipadm: (words: string) => {
      const [verb = '', ...rest] = words.split(' ')
      return command(ipadm, [verb, '--netns', place.netns, ...rest])
    },
    solipsec: (words: string, document: object) => {
      const path = join(place.folder, `document-${++files}.json`)
      writeFileSync(path, JSON.stringify(document))
      const [verb = '', ...rest] = words.split(' ')
      return command(solipsec, [verb, '--netns', place.netns, ...rest, path])
    },
    expiry: () => place.ip(`netns exec ${place.netns} cat /proc/sys/net/core/xfrm_acq_expires`).trim(),
    protocols: () => new Set(place.policies().ours.map(({ body }) => body.sel.proto)),
  }
}

const ICMP = 1
const IGMP = 2
const PIM = 103
const RULE = '{laddr 192.0.2.1 raddr 198.51.100.0/24} ipsec {encr_algs aes encr_auth_algs sha256}\n'

t.test('ndd shows, lists and sets', { skip }, async (t) => {
  const host = makeHost(t)
  t.same(await host.ndd('/dev/ipsecesp ipsecesp_replay_size ipsecesp_larval_timeout'), {
    code: 0,
    out: '64\n\n90\n',
    err: '',
  })
  const { out } = await host.ndd('-get /dev/ip ?')
  t.match(out, /^\? {29}\(read only\)\nicmp_accept_clear_messages {4}\(read and write\)\n/)
  t.equal(out.split('\n').length, 7)
  t.same(await host.ndd('-set /dev/ip pim_accept_clear_messages 0'), { code: 0, out: '', err: '' })
  t.equal((await host.ndd('/dev/ip pim_accept_clear_messages')).out, '0\n')
  t.match(await host.ndd('-set /dev/ipsecah ipsecah_reap_delay 5'), {
    code: 0,
    err: /^NOTE: ipsecah_reap_delay is kept and shown, but has no effect in this version: /,
  })
  t.same(await host.ndd('-set /dev/ipsecah ipsecah_reap_delay 5'), { code: 0, out: '', err: '' }, 'said once')
  for (const [words, why] of [
    ['-set /dev/ip pim_accept_clear_messages 2', /Invalid argument\nhelp: .* takes 0-1, not 2\n/],
    ['-set /dev/ip pim_accept_clear_messages on', /takes 0-1, not on/],
    ['-set /dev/ipsectun ipsectun_dfbit 1', /takes 0,2, not 1/],
    ['/dev/ipsecah ipsecesp_debug', /it is one of \/dev\/ipsecesp/],
    ['/dev/tcp tcp_debug', /open of \/dev\/tcp failed: No such file or directory\nhelp: .*sysctl/],
    ['-set /dev/ip pim_accept_clear_messages', /needs a name and a value/],
    ['/dev/ip', /a name is missing/],
  ] as const) {
    t.match(await host.ndd(words), { code: 1, out: '', err: why }, words)
  }
})

t.test('ipadm shows, sets and resets what belongs to ip', { skip }, async (t) => {
  const host = makeHost(t)
  t.equal(
    (await host.ipadm('show-prop -p _ipsec_policy_log_interval ip')).out,
    'PROTO PROPERTY              PERM CURRENT      PERSISTENT   DEFAULT      POSSIBLE\n' +
      'ip    _ipsec_policy_log_interval rw   0            --           0            0-999999\n',
  )
  t.match(await host.ipadm('set-prop -p _igmp_accept_clear_messages=0,_ipsec_policy_log_interval=7 ip'), {
    code: 0,
    err: /NOTE: this holds until the host is started again/,
  })
  t.notMatch((await host.ipadm('set-prop -t -p _igmp_accept_clear_messages=0 ip')).err, /started again/)
  t.equal(
    (await host.ipadm('show-prop -c -o property,current,default')).out,
    [
      '_icmp_accept_clear_messages:1:1',
      '_igmp_accept_clear_messages:0:1',
      '_pim_accept_clear_messages:1:1',
      '_ipsec_override_persocket_policy:0:0',
      '_ipsec_policy_log_interval:7:0',
      '',
    ].join('\n'),
  )
  await host.ipadm('reset-prop -p _igmp_accept_clear_messages ip')
  t.equal((await host.ndd('/dev/ip igmp_accept_clear_messages')).out, '1\n')
  for (const [words, why] of [
    ['set-prop -p _igmp_accept_clear_messages=7 ip', /invalid value '7' .*; possible: 0-1/],
    ['set-prop -p _igmp_accept_clear_messages=0 tcp', /'tcp' has no property of IPsec/],
    ['set-prop -p ttl=3 ip', /unknown property 'ttl'/],
    ['set-prop ip', /-p is missing/],
    ['show-prop -t ip', /no option -t/],
    ['create-addr x', /none of show-prop, set-prop, reset-prop/],
  ] as const) {
    t.match(await host.ipadm(words), { code: 1, out: '', err: why }, words)
  }
})

t.test('the frame follows at once, and rules keep what was set', { skip }, async (t) => {
  const host = makeHost(t)
  await host.ndd('-set /dev/ip igmp_accept_clear_messages 0')
  t.equal(host.policies().ours.length, 0, 'without rules there is nothing')
  await host.ok(`-qa ${host.file('policy', RULE)}`)
  t.same(
    [IGMP, PIM, ICMP].map((one) => host.protocols().has(one)),
    [false, true, true],
  )
  await host.ndd('-set /dev/ip icmp_accept_clear_messages 0')
  await host.ndd('-set /dev/ip pim_accept_clear_messages 0')
  t.same(
    [IGMP, PIM, ICMP].map((one) => host.protocols().has(one)),
    [false, false, false],
  )
  await host.ok('-qF')
  await host.ok(`-qa ${host.file('policy', RULE)}`)
  t.notOk(host.protocols().has(IGMP), 'ipsecconf -F leaves tunables alone')
  await host.ipadm('reset-prop -p _igmp_accept_clear_messages,_pim_accept_clear_messages ip')
  t.same(
    [IGMP, PIM].map((one) => host.protocols().has(one)),
    [true, true],
  )
})

t.test("the kernel's time for requests is set, and comes back", { skip }, async (t) => {
  const host = makeHost(t)
  const before = host.expiry()
  await host.ndd('-set /dev/ipsecesp ipsecesp_acquire_timeout 4')
  t.equal(host.expiry(), '4')
  await host.ndd('-set /dev/ipsecah ipsecah_larval_timeout 60')
  t.equal(host.expiry(), '60', 'the longest of those that were set')
  await host.ndd('-set /dev/ipsecah ipsecah_larval_timeout 90')
  t.equal(host.expiry(), '4', 'the initial value is as if nobody had')
  await host.ndd('-set /dev/ipsecesp ipsecesp_acquire_timeout 15')
  t.equal(host.expiry(), before)
})

t.test('a document has them planned, compared and applied', { skip }, async (t) => {
  const host = makeHost(t)
  await host.ndd('-set /dev/ipsecesp ipsecesp_replay_size 100')
  const tunables = {
    ip: { acceptClearIcmp: false, acceptClearPim: true },
    esp: { acquireTimeout: 20, reapDelay: 2 },
    tunnel: { dontFragment: 'clear' },
  }
  const document = { tunables }
  const planned = await host.solipsec('plan', document)
  t.match(planned.err, /^WARNING: ipsecesp_reap_delay is kept and shown, but has no effect/)
  t.equal(
    planned.out,
    'Tunables\n  ~ icmp_accept_clear_messages 1 => 0\n  ~ ipsecesp_reap_delay 1 => 2\n' +
      '  ~ ipsecesp_replay_size 100 => 64\n  ~ ipsecesp_acquire_timeout 15 => 20\n  ~ ipsectun_dfbit 2 => 0\n\n' +
      'Plan: 0 to add, 5 to change, 0 to remove, 1 untouched.\n',
    'what it does not say is the initial value',
  )
  const diff = await host.solipsec('diff --json', document)
  t.equal(diff.code, 1)
  t.same(violations('solipsec-diff.schema.json', diff.out), [])
  const applied = await host.solipsec('apply --json', document)
  t.same([applied.code, violations('solipsec-plan.schema.json', applied.out)], [0, []])
  t.equal(host.expiry(), '20')
  t.equal((await host.solipsec('diff', document)).code, 0)
  t.equal((await host.solipsec('apply -q', { policies: [] })).code, 0)
  t.equal((await host.ndd('/dev/ipsecesp ipsecesp_reap_delay')).out, '2\n', 'a document without the section')
  t.equal((await host.solipsec('apply', { tunables: {} })).code, 0)
  t.equal((await host.ndd('/dev/ipsecesp ipsecesp_reap_delay')).out, '1\n')
})
