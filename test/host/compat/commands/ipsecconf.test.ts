import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { run } from '../../../../compat/commands/ipsecconf.ts'
import { captureIo } from '../../../compat/commands/support/capture-io.ts'
import { indices, makePlace, RULES, stateFolder } from '../../../support/ipsecconf-place.ts'
import { skip } from '../../netlink/namespace.ts'

const ADVICE = /does not outlive a reboot/
const LATCHING = /^WARNING : New policy applies to established connections/

t.test('-a loads, -l lists in match order, no option shows what was written', { skip }, async (t) => {
  const place = makePlace(t)
  t.equal(await place.ok(''), '', 'nothing is loaded')
  t.equal(await place.ok('-l'), '')
  const said = await place.ok(`-a ${place.file('policy', RULES)}`)
  t.match(said, LATCHING)
  t.match(said, ADVICE)
  t.equal(
    await place.ok(''),
    [
      '#INDEX 2 ',
      '{laddr 192.0.2.1 raddr 198.51.100.0/24 ulp tcp rport 23} ipsec {encr_algs aes(256) encr_auth_algs sha256 sa shared}',
      '',
      '#INDEX 6 ',
      '{ulp tcp lport 22 dir both} bypass {}',
      '',
      '#INDEX 7 ',
      '{raddr 203.0.113.0/24 dir in} drop {}',
      '',
      '#INDEX 9 ',
      '{raddr 198.51.100.7}',
      '  ipsec {auth_algs sha256}',
      '',
      '',
    ].join('\n'),
  )
  const listing = await place.ok('-ln')
  t.equal(
    listing,
    [
      '#INDEX 3',
      '{ ulp 6 lport 22 dir out } pass { } ',
      '#INDEX 4',
      '{ ulp 6 lport 22 dir out } pass { } ',
      '#INDEX 5',
      '{ ulp 6 lport 22 dir in } pass { } ',
      '#INDEX 6',
      '{ ulp 6 lport 22 dir in } pass { } ',
      '#INDEX 1',
      '{ ulp 6 laddr 192.0.2.1/32 raddr 198.51.100.0/24 rport 23 dir out } ipsec { encr_algs aes-cbc(256) encr_auth_algs hmac-sha256(256..) sa shared } ',
      '#INDEX 2',
      '{ ulp 6 laddr 192.0.2.1/32 raddr 198.51.100.0/24 rport 23 dir in } ipsec { encr_algs aes-cbc(256) encr_auth_algs hmac-sha256(256..) sa shared } ',
      '#INDEX 8',
      '{ raddr 198.51.100.7/32 dir out } ipsec { auth_algs hmac-sha256(256..) sa shared } ',
      '#INDEX 9',
      '{ raddr 198.51.100.7/32 dir in } ipsec { auth_algs hmac-sha256(256..) sa shared } ',
      '#INDEX 7',
      '{ raddr 203.0.113.0/24 dir in } drop { } ',
      '',
    ].join('\n'),
    'bypass, ESP, AH, drop',
  )
  t.equal(await place.ok('-Ln'), listing, 'there are no tunnels')
  t.match(await place.ok('-l'), 'ulp tcp', 'names without -n')
  const entries = JSON.parse(await place.ok('-l --json')) as {
    index: number
    kernel: { priority: number }[]
  }[]
  t.same(
    entries.map(({ index }) => String(index)),
    indices(listing),
  )
  t.ok(entries.every(({ kernel }) => kernel.length > 0))
  t.match(JSON.parse(await place.ok('--json')), [
    { index: 2, line: 2 },
    { index: 6 },
    { index: 7 },
    { index: 9, line: 5 },
  ])
})

t.test('-a - reads standard input, -q says nothing', { skip }, async (t) => {
  const place = makePlace(t)
  t.equal(await place.ok('-q -a -', RULES), '')
  t.equal(indices(await place.ok('-l')).length, 9)
})

t.test('-d removes the rule of an index, -r those of a file, -f and -F all', { skip }, async (t) => {
  const place = makePlace(t)
  const policy = place.file('policy', RULES)
  await place.ok(`-qa ${policy}`)
  await place.ok('-q -d 0x8')
  t.notMatch(await place.ok(''), '{raddr 198.51.100.7}', 'all that was made from the rule is gone')
  t.notOk(indices(await place.ok('-l')).includes('9'))
  const missing = await place.command('-d 8')
  t.match(missing, {
    code: 1,
    err: 'ipsecconf: no rule has index 8; ipsecconf -L lists them\nFatal error - exiting.\n',
  })
  t.match(await place.command('-d tun9,1'), { code: 1, err: /no rule of tunnel tun9 has index 1/ })
  const some = place.file(
    'some',
    '{lport 22 ulp tcp dir both} pass {}\n{raddr 203.0.113.0/24 dir in} drop {}\n',
  )
  await place.ok(`-q -r ${some}`)
  t.same(indices(await place.ok('-l')), ['1', '2'])
  await place.ok(`-qa ${some}`)
  t.same(indices(await place.ok('-L')), ['10', '11', '12', '13', '1', '2', '14'], 'numbers only grow')
  t.match(await place.ok('-f'), ADVICE)
  t.same([await place.ok('-l'), await place.ok('')], ['', ''])
  t.same(place.policies(), { ours: [], foreign: [] })
  await place.ok(`-qa ${policy}`)
  await place.ok('-qF')
  t.same(place.policies(), { ours: [], foreign: [] })
})

t.test('-Fa and -fa replace: what stays is not touched', { skip }, async (t) => {
  const place = makePlace(t)
  await place.ok(`-qa ${place.file('old', RULES)}`)
  const before = place.policies().ours
  const text = RULES.replace('rport 23', 'rport 992')
  await place.ok(`-q -Fa ${place.file('new', text)}`)
  const after = place.policies().ours
  const names = (all: typeof before) => new Set(all.map(({ body }) => body.index))
  t.equal(
    before.filter(({ body }) => !names(after).has(body.index)).length,
    3,
    'one rule: out, in, and its refusal',
  )
  t.equal(after.filter(({ body }) => !names(before).has(body.index)).length, 3)
  const listed = await place.ok('-l')
  await place.ok(`-q -f -a ${place.file('same', text)}`)
  t.equal(await place.ok('-l'), listed)
  t.same(names(place.policies().ours), names(after))
  t.match(
    await place.ok(`-Fa ${place.file('same', text)} --dry-run`),
    /^0 to add, 0 to change, 0 to remove, \d+ untouched/,
  )
})

t.test('--dry-run shows the plan and does nothing', { skip }, async (t) => {
  const place = makePlace(t)
  const policy = place.file('policy', '{raddr 203.0.113.9 dir in} drop {}\n')
  const plan = await place.ok(`-a ${policy} --dry-run`)
  t.match(plan, /^\+ in 203\.0\.113\.9\/32 -> 0\.0\.0\.0\/0 priority 0x5[0-9a-f]{7} block$/m)
  t.match(plan, /\n\d+ to add, 0 to change, 0 to remove, 0 untouched; 0 changes to SAs\.\n$/)
  t.same(place.policies().ours, [])
  const { add } = JSON.parse(await place.ok(`-a ${policy} --dry-run --json`))
  t.ok(
    add.some(
      (one: { action: string; source: string }) => one.action === 'block' && one.source === '203.0.113.9/32',
    ),
  )
  await place.ok(`-qa ${policy}`)
  t.match(await place.ok('-F --dry-run'), /^- in 203\.0\.113\.9\/32/m)
  t.ok(place.policies().ours.length > 0)
})

t.test('a tunnel that is not there', { skip }, async (t) => {
  const place = makePlace(t)
  const policy = place.file(
    'policy',
    '{tunnel tun0 negotiate tunnel} ipsec {encr_algs aes encr_auth_algs sha256}\n',
  )
  t.match(await place.command(`-a ${policy}`), {
    code: 1,
    err: /policy:1: Cannot find tunnel interface tun0\.\nhelp: /,
  })
  t.same(place.policies().ours, [])
  t.equal(await place.ok('-l -i tun0'), '')
})

t.test(
  'errors: all of a file in one run, with place and caret, and nothing is loaded',
  { skip },
  async (t) => {
    const place = makePlace(t)
    const policy = place.file(
      'bad',
      '{lport 99999} bypass {}\n{raddr 192.0.2.1} ipsec {encr_algs aes encr_auth_algs sha256}\n{ulp nothing} drop {}\n',
    )
    for (const option of ['-a', '-c', '-Fa', '-r']) {
      const { code, out, err } = await place.command(`${option} ${policy}`)
      t.equal(code, 1, option)
      t.equal(out, '', option)
      t.match(err, /bad:1:8: error: Bad Source Port on line: 1\n/, option)
      t.match(err, /\n +1 \| \{lport 99999\} bypass \{\}\n +\| +\^~+\n/, option)
      t.match(err, /bad:3:6: error: /, option)
      t.match(err, /\nipsecconf: 2 policy rule\(s\) contained errors\.\nFatal error - exiting\.\n$/, option)
    }
    t.same(place.policies().ours, [])
    const { code, out } = await place.command(`-c ${policy} --json`)
    t.equal(code, 1)
    t.match(JSON.parse(out), { rules: 1, diagnostics: [{ span: { line: 1 } }, {}, { span: { line: 3 } }] })
    const missing = await place.command('-a /nonexistent/policy')
    t.match(missing, {
      code: 1,
      out: '',
      err: /^ipsecconf: \/nonexistent\/policy : Policy config file cannot be opened/,
    })
  },
)

t.test('files without rules', { skip }, async (t) => {
  const place = makePlace(t)
  const empty = place.file('empty', '# nothing\n\n')
  t.match(await place.command(`-a ${empty}`), {
    code: 0,
    out: 'Policy file does not contain any valid rules.\n',
  })
  await place.ok(`-qa ${place.file('policy', RULES)}`)
  await place.ok(`-q -Fa ${empty}`)
  t.same(place.policies().ours, [], 'to replace by nothing is to flush')
})

t.test('duplicates are left out with a message; contradictions are refused', { skip }, async (t) => {
  const place = makePlace(t)
  const policy = place.file('policy', RULES)
  await place.ok(`-qa ${policy}`)
  const listing = await place.ok('-l')
  const again = await place.command(`-a ${policy}`)
  t.equal(again.code, 0)
  t.match(again.err, 'Duplicate policy entry (ignored):\n{ulp tcp lport 22 dir both} bypass {}\n')
  t.equal(await place.ok('-l'), listing)
  t.equal((await place.command(`-qa ${policy}`)).err, '')
  const other = place.file('other', '{ulp tcp lport 22 dir both} drop {}\n')
  const refused = await place.command(`-a ${other}`)
  t.match(refused, {
    code: 1,
    err: /other:1: a loaded rule says otherwise about the same packets:\n {2}\{ulp tcp lport 22/,
  })
  t.equal(await place.ok('-l'), listing)
  const half = place.file(
    'half',
    '{ulp tcp lport 22 dir both} bypass {}\n{ulp tcp lport 23 dir both} bypass {}\n',
  )
  await place.ok(`-qa ${half}`)
  t.match(await place.ok(''), 'lport 23')
})

t.test('policies of others are never touched, and in the way they are named', { skip }, async (t) => {
  const place = makePlace(t)
  place.ip('xfrm policy add src 10.9.0.0/16 dst 10.8.0.0/16 dir out priority 5 action block')
  place.ip(
    'xfrm policy add src 10.8.0.0/16 dst 10.9.0.0/16 dir in priority 5 tmpl proto esp reqid 7 mode transport',
  )
  const { foreign } = place.policies()
  t.equal(foreign.length, 2)
  const policy = place.file('policy', RULES)
  for (const line of [`-qa ${policy}`, '-qf', `-q -Fa ${policy}`, '-q -d 12', '-qF']) {
    await place.ok(line)
    t.same(place.policies().foreign, foreign, line)
  }
  const clash = place.file(
    'clash',
    `${RULES}{laddr 10.9.0.0/16 raddr 10.8.0.0/16} ipsec {auth_algs sha256}\n`,
  )
  const refused = await place.command(`-a ${clash}`)
  t.equal(refused.code, 1)
  t.match(
    refused.err,
    /policies of another program have the same selectors.*\n {2}out 10\.9\.0\.0\/16 -> 10\.8\.0\.0\/16 .*block\n/,
  )
  t.same(place.policies(), { ours: [], foreign })
})

t.test('the record of the rules is lost: flush and replace work, edits are refused', { skip }, async (t) => {
  const place = makePlace(t)
  const policy = place.file('policy', RULES)
  const lose = (how: (path: string) => void) => how(join(stateFolder(place), 'policy.json'))
  await place.ok(`-qa ${policy}`)
  const { ours } = place.policies()
  for (const how of [rmSync, (path: string) => writeFileSync(path, '{"version":')] as const) {
    lose(how)
    for (const line of [`-a ${policy}`, `-r ${policy}`, '-d 1', '-f -i tun0', `-f -a ${policy}`]) {
      t.match(await place.command(line), { code: 1, err: /the record of the rules .* is lost/ }, line)
      t.same(place.policies().ours, ours, 'nothing loses its protection')
    }
    t.match(await place.command('-l'), { code: 0, out: '', err: /^WARNING: the record/ })
    await place.ok(`-q -Fa ${policy}`)
    t.equal(place.policies().ours.length, ours.length)
    t.equal(indices(await place.ok('-l')).length, 9)
  }
  lose(rmSync)
  await place.ok('-qf')
  t.same(place.policies().ours, [])
})

t.test('each namespace has a state of its own', { skip }, async (t) => {
  const [one, two] = [makePlace(t), makePlace(t)]
  await one.ok(`-qa ${one.file('policy', RULES)}`)
  t.same([await two.ok(''), two.policies().ours], ['', []])
  await two.ok('-qF')
  t.equal(indices(await one.ok('-l')).length, 9)
  const io = captureIo()
  t.equal(await run(['--netns', 'no-such-place', '-l'], io), 1)
  t.match(io.err(), /there is no network namespace 'no-such-place'/)
})

t.test('bad usage', { skip }, async (t) => {
  const place = makePlace(t)
  const rows: [string, RegExp][] = [
    ['-a x -c y', /Multiple commands specified/],
    ['-a x -a y', /Multiple commands specified/],
    ['-l -f', /Multiple commands specified/],
    ['-l -i a -i b', /Interface name already selected/],
    ['-L -i a', /interface name not required/],
    ['-i a', /Cannot view for one interface only/],
    ['-d zero', /Invalid index/],
    ['-d 0', /Invalid index/],
    ['-Z', /illegal option -- Z/],
    ['-l extra', /Bad usage/],
    ['-l --mark-mask x', /mark mask/],
  ]
  for (const [line, message] of rows) {
    const { code, out, err } = await place.command(line)
    t.equal(code, 1, line)
    t.equal(out, '', line)
    t.match(err, message, line)
  }
})

t.test('mark bits of the user, and of routing rules', { skip }, async (t) => {
  const place = makePlace(t)
  const policy = place.file(
    'policy',
    '{} ipsec {encr_algs aes encr_auth_algs sha256} or ipsec {auth_algs sha256}\n',
  )
  const masks = () => new Set(place.policies().ours.flatMap(({ attributes }) => attributes.mark?.m ?? []))
  const bits = () => [...masks()].reduce((all, mask) => (all | mask) >>> 0, 0)
  await place.ok(`-qa ${policy} --mark-mask 0xff00`)
  t.equal(bits() & ~0xff00, 0)
  t.not(bits(), 0)
  await place.ok('-qF')
  await place.ok(`-qa ${policy} --mark-mask none`)
  t.equal(bits(), 0)
  await place.ok('-qF')
  t.match(await place.command(`-a ${policy} --mark-mask 0x3`), { code: 1, err: /0x3 is no usable mark mask/ })
  place.ip('rule add fwmark 0x1000000/0xff000000 table main')
  const { code, err } = await place.command(`-a ${policy}`)
  t.equal(code, 0)
  t.match(err, /using 0xff0000 instead/)
  t.equal(bits() & ~0xff_0000, 0)
})
