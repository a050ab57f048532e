/**
 * strongSwan's own daemon in a namespace, with files of its own, for one configuration: what it says of it, and which
 * policies it makes.
 *
 * @module
 */
import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { lacking } from './install.ts'

/**
 * Why strongSwan cannot be asked; `undefined` where it can. It is installed if that can be done.
 *
 * @throws Error where all tests are expected to run
 */
export function lackingStrongSwan(): string | undefined {
  const reason = lacking('need_strongswan')
  if (reason !== undefined && process.env.CI === 'true') throw new Error(reason)
  return reason
}

const CONFIG = `charon-systemd {
  load = random nonce openssl hmac kdf sha1 sha2 pem kernel-netlink socket-default vici
}
swanctl {
  load = random openssl
}
`

/** Places are fixed, so the daemon sees places of its own: `ip netns exec` has made a mount namespace already. */
const SCRIPT = `set -e
mount -t tmpfs -o mode=755 tmpfs /run
mount --bind "$1" /etc/strongswan.conf
mount -t tmpfs -o mode=700 tmpfs /etc/swanctl
/usr/sbin/charon-systemd >"$3" 2>&1 &
daemon=$!
trap 'kill $daemon; wait $daemon || true' EXIT
for i in $(seq 60); do [ -S /run/charon.vici ] && break; sleep 0.25; done
status=0
swanctl --load-conns --file "$2" 2>&1 || status=$?
echo =====
ip xfrm policy
exit $status`

export interface Loaded {
  readonly status: number | null
  /** What swanctl says. */
  readonly said: string
  /** As `ip xfrm policy` lists it, those of sockets left out. */
  readonly policies: readonly string[]
}

export function loadConnections(netns: string, folder: string, text: string): Loaded {
  const [config, file, log] = ['strongswan.conf', 'swanctl.conf', 'charon.log'].map((name) =>
    join(folder, name),
  )
  if (!config || !file || !log) throw new Error('unreachable')
  writeFileSync(config, CONFIG)
  writeFileSync(file, text, { mode: 0o600 })
  const words = ['netns', 'exec', netns, 'sh', '-c', SCRIPT, 'charon', config, file, log]
  const { status, stdout, stderr } = spawnSync('ip', words, { encoding: 'utf8', timeout: 60_000 })
  const [said = '', listed = ''] = stdout.split('=====\n')
  const policies = listed
    .split(/^(?=src )/m)
    .map((one) => one.replace(/\s+/g, ' ').trim())
    .filter((one) => one !== '' && !one.includes(' socket '))
  return { status, said: said + stderr, policies: policies.sort() }
}
