/** Versions, clock, memory, privileges, speed and files. */
import t from 'tap'
import { checkFolders } from '../../../../agent/doctor/checks/files.ts'
import { checkClock, checkMemory, checkVersions } from '../../../../agent/doctor/checks/host.ts'
import {
  checkCapabilities,
  checkLockdown,
  checkUserNamespace,
} from '../../../../agent/doctor/checks/privileges.ts'
import {
  checkAcceleration,
  checkFips,
  checkLibrary,
  checkOffload,
} from '../../../../agent/doctor/checks/speed.ts'
import type { FolderState, Purpose } from '../../../../agent/doctor/facts/files.ts'
import { bad, bareKernel, FOLDER, GOOD, host, NO_TABLES } from '../hosts.ts'

t.test('versions', async (t) => {
  const at = (release: string, node: string) =>
    bad(checkVersions(host({ kernel: { release }, versions: { node } })))
  t.match(at('5.10.0-28', '18.19.0'), [
    { subject: 'Linux 5.10.0-28', state: 'warning', wayOut: ['boot a newer kernel'] },
    { subject: 'Node.js 18.19.0', wayOut: ['install Node.js 20 or later'] },
  ])
  t.same(at('5.14.0', '20.0.0'), [])
})

t.test('the clock', async (t) => {
  const { now } = GOOD.clock
  const at = (clock: object) => bad(checkClock(host({ clock })))
  t.match(at({ now: 0 }), [{ state: 'problem', meaning: /^It says 1970-01-01/, wayOut: [/timedatectl/] }])
  t.same(at({ vectorsUntil: { value: now + 30_000 } }), [], 'what is reserved ahead')
  t.match(at({ vectorsUntil: { value: now + 3_600_000 } }), [
    { state: 'warning', meaning: /gone back by 60 minutes/, wayOut: [/timedatectl/] },
  ])
  t.match(at({ isSynchronised: { value: false } }), [{ state: 'note', wayOut: ['timedatectl set-ntp true'] }])
})

t.test('memory', async (t) => {
  const tables = { value: { ...NO_TABLES, ourPolicies: 2, ourStates: 1 } }
  const [fine] = checkMemory(host({ policies: { kernel: tables } }))
  t.match(fine, { state: 'ok', meaning: /^1024 MB are available.* 2 policies and 1 SA are loaded/ })
  t.match(bad(checkMemory(host({ memory: { availableBytes: { value: 2 ** 22 } } }))), [{ state: 'warning' }])
})

t.test('capabilities', async (t) => {
  const without = (isRoot: boolean) =>
    bad(
      checkCapabilities(
        host({ privileges: { isRoot, capabilities: new Set(['CAP_NET_RAW', 'CAP_SYS_PTRACE']) } }),
      ),
    )
  t.match(without(false), [
    { subject: 'CAP_NET_ADMIN', state: 'note', wayOut: ['run as root: sudo solipsec doctor'] },
    { subject: 'CAP_SYS_ADMIN', state: 'note' },
  ])
  t.match(without(true), [
    { state: 'problem', meaning: /^Though root, this process lacks it/, wayOut: [/--cap-add NET_ADMIN/] },
    { state: 'warning', wayOut: [/AmbientCapabilities=CAP_SYS_ADMIN/] },
  ])
  const nested = host({ privileges: { isFirstUserNamespace: false } })
  t.match(bad(checkUserNamespace(nested)), [{ state: 'note', wayOut: [/outside of the container/] }])
})

t.test('lockdown', async (t) => {
  const of = (lockdown: object) =>
    checkLockdown(host({ privileges: { lockdown: lockdown as { unknown: string } } }))
  for (const value of ['none', 'integrity', 'absent']) t.match(of({ value }), [{ state: 'ok' }])
  t.match(of({ value: 'confidentiality' }), [
    { state: 'warning', meaning: /hides the keys/, wayOut: [/lockdown=integrity/, /ipseckey flush/] },
  ])
  t.match(of({ unknown: 'securityfs is not mounted' }), [{ isKnown: false }])
})

t.test('AES in the kernel', async (t) => {
  const of = (speed: object) => checkAcceleration(host({ speed }))
  const generic = { name: 'cbc(aes)', driver: 'cbc(aes-generic)', priority: 100 }
  const fast = { name: 'cbc(aes)', driver: 'cbc-aes-aesni', priority: 400 }
  t.match(of({ drivers: { value: [generic] } }), [
    { state: 'note', meaning: /do not use: cbc\(aes-generic\)\./, wayOut: [/CRYPTO_AES_NI_INTEL/] },
  ])
  t.match(
    of({ drivers: { value: [generic, fast] } }),
    [{ state: 'ok', meaning: /cbc-aes-aesni\.$/ }],
    'the best counts',
  )
  t.match(of({ drivers: { value: [] } }), [{ state: 'ok', meaning: /no driver is loaded/ }])
  t.match(of({ hasAesInstructions: { value: false } }), [{ state: 'note', meaning: /chacha20/ }])
  t.match(of({ drivers: { unknown: 'no file' } }), [{ isKnown: false }])
  t.same(checkAcceleration(bareKernel()), [], 'a kernel without ESP has no use for it')
})

t.test('FIPS mode, library, offload', async (t) => {
  t.match(bad(checkFips(host({ speed: { isFips: { value: true } } }))), [
    { state: 'note', wayOut: [/aes-gcm/] },
  ])
  t.match(bad(checkLibrary(host({ abilities: { library: 'node' } }))), [
    { state: 'note', wayOut: [/nodejs/] },
  ])
  const device = (...names: string[]) => ({
    name: 'eth0',
    features: { value: names.map((name) => ({ name, isAvailable: true, isActive: false })) },
  })
  const of = (one: ReturnType<typeof device>) => checkOffload(host({ speed: { devices: [one] } }))
  t.match(of(device('rx-checksum', 'tx-esp-segmentation')), [
    { state: 'ok', meaning: /It has tx-esp-segmentation\.$/ },
  ])
  t.match(of(device('esp-hw-offload')), [{ state: 'note', subject: 'ESP offload of eth0' }])
})

t.test('folders', async (t) => {
  const of = (purpose: Purpose, state: Partial<FolderState> | undefined) => {
    const found = { value: state && { ...FOLDER, ...state } }
    return checkFolders(host({ folders: [{ path: '/some/folder', purpose, found }] }))
  }
  t.match(of('run', undefined), [{ state: 'ok', meaning: /first command/ }])
  t.match(of('run', { isInMemory: false }), [{ state: 'warning', wayOut: [/tmpfs/] }])
  t.match(of('state', { isInMemory: false, mode: 0o755 }), [{ state: 'ok' }])
  t.match(of('run', { mode: 0o777, uid: 1000 }), [
    { state: 'problem', meaning: /belongs to user 1000/, wayOut: ['chown root: /some/folder'] },
    { state: 'problem', meaning: /\(mode 777\)/, wayOut: ['chmod go-w /some/folder'] },
  ])
  t.match(of('secret', { mode: 0o755, readable: ['/some/folder/ipseckeys'] }), [
    { state: 'warning', wayOut: ['chmod 700 /some/folder'] },
    { state: 'warning', meaning: /^1 file of it/, wayOut: ['chmod 600 /some/folder/ipseckeys', /new keys/] },
  ])
  t.match(of('run', { isFolder: false }), [{ state: 'problem', wayOut: ['rm /some/folder'] }])
})
