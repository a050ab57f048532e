/**
 * The Debian package on a system that systemd has started: from the first packet to the purge. Runs in a machine of its own,
 * prepared by `services.prepare`.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import t from 'tap'
import { run as ipsecconf } from '../../../compat/commands/ipsecconf.ts'
import type { Run } from '../../../compat/commands/support/io.ts'
import { run as svcadm } from '../../../compat/commands/svcadm.ts'
import { run as svccfg } from '../../../compat/commands/svccfg.ts'
import { run as svcprop } from '../../../compat/commands/svcprop.ts'
import { run as svcs } from '../../../compat/commands/svcs.ts'
import { captureIo } from '../../compat/commands/support/capture-io.ts'

const skip = existsSync('/run/solipsec-boot-test') ? false : 'needs a machine of its own (test/vm/run --boot)'

const POLICY = '/etc/inet/ipsecinit.conf'
const AGENT_LOG = '/var/log/svc/network-ipsec-agent:default.log'
const GOOD = '{raddr 10.9.0.2} ipsec {encr_algs aes encr_auth_algs sha256 sa shared}\n'
const BAD = `${GOOD}{raddr 10.9.0.2} drop {\n`
const ROOT = { env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', HOME: '/root' }, encoding: 'utf8' } as const

// The tests of the kernel's data path say so for all that they start; services say it for themselves.
delete process.env.SOLIPSEC_DATAPATH

const HERE: Readonly<Record<string, Run>> = { ipsecconf, svcadm, svccfg, svcprop, svcs }

/** Runs a program; our own commands within this process, since each start of Node.js takes seconds here. */
async function command(line: string | readonly string[]) {
  const [name = '', ...argv] = typeof line === 'string' ? line.split(' ') : line
  const own = HERE[name]
  if (!own) return installed(name, ...argv)
  const io = captureIo()
  const status = await own(argv, io)
  return { status, stdout: io.out(), stderr: io.err() }
}

/** A program as it is installed. */
function installed(name: string, ...argv: string[]) {
  const { status, stdout, stderr } = spawnSync(name, argv, ROOT)
  return { status, stdout, stderr }
}

const state = async (name: string): Promise<string> =>
  (await command(`svcs -H -o state ${name}`)).stdout.trim()
const count = (name: 'clear' | 'protected'): number => {
  const text = execFileSync(
    'ip',
    ['netns', 'exec', 'peer', 'nft', 'list', 'counter', 'ip', 'wire', name],
    ROOT,
  )
  return Number(/packets (\d+)/.exec(text)?.[1])
}
const noStates = (): number =>
  Number(/^XfrmOutNoStates\s+(\d+)/m.exec(readFileSync('/proc/net/xfrm_stat', 'utf8'))?.[1])
const until = async (met: () => boolean): Promise<boolean> => {
  for (let turn = 0; turn < 300 && !met(); turn++) await new Promise((resolve) => setTimeout(resolve, 100))
  return met()
}
const monotonic = (unit: string, name: string): number =>
  Number(installed('systemctl', 'show', '--value', `--property=${name}`, unit).stdout)

t.test('a system with the package', { skip }, async (t) => {
  await t.test('as delivered, nothing leaves in clear from the first moment on', async (t) => {
    const { status, stdout } = installed('svcs', '-a', '-H', '-o', 'state,fmri', '-s', 'fmri')
    t.equal(status, 0)
    t.same(
      stdout
        .trim()
        .split('\n')
        .map((line) => line.split(/\s+/)),
      [
        ['disabled', 'svc:/network/ipsec/agent:default'],
        ['online', 'svc:/network/ipsec/ipsecalgs:default'],
        ['disabled', 'svc:/network/ipsec/manual-key:default'],
        ['online', 'svc:/network/ipsec/policy:default'],
      ],
    )
    const loaded = monotonic('solipsec-policy.service', 'ActiveEnterTimestampMonotonic')
    const wire = monotonic('wire.service', 'InactiveExitTimestampMonotonic')
    t.ok(loaded > 0 && loaded < wire, `policy at ${loaded} µs, network at ${wire} µs`)
    t.ok(await until(() => noStates() > 3), 'the program tries')
    t.equal(count('clear'), 0)
    t.equal(count('protected'), 0)
  })

  await t.test('the units are sound, and keep to what they need', async (t) => {
    const units = readdirSync('/lib/systemd/system').filter((name) => name.startsWith('solipsec-'))
    t.equal(units.length, 4)
    const verified = await command(`systemd-analyze verify ${units.join(' ')}`)
    t.equal(verified.status, 0)
    t.same(
      verified.stderr.split('\n').filter((line) => line.includes('solipsec-')),
      [],
    )
    const { status, stdout } = await command(
      `systemd-analyze security --threshold=30 --no-pager ${units.join(' ')}`,
    )
    t.equal(status, 0, stdout.trim().split('\n').slice(-units.length).join(', '))
  })

  await t.test('keys come with manual-key, and packets go', async (t) => {
    t.same(await command('svcadm enable ipsec/manual-key'), { status: 0, stdout: '', stderr: '' })
    t.equal(await state('manual-key'), 'online')
    t.ok(await until(() => count('protected') > 3))
    t.equal(count('clear'), 0)
  })

  await t.test('a bad file: the old policy stays, and svcs tells why', async (t) => {
    const before = (await command('ipsecconf')).stdout
    writeFileSync(POLICY, BAD)
    const refused = await command('svcadm refresh policy')
    t.equal(refused.status, 3)
    t.match(refused.stderr, `${POLICY}:2`)
    t.equal(await state('policy'), 'maintenance')
    const { stdout } = await command('svcs -x')
    t.match(
      stdout,
      'svc:/network/ipsec/policy:default (IPsec policy initialization)\n State: maintenance since ',
    )
    t.match(stdout, `Refresh method exited with $SMF_EXIT_ERR_FATAL`)
    t.match(stdout, `${POLICY}:2`)
    t.notMatch(stdout, 'manual-key')
    t.equal((await command('ipsecconf')).stdout, before)
    const log = (await command('svcs -L policy')).stdout.trim()
    t.equal(log, '/var/log/svc/network-ipsec-policy:default.log')
    t.match(readFileSync(log, 'utf8'), `${POLICY}:2`)

    // systemd's own restart takes nothing away either.
    t.not((await command('systemctl restart solipsec-policy')).status, 0)
    t.equal((await command('systemctl is-failed solipsec-policy')).stdout, 'failed\n')
    t.equal((await command('ipsecconf')).stdout, before)

    writeFileSync(POLICY, GOOD)
    t.same(await command('svcadm clear policy'), { status: 0, stdout: '', stderr: '' })
    t.equal(await state('policy'), 'online')
    t.equal((await command('svcs -x')).stdout, '')
    t.equal(count('clear'), 0)
  })

  await t.test('properties hold from the next refresh on', async (t) => {
    writeFileSync('/etc/inet/My Policy', `# mine\n${GOOD}{raddr 10.9.0.3} drop {}\n`)
    const line = 'setprop config/config_file = astring: "/etc/inet/My Policy"'
    t.equal((await command(['svccfg', '-s', 'ipsec/policy', line])).status, 0)
    const property = async (...argv: string[]) =>
      (await command(['svcprop', ...argv, '-p', 'config/config_file', 'ipsec/policy'])).stdout
    t.equal(await property(), `${POLICY}\n`)
    t.equal(await property('-c'), '/etc/inet/My\\ Policy\n')
    t.equal((await command('svcadm refresh policy')).status, 0)
    t.equal(await property(), '/etc/inet/My\\ Policy\n')
    t.match((await command('ipsecconf')).stdout, '10.9.0.3')
    t.equal(count('clear'), 0)
  })

  await t.test('the agent runs in its sandbox, and hears of its configuration', async (t) => {
    t.same(
      await command('svcadm enable agent'),
      { status: 0, stdout: '', stderr: '' },
      'without a configuration, too',
    )
    t.match((await command('svcs -p agent')).stdout, /^online .*\n +\S+ +\d+ node\n/m)
    t.match((await command('stat -Lc %G:%a /run/solipsec/control')).stdout, 'solipsec:660')
    writeFileSync('/etc/solipsec.json', '{"version": 1, "policies": [{"remote": "10.9.0.4"}]}\n')
    t.match(await command('svcadm refresh agent'), { status: 3, stderr: '/etc/solipsec.json:1' })
    t.equal((await command('systemctl is-active solipsec-agent')).stdout, 'active\n')
    writeFileSync('/etc/solipsec.json', '{"version": 1}\n')
    t.equal((await command('svcadm clear agent')).status, 0)
    const protect = { encryption: 'aes(256)', authentication: 'sha256' }
    const sockets = ['asks.service', 'bare.service'].map((service) => ({ service, protect }))
    writeFileSync('/etc/solipsec.json', JSON.stringify({ version: 1, sockets }))
    t.equal((await command('svcadm refresh agent')).status, 0)
    const asking = (unit: string) =>
      command([
        ...['systemd-run', '--quiet', '--wait', '--pipe', '--collect', '--uid=nobody', `--unit=${unit}`],
        ...['/usr/sbin/solipsec', 'listen', '--port', '7300', '--', '/bin/echo', 'listens'],
      ])
    t.match(await asking('asks'), { status: 0, stdout: 'listens\n' }, 'it sees which unit asks')
    t.match(await asking('stranger'), { status: 1, stderr: /ENODATA: .* for stranger\.service/ })
    const server = 'import socket, time; server = socket.create_server(("0.0.0.0", 7301)); time.sleep(9999)'
    installed('systemd-run', '--unit=bare', '/usr/bin/python3', '-c', server)
    const told = () => /bare\.service \(tcp 0\.0\.0\.0:7301\)/.test(readFileSync(AGENT_LOG, 'utf8'))
    // Where it was not there yet when the configuration was loaded, the next look is half a minute later.
    t.equal((await command('svcadm refresh agent')).status, 0)
    t.ok((await until(told)) || (await until(told)), 'and which units have sockets that nobody asked for')
    installed('systemctl', 'stop', 'bare')
    t.equal((await command('svcadm disable agent')).status, 0)
    t.equal(count('clear'), 0)
  })

  await t.test('the agent awaits names, and is ready all the same', async (t) => {
    const protect = { encryption: 'aes', authentication: 'sha256' }
    const policies = [
      { remote: '10.9.0.2', protect },
      { remote: '10.9.0.3', action: 'drop' },
      { remote: 'late.example', action: 'drop' },
    ]
    writeFileSync('/etc/solipsec.json', JSON.stringify({ version: 1, policies }))
    t.same(await command('svcadm enable agent'), { status: 0, stdout: '', stderr: '' })
    t.match(
      installed('systemctl', 'show', '--property=StatusText', 'solipsec-agent').stdout,
      'StatusText=No address is known for late.example.',
    )
    t.match((await command('ipsecconf')).stdout, '10.9.0.3', 'what is in force stays')
    appendFileSync('/etc/hosts', '10.9.0.5 late.example\n')
    // A reason to ask soon.
    installed('ip', 'address', 'add', '10.9.0.9/24', 'dev', 'wire0')
    const isLoaded = () =>
      /reloaded: The configuration/.test(readFileSync(AGENT_LOG, 'utf8').split('late.example').at(-1) ?? '')
    t.ok((await until(isLoaded)) || (await until(isLoaded)))
    t.match((await command('ipsecconf -l -n')).stdout, '10.9.0.5')
    t.equal((await command('svcadm disable agent')).status, 0)
    writeFileSync('/etc/solipsec.json', '{"version": 1}\n')
    t.equal((await command('svcadm refresh policy')).status, 0)
    t.equal(count('clear'), 0)
  })

  await t.test('keys that systemd keeps for the agent', async (t) => {
    const unit = '/run/systemd/system/solipsec-agent.service.d'
    mkdirSync(unit, { recursive: true })
    const keys = { cipher: randomBytes(16).toString('hex'), mac: randomBytes(32).toString('hex') }
    for (const [name, digits] of Object.entries(keys)) writeFileSync(`/root/${name}`, digits, { mode: 0o600 })
    const lines = Object.keys(keys).map((name) => `LoadCredential=${name}:/root/${name}\n`)
    writeFileSync(`${unit}/keys.conf`, `[Service]\n${lines.join('')}`)
    installed('systemctl', 'daemon-reload')
    const load = (spi: number) => {
      const association = {
        ...{ protocol: 'esp', spi, source: '10.9.0.1', destination: '10.9.0.2' },
        encryption: { algorithm: 'aes', key: { credential: 'cipher' } },
        authentication: { algorithm: 'sha256', key: { credential: 'mac' } },
      }
      writeFileSync('/etc/solipsec.json', JSON.stringify({ version: 1, associations: [association] }))
    }
    load(0x7001)
    t.same(await command('svcadm enable agent'), { status: 0, stdout: '', stderr: '' })
    const states = () => installed('ip', 'xfrm', 'state').stdout
    t.match(states(), new RegExp(`spi 0x00007001 [\\s\\S]*0x${keys.mac}[\\s\\S]*0x${keys.cipher}`))
    const before = count('protected')
    t.ok(await until(() => count('protected') > before + 3), 'packets go by it')
    load(0x7002)
    const refreshed = await command('svcadm refresh agent')
    t.equal(refreshed.status, 0, refreshed.stderr)
    t.ok(await until(() => states().includes('0x00007002') && !states().includes('0x00007001')))
    t.notMatch(readFileSync(AGENT_LOG, 'utf8'), new RegExp(`${keys.cipher}|${keys.mac}`))
    t.equal((await command('svcadm disable agent')).status, 0)
    rmSync(unit, { recursive: true })
    writeFileSync('/etc/solipsec.json', '{"version": 1}\n')
    installed('systemctl', 'daemon-reload')
    t.equal(count('clear'), 0)
  })

  await t.test('disabled, the flow is in clear: it was policy that kept it', async (t) => {
    t.equal((await command('svcadm disable -t policy')).status, 0)
    t.equal((await command('ipsecconf')).stdout, '')
    t.match((await command('svcs -l policy')).stdout, /enabled +false \(temporary\)\nstate +disabled\n/)
    t.equal((await command('systemctl is-enabled solipsec-policy')).stdout, 'enabled\n')
    t.ok(await until(() => count('clear') > 0))
  })

  await t.test('where nothing is loaded, the last good policy takes the place of a bad one', async (t) => {
    writeFileSync('/etc/inet/My Policy', BAD)
    t.equal((await command('svcadm enable policy')).status, 3)
    t.equal(await state('policy'), 'maintenance')
    t.match((await command('ipsecconf')).stdout, '10.9.0.3')
    const before = count('clear')
    await new Promise((resolve) => setTimeout(resolve, 500))
    t.equal(count('clear'), before)
    t.equal((await command('svcadm disable policy manual-key')).status, 0)
    t.equal((await command('ipsecconf')).stdout, '', 'what a failed service left is taken away')
    t.match((await command('svcs -H -o sta policy manual-key')).stdout, /^DIS\nDIS\n$/)
  })

  await t.test('the software data path works in the sandbox', async (t) => {
    writeFileSync('/etc/inet/My Policy', GOOD)
    for (const name of ['policy', 'manual-key']) {
      t.equal((await command(`svccfg -s ${name} setprop config/data_path = software`)).status, 0)
    }
    t.same((await command('svcadm refresh policy manual-key')).stderr, '')
    t.same((await command('svcadm enable policy manual-key')).stderr, '')
    t.match((await command('ipsecconf -l')).stdout, /^#DATAPATH software/)
    t.match((await command('svcs -p policy')).stdout, 'solipsec-path')
    const before = count('protected')
    t.ok(await until(() => count('protected') > before + 3), 'packets go')
  })

  await t.test('purged, nothing is left', async (t) => {
    const purged = spawnSync('dpkg', ['--purge', 'solipsec'], ROOT)
    t.equal(purged.status, 0, purged.stderr)
    for (const path of ['/etc/solipsec', '/var/log/svc', '/var/lib/solipsec', '/usr/lib/solipsec']) {
      t.notOk(existsSync(path), path)
    }
    t.ok(existsSync(POLICY), "the administrator's own")
    t.equal(
      (await command('systemctl list-unit-files solipsec-*')).stdout.trim().split('\n').at(-1),
      '0 unit files listed.',
    )
    t.equal((await command('ip xfrm policy')).stdout, '')
    t.not((await command('getent group solipsec')).status, 0)
  })
})
