/**
 * Two hosts, which are network namespaces of this machine, a wire between them, and the commands on either.
 *
 * @module
 */
import { execFile, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { type Host, TestNet } from '../../test/support/namespaces.ts'
import { ROOT } from './place.ts'
import { showCommand } from './screen.ts'

export const SERVER_PORT = 7

export class Stage {
  readonly left: Host
  readonly right: Host
  /** Temporary files: the keys, and the state of the commands. */
  readonly folder = mkdtempSync(join(tmpdir(), 'solipsec-demo-'))
  readonly #net: TestNet

  private constructor(net: TestNet, left: Host, right: Host) {
    this.#net = net
    this.left = left
    this.right = right
  }

  /** Makes the hosts; the right one has a server that answers with what it gets. */
  static async open(): Promise<Stage> {
    const names = ['solipsec-left', 'solipsec-right'] as const
    // What a demo that was killed has left.
    for (const name of names) spawnSync('ip', ['netns', 'delete', name], { stdio: 'ignore' })
    const net = new TestNet({ teardown: () => {} })
    const left = await net.host(names[0])
    const right = await net.host(names[1])
    await net.wire(left, right, ['192.0.2.1/24'], ['192.0.2.2/24'])
    const stage = new Stage(net, left, right)
    await right.tcpEcho(SERVER_PORT)
    return stage
  }

  /** Removes the hosts, and with them their policies and SAs. */
  async close(): Promise<void> {
    for (const id of this.#services()) {
      try {
        process.kill(id)
      } catch {
        // It ended by itself.
      }
    }
    rmSync(this.folder, { recursive: true, force: true })
    await this.#net.close()
  }

  /** The processes of the software data path, where the kernel has none. */
  #services(): number[] {
    const run = join(this.folder, 'run')
    const folders = existsSync(run) ? readdirSync(run) : []
    const locks = folders.map((name) => join(run, name, 'datapath.lock')).filter((path) => existsSync(path))
    return locks.map((path) => Number(readFileSync(path, 'utf8'))).filter((id) => id > 0)
  }

  /** True where the software data path carries the packets. */
  get isSoftware(): boolean {
    return this.#services().length > 0
  }

  /** Runs one of our commands on a host, as anybody would. @returns what it printed */
  async command(name: string, { namespace }: Host, words: readonly string[]): Promise<string> {
    const line = [`./bin/${name}`, '--netns', namespace, ...words]
    showCommand(line)
    return this.unseen(line)
  }

  /** The same without telling the audience. */
  async unseen(line: readonly string[]): Promise<string> {
    const folders = {
      SOLIPSEC_RUN_DIR: join(this.folder, 'run'),
      SOLIPSEC_STATE_DIR: join(this.folder, 'lib'),
    }
    const env = { ...process.env, ...folders }
    const { stdout } = await promisify(execFile)(process.execPath, line, { cwd: ROOT, env })
    return stdout
  }

  /** The same on both hosts. */
  async commandOnBoth(name: string, words: readonly string[]): Promise<void> {
    await Promise.all([this.left, this.right].map((host) => this.command(name, host, words)))
  }
}
