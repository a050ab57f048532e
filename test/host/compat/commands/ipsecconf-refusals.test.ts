/** What ipsecconf refuses, and what works all the same when something else is broken. */
import { mkdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import t from 'tap'
import { makePlace, stateFolder } from '../../../support/ipsecconf-place.ts'
import { skip } from '../../netlink/namespace.ts'

const RULE = '{laddr 192.0.2.1 raddr 198.51.100.7} ipsec {encr_algs aes encr_auth_algs sha256}\n'

t.test('-r of a rule that is not loaded removes nothing', { skip }, async (t) => {
  const place = makePlace(t)
  await place.ok('-qa -', `${RULE}{lport 22 ulp tcp dir both} bypass {}\n`)
  const before = place.policies().ours.length
  const refused = await place.command('-q -r -', `${RULE}{lport 23 ulp tcp dir both} bypass {}\n`)
  t.match(refused, { code: 1, err: /:2: this rule is not loaded/ })
  t.equal(place.policies().ours.length, before)
})

t.test('-f -i of a tunnel without rules is a mistake', { skip }, async (t) => {
  const place = makePlace(t)
  t.match(await place.command('-f -i nosuch'), { code: 1, err: /Cannot find tunnel interface nosuch/ })
})

t.test('a recovery that cannot succeed hinders neither a look nor a flush', { skip }, async (t) => {
  const place = makePlace(t)
  await place.ok('-qa -', '{raddr 10.5.0.0/16 dir both} drop {}\n')
  place.ip('xfrm policy delete src 0.0.0.0/0 dst 10.5.0.0/16 dir out')
  place.ip('xfrm policy add src 0.0.0.0/0 dst 10.5.0.0/16 dir out action block priority 7')
  writeFileSync(join(stateFolder(place), 'policy.pending'), 'the trace of a kill')
  t.match(await place.command('-l'), { code: 0, out: /drop/ })
  t.match(await place.command('-qa -', RULE), { code: 1, err: /another program have the same selectors/ })
  await place.ok('-qF')
  t.same(place.policies().ours, [])
  t.equal(place.policies().foreign.length, 1, 'what is not ours stays')
  await place.ok('-qa -', RULE)
})

t.test('a state folder that is not what it should be is not written to', { skip }, async (t) => {
  const place = makePlace(t)
  await place.ok('-l')
  const elsewhere = makePlace(t)
  mkdirSync(elsewhere.runDir, { recursive: true })
  await elsewhere.ok('-l')
  t.not(basename(stateFolder(place)), basename(stateFolder(elsewhere)), 'each namespace has its own')
  const trap = makePlace(t)
  mkdirSync(trap.runDir, { recursive: true })
  await trap.ok('-l')
  const folder = stateFolder(trap)
  renameSync(folder, `${folder}.moved`)
  symlinkSync(`${folder}.moved`, folder)
  t.match(await trap.command('-qa -', RULE), { code: 1, err: /belongs to the user of this command/ })
  t.same(trap.policies().ours, [])
})

t.test('a full or unusable runtime directory is named, with the reason', { skip }, async (t) => {
  const place = makePlace(t)
  writeFileSync(place.runDir, 'a file where a folder should be')
  const refused = await place.command('-qa -', RULE)
  t.equal(refused.code, 1)
  t.match(refused.err, place.runDir)
  t.notMatch(refused.err, /internal error/)
})

t.test('rules that nothing can come of are named', { skip }, async (t) => {
  const place = makePlace(t)
  const { code, err } = await place.command('-a -', '{ulp udp lport 500 dir in} drop {}\n')
  t.equal(code, 0)
  t.match(err, /UDP 500 and 4500 of this host always pass in clear/)
})
