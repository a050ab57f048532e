/** ipsecconf as a process: what a shell, a service manager and another user see of it, and several at the same time. */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { lockFile } from '../../../../netlink/libc/lock.ts'
import { indices, makePlace, type Place, RULES, stateFolder } from '../../../support/ipsecconf-place.ts'
import { skip } from '../../netlink/namespace.ts'

const BIN = fileURLToPath(new URL('../../../../../bin/ipsecconf', import.meta.url))

/** Runs it to its end. */
function spawned(
  place: Place,
  argv: string[],
  options: { env?: NodeJS.ProcessEnv; input?: string; uid?: number } = {},
) {
  const { env = {}, input = '', uid } = options
  const { status, stdout, stderr } = spawnSync(BIN, argv, {
    encoding: 'utf8',
    input,
    env: { ...place.environment, ...env },
    ...(uid !== undefined && { uid, gid: uid }),
  })
  return { status, stdout, stderr }
}

t.test(
  'as a process: standard input, exit codes from a shell and under a service manager',
  { skip },
  async (t) => {
    const place = makePlace(t)
    const at = ['--netns', place.netns]
    t.match(spawned(place, [...at, '-q', '-a', '-'], { input: RULES }), { status: 0, stdout: '', stderr: '' })
    t.equal(indices(spawned(place, [...at, '-l']).stdout).length, 9)
    const service = { env: { SMF_FMRI: 'svc:/network/ipsec/policy:default' } }
    const missing = join(place.folder, 'missing')
    t.match(spawned(place, [...at, '-a', missing]), { status: 1, stdout: '' })
    t.match(spawned(place, [...at, '-a', missing], service), {
      status: 0,
      stdout: `Policy configuration file (${missing}) does not exist.\nIPsec policy not configured.\n`,
      stderr: '',
    })
    const policy = place.file('policy', RULES)
    const loaded = spawned(place, [...at, '-Fa', policy], service)
    t.match(loaded, { status: 0, stdout: '4 policy rules added.\n' }, 'no advice to a log')
    const bad = place.file('bad', '{lport x} bypass {}\n')
    t.match(spawned(place, [...at, '-a', bad], service), {
      status: 95,
      stderr: /Service svc:.* fatal error\.\n$/,
    })
    t.match(spawned(place, ['-Z'], service), { status: 95 })
    t.notMatch(spawned(place, ['-Z'], service).stderr, 'Usage')
  },
)

t.test('without privilege: -c works, the rest is refused', { skip }, async (t) => {
  const place = makePlace(t)
  chmodSync(place.folder, 0o755)
  const policy = place.file('policy', RULES)
  const nobody = { uid: 65534 }
  const checked = spawned(place, ['-c', policy], nobody)
  t.match(checked, { status: 0, stderr: '' })
  t.match(
    checked.stdout,
    /^IPsec configuration does not contain any errors\.\nIPsec policy was not modified\.\n$/,
  )
  t.match(spawned(place, ['-c', place.file('bad', '{lport x} bypass {}\n')], nobody), {
    status: 1,
    stderr: /bad:1:8/,
  })
  const env = { SMF_FMRI: 'svc:/x:default' }
  for (const argv of [['-a', policy], ['-F'], ['-l'], []]) {
    t.match(
      spawned(place, argv, nobody),
      { status: 1, stdout: '', stderr: /^ipsecconf: Insufficient privilege/ },
      argv.join(' '),
    )
    t.equal(spawned(place, argv, { ...nobody, env }).status, 100, argv.join(' '))
  }
})

t.test('through a symbolic link, from another folder', { skip }, async (t) => {
  const place = makePlace(t)
  const folder = join(place.folder, 'else where')
  mkdirSync(folder)
  symlinkSync(BIN, join(folder, 'ipsecconf'))
  place.file('else where/policy', RULES)
  const { status, stderr } = spawnSync('./ipsecconf', ['--netns', place.netns, '-qa', 'policy'], {
    cwd: folder,
    encoding: 'utf8',
    env: place.environment,
  })
  t.same([status, stderr], [0, ''])
  t.equal(indices(await place.ok('-l')).length, 9)
})

t.test('commands at the same time: one after the other', { skip }, async (t) => {
  const place = makePlace(t)
  await place.ok('-qF')
  const children = Array.from({ length: 4 }, (_, i) => {
    const policy = place.file(`policy${i}`, `{lport ${1000 + i} ulp tcp dir both} bypass {}\n`)
    return spawn(BIN, ['--netns', place.netns, '-qa', policy], { env: place.environment })
  })
  const ended = await Promise.all(
    children.map(async (child) => {
      const [[code], err] = await Promise.all([once(child, 'exit'), text(child.stderr)])
      return [code, err]
    }),
  )
  t.same(
    ended,
    children.map(() => [0, '']),
  )
  t.equal(indices(await place.ok('-l')).length, 16, 'none has overwritten what another did')
})

t.test('a command waits for the lock of another', { skip }, async (t) => {
  const place = makePlace(t)
  await place.ok('-qF')
  const lock = lockFile(join(stateFolder(place), 'lock'))
  t.ok(lock)
  const child = spawn(BIN, ['--netns', place.netns, '-qa', place.file('policy', RULES)], {
    env: place.environment,
  })
  let ended = false
  const end = once(child, 'exit').then(([code]) => {
    ended = true
    return code
  })
  await new Promise((resolve) => setTimeout(resolve, 700))
  t.notOk(ended)
  t.same(place.policies().ours, [])
  lock?.release()
  t.equal(await end, 0)
  t.ok(place.policies().ours.length > 0)
})
