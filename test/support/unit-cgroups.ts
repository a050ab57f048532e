/**
 * Cgroups of a test as systemd makes them for units, and programs in them.
 *
 * @module
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, rmdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { text } from 'node:stream/consumers'
import { cgroupRoot } from '../../agent/units/cgroups.ts'
import type { Host, Teardown } from './namespaces.ts'

/** Enters the cgroup, then the namespace: the latter hides the tree. */
const ENTER = 'echo 0 > "$0/cgroup.procs" && exec "$@"'

/** A cgroup below a slice of the test's own. */
export class UnitCgroup {
  readonly folder: string

  /** @param path below the slice: `a.service`, `a.service/worker` @throws where the tree is not there, or not ours */
  constructor(t: Teardown, path: string) {
    const root = cgroupRoot()
    if (root === undefined) throw new Error('the cgroups of version 2 are not mounted')
    this.folder = join(root, `solipsectest${process.pid}.slice`, path)
    for (const folder of [dirname(dirname(this.folder)), dirname(this.folder), this.folder]) {
      if (folder.startsWith(`${root}/`)) mkdirSync(folder, { recursive: true })
    }
    t.teardown(async () => {
      for (let folder = this.folder; folder !== root; folder = dirname(folder)) await removed(folder)
    })
  }

  /** Starts a program of a host in the cgroup. It ends with the test. */
  start(t: Teardown, host: Host, ...words: string[]): ChildProcess {
    const argv = ['-c', ENTER, this.folder, 'ip', 'netns', 'exec', host.namespace, ...words]
    const child = spawn('sh', argv, { stdio: ['pipe', 'pipe', 'inherit'] })
    t.teardown(() => {
      child.kill('SIGKILL')
    })
    return child
  }

  /** Runs one, and gives its output. */
  async run(t: Teardown, host: Host, ...words: string[]): Promise<string> {
    const { stdout } = this.start(t, host, ...words)
    return stdout ? text(stdout) : ''
  }
}

/** Processes leave it some moments after they were ended; what others still use stays for them to remove. */
async function removed(folder: string): Promise<void> {
  for (let turn = 0; turn < 50; turn++) {
    try {
      rmdirSync(folder)
      return
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if (code !== 'EBUSY' && code !== 'ENOTEMPTY') return
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }
}

/** True where a test can make cgroups of version 2 here. */
export function canMakeCgroups(): boolean {
  const root = cgroupRoot()
  if (root === undefined) return false
  const folder = join(root, `solipsectry${process.pid}.slice`)
  try {
    mkdirSync(folder)
    writeFileSync(join(folder, 'cgroup.max.depth'), 'max')
    rmdirSync(folder)
    return true
  } catch {
    return false
  }
}
