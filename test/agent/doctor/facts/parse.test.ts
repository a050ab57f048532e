/** Files of the kernel, read. */
import t from 'tap'
import { parseMemory } from '../../../../agent/doctor/facts/files.ts'
import { parseModules, parseOptions } from '../../../../agent/doctor/facts/kernel.ts'
import { parseLockdown } from '../../../../agent/doctor/facts/privileges.ts'
import { parseUdp } from '../../../../agent/doctor/facts/sockets.ts'
import { parseAesInstructions, parseDrivers } from '../../../../agent/doctor/facts/speed.ts'
import { parseLosses } from '../../../../agent/doctor/facts/tables.ts'
import { look } from '../../../../agent/doctor/known.ts'

t.test('options and modules', async (t) => {
  const text = 'CONFIG_XFRM=y\n# CONFIG_INET_ESP is not set\nCONFIG_INET_AH=m\nCONFIG_HZ=250\n'
  t.same(
    [...parseOptions(text)],
    [
      ['XFRM', 'y'],
      ['INET_AH', 'm'],
    ],
  )
  const dep =
    'kernel/net/ipv4/esp4.ko.xz: kernel/net/xfrm/xfrm_algo.ko.xz\nkernel/crypto/des_generic.ko:\nextra/a-b.ko.zst: \n'
  t.same([...parseModules(dep)], ['esp4', 'des_generic', 'a_b'])
})

t.test('memory', async (t) => {
  t.same(parseMemory('MemTotal: 9 kB\nMemAvailable:      4 kB\n'), { value: 4096 })
  t.match(parseMemory('MemTotal: 9 kB\n'), { unknown: /does not say/ })
})

t.test('lockdown', async (t) => {
  t.same(
    [
      '[none] integrity confidentiality',
      'none [integrity] confidentiality',
      'none integrity [confidentiality]',
    ].map(parseLockdown),
    ['none', 'integrity', 'confidentiality'],
  )
})

t.test('processor and drivers', async (t) => {
  t.ok(parseAesInstructions('processor\t: 0\nflags\t\t: fpu sse2 aes xsave\n'))
  t.ok(parseAesInstructions('Features\t: fp asimd aes pmull\n'))
  t.notOk(parseAesInstructions('flags\t\t: fpu vaesx\n'))
  const entry = (name: string, driver: string, internal: string) =>
    `name         : ${name}\ndriver       : ${driver}\npriority     : 400\ninternal     : ${internal}\ntype         : skcipher\n`
  t.same(
    parseDrivers(`${entry('cbc(aes)', 'cbc-aes-aesni', 'no')}\n${entry('cbc(aes)', '__cbc', 'yes')}\n\n`),
    [{ name: 'cbc(aes)', driver: 'cbc-aes-aesni', priority: 400 }],
  )
})

t.test('sockets and counters', async (t) => {
  const head =
    '   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops\n'
  const line =
    '  451: 00000000:1194 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 12345 2 0000000000000000 0\n'
  t.same(parseUdp(head + line), [{ port: 4500, inode: '12345' }])
  t.same(parseUdp(''), [])
  t.same(
    [...parseLosses('XfrmInError             \t0\nXfrmInNoPols            \t7\n')],
    [['XfrmInNoPols', 7]],
  )
})

t.test('only the system may refuse', async (t) => {
  const refusal = Object.assign(new Error('open'), { code: 'EACCES' })
  t.same(
    look(() => {
      throw refusal
    }),
    { unknown: 'not permitted (EACCES)' },
  )
  t.throws(
    () =>
      look(() => {
        throw new TypeError('ours')
      }),
    /ours/,
  )
})
