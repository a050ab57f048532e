/** svcs, svcadm, svccfg and svcprop on a system of paper. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import type { ServiceRun } from '../../../../compat/commands/services/frame.ts'
import { SystemdError } from '../../../../compat/commands/services/systemd.ts'
import { run as svcadm } from '../../../../compat/commands/svcadm.ts'
import { run as svccfg } from '../../../../compat/commands/svccfg.ts'
import { run as svcprop } from '../../../../compat/commands/svcprop.ts'
import { run as svcs } from '../../../../compat/commands/svcs.ts'
import { captureIo } from '../support/capture-io.ts'
import { type FakeWorld, fakeWorld } from './fake-world.ts'

const COMMANDS: Readonly<Record<string, ServiceRun>> = { svcadm, svccfg, svcprop, svcs }

function shell(t: Test) {
  const world = fakeWorld(t)
  const run = async (line: string | string[], stdin = '') => {
    const [name = '', ...argv] = typeof line === 'string' ? line.split(' ') : line
    const io = captureIo({ stdin })
    const code = await COMMANDS[name]?.(argv, io, world)
    return { code, out: io.out(), err: io.err() }
  }
  return { world, run }
}

const POLICY = 'solipsec-policy.service'
const FMRI = 'svc:/network/ipsec/policy:default'

function fail(world: FakeWorld): void {
  world.failing = '/etc/inet/ipsecinit.conf:3:1: error: Unexpected character'
}

t.test('svcs: lists', async (t) => {
  const { world, run } = shell(t)
  t.same(await run('svcs'), {
    code: 0,
    out: `STATE          STIME    FMRI
online         10:00:00 svc:/network/ipsec/ipsecalgs:default
online         10:00:00 ${FMRI}
`,
    err: '',
  })
  t.match(
    (await run('svcs -a -H -o sta,svc -S svc')).out,
    'ON   network/ipsec/policy\nDIS  network/ipsec/manual-key\n',
  )
  t.equal(
    (await run('svcs -H -o state,inst,desc policy')).out,
    'online         default              IPsec policy initialization\n',
  )
  t.equal(
    (await run('svcs -Hp policy')).out,
    `online         10:00:00 ${FMRI}\n               11:00:00       77 solipsec-path\n`,
  )
  t.equal(
    (await run('svcs -H -d policy')).out,
    'online         10:00:00 svc:/network/ipsec/ipsecalgs:default\n',
  )
  t.equal((await run('svcs -H -o fmri -D manual-key')).out, 'svc:/network/ipsec/agent:default\n')
  t.equal((await run('svcs -L policy')).out, `${world.places.log}/network-ipsec-policy:default.log\n`)
  const unit = world.units.get(POLICY)
  if (unit) unit.job = '9'
  t.equal((await run('svcs -H -o state,nstate policy')).out, 'online*        online\n')
})

t.test('svcs: one in full, and what is wrong', async (t) => {
  const { world, run } = shell(t)
  t.equal(
    (await run('svcs -l policy')).out,
    `fmri         ${FMRI}
name         IPsec policy initialization
enabled      true
state        online
next_state   none
state_time   Sat Nov 21 10:00:00 2026
logfile      ${world.places.log}/network-ipsec-policy:default.log
restarter    systemd (solipsec-policy.service)
dependency   optional_all/none svc:/network/ipsec/ipsecalgs:default (online)
`,
  )
  t.same(await run('svcs -x'), { code: 0, out: '', err: '' })
  fail(world)
  await run('svcadm refresh policy')
  t.equal(
    (await run('svcs -x')).out,
    `${FMRI} (IPsec policy initialization)
 State: maintenance since Sat Nov 21 11:59:00 2026
Reason: Refresh method exited with $SMF_EXIT_ERR_FATAL.
        /etc/inet/ipsecinit.conf:3:1: error: Unexpected character
   See: man -s 8 ipsecconf
   See: ${world.places.log}/network-ipsec-policy:default.log
   See: journalctl -u solipsec-policy.service
Impact: The policy that was loaded before stays in force.
Action: Mend what is wrong, then: svcadm clear policy
`,
  )
  const [json] = JSON.parse((await run('svcs -x --json')).out)
  t.match(json, { fmri: FMRI, state: 'maintenance', reason: { cause: 'refresh', status: 95 } })
})

t.test('services of others, and words that nothing fits', async (t) => {
  const { run } = shell(t)
  const { code, out, err } = await run('svcs policy ssh')
  t.equal(code, 1)
  t.match(out, FMRI, 'what is there is shown')
  t.match(err, "svcs: Pattern 'ssh' doesn't match any instances\n")
  t.match(err, 'systemctl status ssh')
  t.match(await run('svcadm restart svc:/network/ssh:default'), {
    code: 1,
    err: /use systemctl\(1\), such as 'systemctl status ssh'/,
  })
  t.match(await run(['svcadm', 'enable', '; rm -rf /']), { code: 1, err: /Pattern '; rm -rf \/' doesn't/ })
  t.match(await run(['svcadm', 'enable', '\x1b[31m']), { err: /Pattern "\\u001b\[31m"/ })
  t.match(await run('svcadm enable default'), { code: 1, err: /matches multiple instances:\n\tsvc:/ })
  t.match(await run('svcadm enable solipsec-policy.service'), { code: 1 })
})

t.test('bad usage is 2', async (t) => {
  const { run } = shell(t)
  for (const line of [
    'svcs -Z',
    'svcs -l',
    'svcs -l -x policy',
    'svcs -o nothing',
    'svcs -o constructor',
    'svcadm',
    'svcadm enable',
    'svcadm frobnicate policy',
    'svcadm milestone all',
    'svcadm enable -Z policy',
    'svcadm mark broken policy',
    'svcprop',
    'svcprop -s old policy',
    'svccfg -f a list',
  ]) {
    t.match(await run(line), { code: 2, err: /Usage:/ }, line)
  }
  for (const name of Object.keys(COMMANDS)) t.match(await run(`${name} --help`), { code: 0, out: /^Usage:/ })
  t.match(await run('svcadm enable --help'), { code: 0, out: /^Usage:/ })
})

t.test('svcadm: enable and disable', async (t) => {
  const { world, run } = shell(t)
  t.same(await run('svcadm -v enable manual-key'), {
    code: 0,
    out: 'svc:/network/ipsec/manual-key:default enabled.\n',
    err: '',
  })
  t.same(world.calls, ['enable solipsec-manual-key.service', 'start solipsec-manual-key.service'])
  t.equal((await run('svcadm disable -t manual-key')).code, 0)
  t.match((await run('svcs -l manual-key')).out, 'enabled      false (temporary)')
  t.equal((await run('svcadm enable -t manual-key')).code, 0)
  t.equal((await run('svcadm disable -s manual-key')).code, 0)
  t.match((await run('svcs -l manual-key')).out, 'enabled      false\nstate        disabled')
  world.calls.length = 0
  await run('svcadm enable -r agent')
  t.same(
    world.calls.filter((call) => call.startsWith('start')),
    ['start solipsec-manual-key.service', 'start solipsec-agent.service'],
  )
  world.calls.length = 0
  await run('svcadm disable ipsec/*')
  t.equal(world.calls.length, 8)
})

t.test('svcadm: while the system starts, nobody waits', async (t) => {
  const { world, run } = shell(t)
  world.running = 'starting'
  await run('svcadm enable manual-key')
  t.same(world.calls.at(-1), '--no-block start solipsec-manual-key.service')
})

t.test('svcadm: maintenance and back', async (t) => {
  const { world, run } = shell(t)
  fail(world)
  t.match(await run('svcadm refresh policy'), { code: 3, err: /ipsecinit.conf:3:1/ })
  t.equal(world.units.get(POLICY)?.active, 'active', 'systemd does not know')
  for (const verb of ['refresh', 'restart', 'enable'])
    t.match(await run(`svcadm ${verb} policy`), { code: 3 }, verb)
  t.match(await run('svcadm clear policy'), { code: 3 }, 'not mended')
  world.failing = undefined
  t.same(await run('svcadm clear policy'), { code: 0, out: '', err: '' })
  t.equal((await run('svcs -H -o state policy')).out, 'online\n')
  t.match(await run('svcadm clear policy'), { code: 1, err: /is not in a maintenance or degraded state/ })

  fail(world)
  t.match(await run('svcadm restart policy'), { code: 3 })
  t.equal(world.units.get(POLICY)?.active, 'failed')
  world.calls.length = 0
  t.equal((await run('svcadm disable policy')).code, 0)
  t.same(
    world.calls,
    [`disable ${POLICY}`, `reset-failed ${POLICY}`, 'stop method of policy'],
    'what was loaded goes',
  )
  t.equal((await run('svcs -H -o state policy')).out, 'disabled\n')

  t.equal((await run('svcadm mark maintenance ipsecalgs')).code, 0)
  t.match((await run('svcs -x ipsecalgs')).out, 'Maintenance requested by an administrator.')
  t.equal((await run('svcadm clear ipsecalgs')).code, 3, 'tried, and failed')
  world.failing = undefined
  t.equal((await run('svcadm clear ipsecalgs')).code, 0)
  t.equal((await run('svcadm mark degraded ipsecalgs')).code, 0)
  t.equal((await run('svcs -H -o state ipsecalgs')).out, 'degraded\n')
  t.equal((await run('svcadm clear ipsecalgs')).code, 0)
  t.match(await run('svcadm mark degraded manual-key'), { code: 1 })
})

t.test('svcadm: one that fails does not keep the others from their turn', async (t) => {
  const { world, run } = shell(t)
  t.equal((await run('svcadm refresh ssh ipsecalgs policy')).code, 1)
  t.same(world.calls, ['reload solipsec-ipsecalgs.service', `reload ${POLICY}`])
})

t.test('only root changes anything', async (t) => {
  const { world, run } = shell(t)
  world.isRoot = false
  t.match(await run('svcadm refresh policy'), { code: 1, err: `svcadm: ${FMRI}: Permission denied.\n` })
  t.match(await run('svccfg -s policy setprop config/config_file = /x'), {
    code: 1,
    err: 'svccfg: Permission denied.\n',
  })
  t.match(await run('svccfg -s policy refresh'), { code: 1 })
  t.same(world.calls, [])
  t.equal((await run('svcs')).code, 0)
  t.equal((await run('svcprop policy')).code, 0)
})

t.test('units that are not installed, or masked', async (t) => {
  const { world, run } = shell(t)
  world.units.set(POLICY, { load: 'not-found', active: 'inactive', file: '', job: '' })
  t.match(await run('svcadm enable policy'), { code: 1, err: /solipsec-policy.service is not-found\nhelp: / })
  t.equal((await run('svcs -H -o state policy')).out, 'uninitialized\n')
  world.units.set(POLICY, { load: 'masked', active: 'inactive', file: 'masked', job: '' })
  t.match(await run('svcadm enable policy'), { code: 1, err: /unmask/ })
})

t.test('without systemd', async (t) => {
  const world: FakeWorld = {
    ...fakeWorld(t),
    systemctl: () => {
      throw new SystemdError('systemd does not run here')
    },
  }
  for (const line of ['svcs', 'svcadm enable policy', 'svcprop policy']) {
    const [name = '', ...argv] = line.split(' ')
    const io = captureIo()
    t.equal(await COMMANDS[name]?.(argv, io, world), 1)
    t.equal(io.err(), `${name}: systemd does not run here\n`)
  }
  const io = captureIo()
  t.equal(await svcprop(['-p', 'config/config_file', 'policy'], io, world), 0, 'properties are files')
  t.equal(io.out(), '/etc/inet/ipsecinit.conf\n')
})

t.test('properties hold from the next refresh on', async (t) => {
  const { world, run } = shell(t)
  const property = async (option = '-t') =>
    (await run(`svcprop ${option} -p config/config_file ipsec/policy`)).out
  t.same(await run('svccfg -s ipsec/policy setprop config/config_file = /etc/inet/mine'), {
    code: 0,
    out: '',
    err: '',
  })
  t.equal(await property(), 'config/config_file astring /etc/inet/ipsecinit.conf\n')
  t.equal(await property('-c'), '/etc/inet/mine\n')
  t.notOk(existsSync(join(world.places.configuration, 'policy.env')))
  t.equal((await run('svcadm refresh policy')).code, 0)
  t.equal(await property(), 'config/config_file astring /etc/inet/mine\n')
  t.match(
    readFileSync(join(world.places.configuration, 'policy.env'), 'utf8'),
    /^CONFIG_FILE="\/etc\/inet\/mine"$/m,
  )
  t.equal((await run('svccfg -s policy delprop config/config_file')).code, 0)
  t.equal(await property('-C'), '/etc/inet/ipsecinit.conf\n', 'as delivered')
  t.equal((await run('svccfg -s policy revert')).code, 0)
  t.equal(await property('-c'), '/etc/inet/mine\n')
  t.equal((await run('svccfg -s policy delpg config')).code, 0)
  t.equal((await run('svcadm refresh policy')).code, 0)
  t.match(
    readFileSync(join(world.places.configuration, 'policy.env'), 'utf8'),
    /^CONFIG_FILE="\/etc\/inet\/ipsecinit.conf"$/m,
  )
})

t.test('svccfg: a script', async (t) => {
  const { run } = shell(t)
  const script = `
# comment
select ipsec/policy
addpg site application
setprop site/owners = astring: ("ops team" alice)
addpropvalue site/owners bob
setprop site/tickets = count: 7
delpropvalue site/owners a*
listprop site*
listpg
unselect
list
end
nonsense`
  t.same(await run('svccfg', script), {
    code: 0,
    out: `site          application
site/owners   astring      "ops team" bob
site/tickets  count        7
config  application
site    application
network/ipsec/ipsecalgs
network/ipsec/policy
network/ipsec/manual-key
network/ipsec/agent
`,
    err: '',
  })
  await run('svcadm refresh policy')
  t.equal(
    (await run('svcprop -p site policy')).out,
    'site/owners astring ops\\ team bob\nsite/tickets count 7\n',
  )
})

t.test('svccfg: what is refused', async (t) => {
  const { run } = shell(t)
  const cases: [string, RegExp][] = [
    ['setprop config/config_file = relative', /expected an absolute path/],
    ['setprop config/config_file = (/a /b)', /exactly one value/],
    ['setprop config/config_file = count: 3', /is of type astring/],
    ['addpropvalue config/config_file /b', /exactly one value/],
    ['setprop config/data_path = fast', /expected one of auto, kernel, software/],
    ['setprop nothing/x = astring: y', /No such property group 'nothing'/],
    ['setprop config/new = y', /Type required/],
    ['setprop config/new = count: y', /Invalid count value/],
    ['setprop general/enabled = true', /svcadm enable/],
    ['setprop restarter/state = astring: online', /cannot be changed here/],
    ['addpg start method', /cannot be changed here/],
    ['addpg config application', /is there already/],
    ['delprop config/nothing', /No such property/],
    ['delpg nothing', /No such property group/],
    ['import /x.xml', /the package installs the units/],
    ['nonsense', /Unknown subcommand 'nonsense'/],
    ['constructor', /Unknown subcommand/],
    ['setprop config/config_file "', /quotation mark/],
  ]
  for (const [line, expected] of cases) {
    const { code, err } = await run(['svccfg', '-s', 'policy', line])
    t.equal(code, 1, line)
    t.match(err, expected)
  }
  t.match(await run('svccfg listprop'), { code: 1, err: /must be selected/ })
  t.match(await run('svccfg', 'select policy\nlistpg\nbad\nlistpg\n'), {
    code: 1,
    out: 'config  application\n',
    err: /^svccfg \(<standard input>, line 3\): Unknown subcommand 'bad'/,
  })
})

t.test('svcprop: forms', async (t) => {
  const { world, run } = shell(t)
  const all = (await run('svcprop policy')).out
  for (const line of [
    'general/enabled boolean true',
    'restarter/state astring online',
    'start/exec astring ipsecconf\\ -q\\ -Fa',
    `restarter/unit astring ${POLICY}`,
  ]) {
    t.match(all, line)
  }
  t.equal((await run(`svcprop ${FMRI}/:properties/config/config_file`)).out, '/etc/inet/ipsecinit.conf\n')
  t.equal(
    (await run('svcprop -f -p config/data_path policy')).out,
    `${FMRI}/:properties/config/data_path astring auto\n`,
  )
  t.match(
    (await run('svcprop -p config/config_file policy manual-key')).out,
    `${FMRI}/:properties/config/config_file astring /etc/inet/ipsecinit.conf\n`,
  )
  t.match(await run('svcprop -p config/nothing policy'), {
    code: 1,
    err: `svcprop: Couldn't find property 'config/nothing' for instance '${FMRI}'.\n`,
  })
  t.same(await run('svcprop -q -p nothing policy'), { code: 1, out: '', err: '' })
  t.same(await run('svcprop -q -p config policy'), { code: 0, out: '', err: '' })
  await run('svcadm disable -t policy')
  t.equal((await run('svcprop -p general/enabled policy')).out, 'true\n')
  t.equal((await run('svcprop -p general_ovr/enabled policy')).out, 'false\n')
  mkdirSync(world.places.configuration, { recursive: true })
  writeFileSync(join(world.places.configuration, 'policy.json'), '{')
  t.match(await run('svcprop policy'), { code: 1, err: /policy.json is damaged/ })
})
