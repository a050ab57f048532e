/** `packaging/install-units`, with a folder of units that this test alone sees and commands that write down their calls. */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { temporaryFolder } from '../../compat/commands/support/temporary.ts'
import { root } from '../../support/tiers.ts'

const skip = existsSync('/etc/systemd/system') ? false : 'systemd is not installed'

t.test('installs units with the paths of this checkout, and takes them away', { skip }, async (t) => {
  const folder = temporaryFolder(t)
  const calls = join(folder, 'calls')
  mkdirSync(join(folder, 'bin'))
  writeFileSync(join(folder, 'bin/systemctl'), `#!/bin/sh\necho "$@" >>${calls}\n`, { mode: 0o755 })
  writeFileSync(join(folder, 'bin/getent'), '#!/bin/sh\nexit 2\n', { mode: 0o755 })
  writeFileSync(join(folder, 'bin/groupadd'), `#!/bin/sh\necho groupadd "$@" >>${calls}\n`, { mode: 0o755 })
  const script = `
    mount -t tmpfs tmpfs /etc/systemd/system && mount -t tmpfs tmpfs /var/log || exit
    "$1" && ls /etc/systemd/system && cat /etc/systemd/system/solipsec-policy.service && "$1" --remove && ls /etc/systemd/system`
  const { status, stdout, stderr } = spawnSync(
    'unshare',
    ['--mount', 'bash', '-c', script, 'bash', join(root, 'packaging/install-units')],
    { encoding: 'utf8', env: { PATH: `${join(folder, 'bin')}:${process.env.PATH}` } },
  )
  t.equal(status, 0, stderr)
  t.match(
    stdout,
    'solipsec-agent.service\nsolipsec-ipsecalgs.service\nsolipsec-manual-key.service\nsolipsec-policy.service\n',
  )
  t.match(stdout, `ExecStart=${join(root, 'bin/svc-method')} policy start\n`)
  t.ok(stdout.trimEnd().endsWith('WantedBy=sysinit.target'), 'nothing is left')
  t.same(readFileSync(calls, 'utf8').trim().split('\n'), [
    'groupadd --system solipsec',
    'daemon-reload',
    'enable solipsec-ipsecalgs.service solipsec-policy.service',
    '--quiet disable solipsec-ipsecalgs.service solipsec-policy.service solipsec-manual-key.service solipsec-agent.service',
    'daemon-reload',
  ])
})
