/** What is said of the kernel, with the way to what it lacks. */
import t from 'tap'
import { checkAlgorithms } from '../../../../agent/doctor/checks/algorithms.ts'
import {
  checkFeatures,
  checkInterfaces,
  checkPfKey,
  checkProtocols,
  checkXfrm,
} from '../../../../agent/doctor/checks/kernel.ts'
import { wayToPart } from '../../../../agent/doctor/checks/modules.ts'
import { checkTunnels } from '../../../../agent/doctor/checks/tunnels.ts'
import { fails, untried } from '../../../../agent/doctor/known.ts'
import { AES, BARE, bad, bareKernel, FAMILY, GOOD, host, NO, YES } from '../hosts.ts'

t.test('the way to a part of the kernel', async (t) => {
  const esp = { module: 'esp4', option: 'INET_ESP' }
  const way = (options: 'y' | 'm' | 'n' | undefined, modules: readonly string[] | undefined) =>
    wayToPart(esp, {
      release: '6.1.0',
      architecture: 'x64',
      options: options ? { value: new Map([['INET_ESP', options]]) } : { unknown: 'no file' },
      modules: modules ? { value: new Set(modules) } : { unknown: 'no folder' },
    })
  t.match(way('m', ['esp4']), ['modprobe esp4', /grep -rw esp4 \/etc\/modprobe.d/], 'it lies ready')
  t.match(way(undefined, ['esp4']), ['modprobe esp4', /grep/])
  t.match(way('m', []), [/linux-modules-extra-6\.1\.0 \(Ubuntu\)/, /container: modprobe esp4 on the host/])
  t.match(way('m', undefined), [/install the modules of 6\.1\.0/, /container/])
  t.match(way('n', undefined), [/built with CONFIG_INET_ESP: this one was not/])
  t.match(way(undefined, undefined), [/modprobe esp4 \(CONFIG_INET_ESP\)/])
  t.same(way('y', undefined), [], 'it is built in: something else is wrong')
})

t.test('no XFRM', async (t) => {
  const { features: _, ...abilities } = GOOD.abilities
  const facts = { ...GOOD, abilities: { ...abilities, xfrm: fails('the kernel has no XFRM') } }
  t.match(bad(checkXfrm(facts)), [{ state: 'warning', meaning: /software data path takes its place/ }])
  const neither = { ...facts, software: { ...GOOD.software, hasNft: false } }
  t.match(bad(checkXfrm(neither)), [{ state: 'problem', wayOut: [/CONFIG_XFRM_USER/] }])
  t.same([checkProtocols(facts), checkFeatures(facts), checkInterfaces(facts)], [[], [], []])
  const blind = host({ abilities: { xfrm: untried('not permitted (EPERM)') } })
  t.match(checkXfrm(blind), [{ isKnown: false, meaning: 'Not looked at: not permitted (EPERM).' }])
})

t.test('tunnel interfaces that the kernel does not make', async (t) => {
  t.same(bad(checkTunnels(GOOD)), [])
  const facts = {
    ...GOOD,
    tunnels: { ...GOOD.tunnels, ip6gre: fails('EOPNOTSUPP'), gre: untried('not permitted') },
  }
  t.match(checkTunnels(facts).slice(2), [
    { subject: 'tunnel interfaces (gre)', isKnown: false },
    { state: 'note', meaning: /makes none \(EOPNOTSUPP\)/, wayOut: [/CONFIG_IPV6_GRE/] },
  ])
})

t.test('no ESP, no AH', async (t) => {
  t.match(bad(checkProtocols(bareKernel())), [
    { subject: 'ESP for IPv4', state: 'warning', meaning: /slower/, wayOut: ['modprobe esp4', /./] },
    { subject: 'AH for IPv4', wayOut: ['modprobe ah4', /./] },
    { subject: 'ESP for IPv6', wayOut: ['modprobe esp6', /./] },
    { subject: 'AH for IPv6', wayOut: ['modprobe ah6', /./] },
  ])
  const noTun = bareKernel({ software: { tun: fails('ENOENT') } })
  t.match(bad(checkProtocols(noTun))[0], { state: 'problem', meaning: /cannot take its place/ })
  const unsure = bareKernel({ software: { tun: untried('not permitted') } })
  t.match(bad(checkProtocols(unsure))[0], { state: 'warning', meaning: /whether it can is not known/ })
  const untold = checkFeatures(bareKernel())
  t.equal(untold.length, 6)
  t.ok(
    untold.every(({ isKnown }) => !isKnown),
    'nothing is claimed of what there was nothing to try with',
  )
})

t.test('ESP without one of its options, and a kernel of few words', async (t) => {
  const families = { IPv4: { ...FAMILY, esn: NO }, IPv6: { ...FAMILY, socketPolicy: NO } }
  const facts = host({ abilities: { features: { families, extack: NO } } })
  t.match(bad(checkFeatures(facts)), [
    {
      subject: 'ESN and window of 4096 (IPv4)',
      state: 'warning',
      meaning: /refuses it \(Requested type not found\): SAs with extended/,
      wayOut: [/--datapath software/],
    },
  ])
  t.match(bad(checkInterfaces(facts)), [
    { subject: 'words of errors', state: 'note', wayOut: ['boot Linux 6.1 or later'] },
    { subject: 'socket policy (IPv6)', state: 'note' },
  ])
})

t.test('PF_KEY', async (t) => {
  const facts = host({ sockets: { pfKey: fails('EAFNOSUPPORT') } })
  t.match(bad(checkPfKey(facts)), [{ state: 'note', meaning: /setkey, racoon/, wayOut: [/CONFIG_NET_KEY/] }])
})

t.test('algorithms: in the kernel, in software, nowhere', async (t) => {
  const lacking = { ...AES, name: 'camellia', kernelName: 'cbc(camellia)', kernel: fails('not found') }
  const twofish = { ...lacking, name: 'twofish', kernelName: 'cbc(twofish)', inSoftware: false }
  const { kernelName: _, ...unknown } = {
    ...twofish,
    name: 'rc5',
    kernel: fails('XFRM has no such algorithm'),
  }
  const algorithms = [AES, lacking, twofish, unknown]
  const facts = host({ abilities: { algorithms } })
  t.match(checkAlgorithms(facts), [
    { subject: 'aes-cbc (cbc(aes))', state: 'ok', meaning: 'The kernel has it.' },
    {
      state: 'note',
      meaning: /lacks it, the software data path has it/,
      wayOut: [/CRYPTO_CAMELLIA/, /--datapath/],
    },
    {
      state: 'warning',
      meaning: /lacks it, too: rules and keys that name it are refused/,
      wayOut: [/TWOFISH/],
    },
    { subject: 'rc5', state: 'warning' },
  ])
  t.match(checkAlgorithms(host({ abilities: { algorithms }, speed: { isFips: { value: true } } }))[1], {
    meaning: /maybe for FIPS mode/,
  })
  const bare = bareKernel({ abilities: { algorithms } })
  t.match(checkAlgorithms(bare), [
    {},
    { state: 'ok', meaning: /The software data path has it; the kernel has nothing/, wayOut: [] },
    { state: 'warning', meaning: /Neither/ },
    { state: 'warning' },
  ])
  const half = { IPv4: { ...BARE, ah: YES }, IPv6: BARE }
  const onlyAh = host({
    abilities: {
      features: { families: half, extack: YES },
      algorithms: [
        { ...lacking, kind: 'authentication' },
        { ...AES, kernel: fails('no ESP') },
      ],
    },
  })
  t.match(checkAlgorithms(onlyAh), [{ state: 'note' }, { state: 'ok' }])
})
