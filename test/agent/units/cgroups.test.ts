import { mkdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { cgroupsOf, rootIn } from '../../../agent/units/cgroups.ts'

t.test('where the tree is', async (t) => {
  const line = (root: string, place: string, kind: string) =>
    `31 24 0:27 ${root} ${place} rw,nosuid shared:9 - ${kind} ${kind} rw,nsdelegate\n`
  t.equal(rootIn(line('/', '/sys/fs/cgroup', 'cgroup2')), '/sys/fs/cgroup')
  const hybrid =
    line('/', '/sys/fs/cgroup/systemd', 'cgroup') + line('/', '/sys/fs/cgroup/unified', 'cgroup2')
  t.equal(rootIn(hybrid), '/sys/fs/cgroup/unified')
  t.equal(rootIn(line('/', '/mnt/a\\040b', 'cgroup2')), '/mnt/a b')
  t.equal(rootIn(line('/system.slice', '/mnt', 'cgroup2')), undefined, 'a part of it')
  t.equal(rootIn(line('/', '/sys', 'sysfs')), undefined)
  t.equal(rootIn(''), undefined)
})

t.test('units in their slices, with what is below them', async (t) => {
  const root = t.testdir()
  const folders = [
    'system.slice/a.service/worker/deep',
    'system.slice/system-b.slice/b@1.service',
    'system.slice/other.service/a.service',
    'user.slice/user-1.slice/user@1.service/app.slice/a.service',
    'system.slice/_cpu.service',
    'a.service.d',
  ]
  for (const folder of folders) mkdirSync(join(root, folder), { recursive: true })
  const inode = (folder: string) => statSync(join(root, folder), { bigint: true }).ino
  const found = cgroupsOf(new Set(['a.service', 'b@1.service', 'cpu.service', 'absent.service']), root)
  t.same(
    found,
    new Map([
      [inode('system.slice/a.service'), 'a.service'],
      [inode('system.slice/a.service/worker'), 'a.service'],
      [inode('system.slice/a.service/worker/deep'), 'a.service'],
      [inode('system.slice/system-b.slice/b@1.service'), 'b@1.service'],
      [inode('system.slice/_cpu.service'), 'cpu.service'],
    ]),
  )
  t.same(cgroupsOf(new Set(['a.service']), join(root, 'nowhere')), new Map())
})
