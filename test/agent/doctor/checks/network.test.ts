/** The software data path, policies and SAs, and settings that bite. */
import t from 'tap'
import {
  checkDefaults,
  checkListeners,
  checkLosses,
  checkTables,
} from '../../../../agent/doctor/checks/policies.ts'
import {
  checkAcquiring,
  checkCacheLimit,
  checkFragments,
  checkIpv6,
  checkPathMtu,
  checkRedirects,
  checkSwitches,
  checkTunnelSettings,
} from '../../../../agent/doctor/checks/settings.ts'
import { checkNft, checkService, checkTun } from '../../../../agent/doctor/checks/software.ts'
import { checkSupply } from '../../../../agent/doctor/checks/supply.ts'
import type { Defaults } from '../../../../agent/doctor/facts/tables.ts'
import { fails, untried } from '../../../../agent/doctor/known.ts'
import { associationWith } from '../../status/scene.ts'
import { bad, bareKernel, GOOD, host, hostWith, NO_TABLES } from '../hosts.ts'

t.test('nft', async (t) => {
  const none = { hasNft: false, steering: untried('there is no nft'), marking: untried('there is no nft') }
  t.match(bad(checkNft(host({ software: none }))), [{ state: 'warning', wayOut: [/apt install nftables/] }])
  t.match(bad(checkNft(bareKernel({ software: none }))), [{ state: 'problem' }])
  const gateway = hostWith({ 'ipv4/conf/eth0/forwarding': 1 }, { software: none })
  t.match(bad(checkNft(gateway)), [{ state: 'problem', meaning: /which forwards packets/ }])
  const steering = fails('Could not process rule: No such file or directory')
  t.match(bad(checkNft(host({ software: { steering } }))), [
    {
      subject: 'steering of packets',
      state: 'note',
      meaning: /Could not process rule/,
      wayOut: [/NFT_SOCKET/],
    },
  ])
  t.match(bad(checkNft(bareKernel({ software: { steering } }))), [{ state: 'problem' }])
})

t.test('TUN, and the program behind it', async (t) => {
  const software = { tun: fails('ENOENT: no such file or directory') }
  t.match(bad(checkTun(bareKernel({ software }))), [{ state: 'problem', wayOut: [/CONFIG_TUN/, /--device/] }])
  t.match(bad(checkTun(host({ software }))), [{ state: 'note' }])
  t.match(checkTun(host({ software: { tun: untried('EPERM') } })), [{ isKnown: false, wayOut: [] }])
  t.same(checkService(GOOD), [])
  const of = (tables: object, lastWords = '') =>
    checkService(host({ policies: { software: { tables: tables as { unknown: string }, lastWords } } }))
  t.match(of({ value: NO_TABLES }), [{ state: 'ok' }])
  t.match(of({ unknown: 'ECONNREFUSED' }, 'no memory'), [
    { state: 'problem', meaning: /does not run.*It said: no memory\./, wayOut: [/^ipsecconf -l/] },
  ])
  t.match(of({ unknown: 'not permitted (EACCES)' }), [{ isKnown: false }])
})

t.test('rules without SAs, and SAs without a rule', async (t) => {
  const rule = { index: 4, file: 'a.json', line: 3, text: '', entries: [] }
  const of = (supply: object) =>
    checkSupply(host({ supply: { value: { rules: 2, lacking: [], unclaimed: [], ...supply } } }))
  t.match(of({}), [{ state: 'ok' }])
  t.same(of({ rules: 0 }), [])
  t.match(of({ lacking: [{ ...rule, lacks: ['in'] }] }), [
    {
      state: 'warning',
      meaning: /^Rule 4 \(a\.json:3\) has no SA/,
      wayOut: [/status/, /explain/, /^load the keys/],
    },
  ])
  const many = Array.from({ length: 5 }, (_, i) => ({ ...rule, index: i }))
  t.match(of({ lacking: many }), [{ meaning: /^Rules 0 \(a\.json:3\), .* and 2 more have no SA/ }])
  t.match(of({ unclaimed: [associationWith()] }), [
    { state: 'ok' },
    { state: 'note', meaning: 'No rule asks for 1 SA that is there: 0x00001000.' },
  ])
  t.match(checkSupply(host({ supply: { unknown: 'not permitted (EPERM)' } })), [{ isKnown: false }])
})

t.test('policies and SAs of others', async (t) => {
  const of = (tables: object) =>
    checkTables(host({ policies: { kernel: { value: { ...NO_TABLES, ...tables } } } }))
  t.match(of({ ourPolicies: 12, ourStates: 1 }), [
    { state: 'ok', meaning: '12 policies and 1 SA are loaded.' },
    { state: 'ok', meaning: 'There are none in the kernel.' },
  ])
  t.match(bad(of({ otherPolicies: 1, otherStates: 2, socketPolicies: 3 })), [
    {
      state: 'note',
      meaning: /1 policy and 2 SAs/,
      wayOut: ['see whose they are: ip xfrm policy; ip xfrm state', /./],
    },
    { subject: 'of sockets', meaning: /^3 policies of single sockets/ },
  ])
})

t.test('default policy', async (t) => {
  const of = (defaults: Partial<Defaults>, ourPolicies = 0) =>
    checkDefaults(
      host({
        policies: {
          kernel: { value: { ...NO_TABLES, ourPolicies } },
          defaults: { value: { in: 'accept', fwd: 'accept', out: 'accept', ...defaults } },
        },
      }),
    )
  const way = ['ip xfrm policy setdefault in accept fwd accept out accept']
  t.match(of({ in: 'block', out: 'block' }), [
    { state: 'problem', meaning: /\(in, out\).*neighbour discovery/, wayOut: way },
  ])
  t.match(of({ in: 'block' }, 5), [
    { state: 'warning', meaning: /passes by policies of solipsec/, wayOut: way },
  ])
  t.match(of({ fwd: 'block' }), [{ state: 'note', meaning: /forwarded/ }])
  t.match(of({}), [{ state: 'ok' }])
})

t.test('listeners and losses', async (t) => {
  const of = (...list: { port: number; program?: string }[]) =>
    checkListeners(
      host({ sockets: { listeners: { value: list.map((one) => ({ ...one, family: 'IPv4' as const })) } } }),
    )
  t.match(of({ port: 4500, program: 'solipsec-encap (12)' }), [{ state: 'ok' }])
  t.match(of({ port: 4500, program: 'charon (7)' }, { port: 500, program: 'charon (7)' }), [
    {
      subject: 'UDP 500 and 4500',
      state: 'note',
      meaning: /^charon \(7\) has them.*ESP in UDP/,
      wayOut: [/systemctl/],
    },
  ])
  t.match(of({ port: 500 }), [{ meaning: /^a program that does not show itself has it/ }])
  const losses = { value: new Map([['XfrmInStateSeqError', 3]]) }
  t.match(bad(checkLosses(host({ policies: { losses } }))), [
    {
      subject: 'XfrmInStateSeqError',
      state: 'note',
      meaning: /^3 packets were outside of the replay window/,
    },
  ])
  const software = { tables: { unknown: 'it does not run' }, lastWords: '' }
  t.match(bad(checkLosses(host({ policies: { losses, software } }))), [
    { meaning: /, since the software data path took over\.$/ },
  ])
})

t.test('interfaces that are taken out of IPsec', async (t) => {
  t.same(bad(checkSwitches(GOOD)), [], 'loopback always is')
  const of = (settings: Record<string, number>) => bad(checkSwitches(hostWith(settings)))
  t.match(of({ 'ipv4/conf/eth0/disable_xfrm': 1 }), [
    {
      subject: 'net.ipv4.conf.eth0.disable_xfrm',
      state: 'problem',
      meaning: 'What leaves by it goes out in clear, whatever policy says.',
      wayOut: [
        'sysctl -w net.ipv4.conf.eth0.disable_xfrm=0',
        "to keep it: a line 'net.ipv4.conf.eth0.disable_xfrm = 0' in /etc/sysctl.d/60-solipsec.conf",
      ],
    },
  ])
  t.match(of({ 'ipv4/conf/eth0.5/disable_policy': 1 }), [
    {
      meaning: /accepted without protection/,
      wayOut: ['sysctl -w net/ipv4/conf/eth0.5/disable_policy=0', /./],
    },
  ])
  t.match(of({ 'ipv4/conf/all/disable_xfrm': 1, 'ipv6/conf/default/disable_policy': 1 }), [
    { state: 'problem', meaning: 'So it is for all: What leaves goes out in clear, whatever policy says.' },
    { state: 'warning', meaning: /^So it will be for interfaces that come/ },
  ])
  const routed = {
    value: [
      { name: 'lo', isLoopback: true },
      { name: 'vti0', isLoopback: false, tunnelKind: 'vti' },
    ],
  }
  t.same(bad(checkSwitches(hostWith({ 'ipv4/conf/vti0/disable_policy': 1 }, { interfaces: routed }))), [])
})

t.test('waiting for SAs', async (t) => {
  const of = (settings: Record<string, number>) => bad(checkAcquiring(hostWith(settings)))
  t.match(of({ 'core/xfrm_acq_expires': 0 }), [
    { state: 'warning', wayOut: ['sysctl -w net.core.xfrm_acq_expires=30', /./] },
  ])
  t.match(of({ 'core/xfrm_acq_expires': 3600 }), [{ state: 'note', meaning: /3600 seconds/ }])
  t.match(of({ 'core/xfrm_larval_drop': 0 }), [
    { state: 'note', wayOut: ['sysctl -w net.core.xfrm_larval_drop=1', /./] },
  ])
})

t.test('settings that bite tunnels', async (t) => {
  const tunnel = { name: 'ipip0', isLoopback: false, tunnelKind: 'ipip' }
  const interfaces = {
    value: [{ name: 'lo', isLoopback: true }, { name: 'eth0', isLoopback: false }, tunnel],
  }
  const of = (settings: Record<string, number>) =>
    bad(checkTunnelSettings(hostWith(settings, { interfaces })))
  const strict = { 'ipv4/conf/eth0/rp_filter': 1, 'ipv4/conf/lo/rp_filter': 1 }
  t.same(bad(checkTunnelSettings(hostWith(strict))), [], 'there are none')
  t.match(of({ ...strict, 'ipv4/conf/eth0/forwarding': 1 }), [
    {
      subject: 'net.ipv4.conf.eth0.rp_filter',
      state: 'warning',
      wayOut: ['sysctl -w net.ipv4.conf.eth0.rp_filter=2', /./],
    },
  ])
  t.match(
    of({ ...strict, 'ipv4/conf/all/rp_filter': 2 }),
    [{ subject: 'net.ipv4.ip_forward', state: 'note' }],
    'loose wins',
  )
  t.match(of({ 'ipv4/conf/all/rp_filter': 1 }), [
    { subject: 'net.ipv4.conf.all.rp_filter' },
    { state: 'note' },
  ])
  const inTunnelMode = host({ policies: { kernel: { value: { ...NO_TABLES, tunnelStates: 1 } } } })
  t.match(bad(checkTunnelSettings({ ...inTunnelMode, settings: hostWith(strict).settings }))[0], {
    state: 'warning',
  })
})

t.test('who accepts redirects: hosts by either setting, routers by both, IPv6 by its own', async (t) => {
  const policies = { kernel: { value: { ...NO_TABLES, ourPolicies: 1 } } }
  const of = (settings: Record<string, number>) =>
    bad(checkRedirects(hostWith(settings, { policies }))).map(({ subject }) => subject)
  const [all, own] = ['ipv4/conf/all/accept_redirects', 'ipv4/conf/eth0/accept_redirects']
  const [router, own6] = ['ipv4/conf/eth0/forwarding', 'ipv6/conf/eth0/accept_redirects']
  t.same(of({ [own]: 1 }), ['net.ipv4.conf.eth0.accept_redirects'])
  t.same(of({ [own]: 1, [router]: 1 }), [])
  t.equal(of({ [own]: 1, [all]: 1, [router]: 1 }).length, 2)
  t.same(of({ [own6]: 1 }), ['net.ipv6.conf.eth0.accept_redirects'])
  t.same(of({ [own6]: 1, 'ipv6/conf/eth0/forwarding': 1 }), [])
})

t.test('redirects, fragments, sizes, IPv6', async (t) => {
  const redirects = { 'ipv4/conf/all/accept_redirects': 1 }
  t.same(bad(checkRedirects(hostWith(redirects))), [], 'there is nothing to mislead')
  const policies = { kernel: { value: { ...NO_TABLES, ourPolicies: 1 } } }
  t.match(bad(checkRedirects(hostWith(redirects, { policies }))), [
    { state: 'note', wayOut: ['sysctl -w net.ipv4.conf.all.accept_redirects=0', /./] },
  ])
  t.match(
    bad(
      checkFragments(
        hostWith({ 'ipv4/ipfrag_high_thresh': 0, 'ipv6/ip6frag_high_thresh': 1000, 'ipv4/ipfrag_time': 0 }),
      ),
    ),
    [
      { state: 'problem', wayOut: ['sysctl -w net.ipv4.ipfrag_high_thresh=4194304', /./] },
      { state: 'warning', meaning: /^Only 1000 bytes/ },
      { subject: 'net.ipv4.ipfrag_time', state: 'warning' },
    ],
  )
  for (const [value, state] of [
    [1, 'note'],
    [2, 'warning'],
    [3, 'warning'],
    [9, 'warning'],
  ] as const)
    t.match(bad(checkPathMtu(hostWith({ 'ipv4/ip_no_pmtu_disc': value }))), [{ state }])
  t.match(bad(checkIpv6(hostWith({ 'ipv6/conf/eth0/disable_ipv6': 1 }))), [{ state: 'note' }])
  const old = hostWith({ 'ipv4/xfrm4_gc_thresh': 1024 }, { kernel: { release: '4.9.0' } })
  t.match(bad(checkCacheLimit(old)), [{ state: 'warning', meaning: /2048 destinations/ }])
  t.same(checkCacheLimit(hostWith({ 'ipv4/xfrm4_gc_thresh': 1024 })), [], 'later kernels have no such limit')
})
