/**
 * ipsecconf at work in a network namespace of its own, with state files of its own.
 *
 * @module
 */
import { execFileSync } from 'node:child_process'
import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { isOurPolicyIndex } from '../../agent/reconcile/ownership.ts'
import { run } from '../../compat/commands/ipsecconf.ts'
import { XfrmConnection } from '../../netlink/xfrm/connection.ts'
import { captureIo } from '../compat/commands/support/capture-io.ts'
import { temporaryFolder } from '../compat/commands/support/temporary.ts'
import { makeNetns } from '../host/netlink/namespace.ts'

/** A namespace with its state files, and ipsecconf at work in it. */
export function makePlace(t: Parameters<typeof makeNetns>[0]) {
  const folder = temporaryFolder(t)
  const netns = makeNetns(t)
  const runDir = join(folder, 'run')
  const command = async (argv: string, stdin = '') => {
    const saved = process.env.SOLIPSEC_RUN_DIR
    process.env.SOLIPSEC_RUN_DIR = runDir
    try {
      const io = captureIo({ stdin })
      const code = await run(['--netns', netns, ...words(argv)], io)
      return { code, out: io.out(), err: io.err() }
    } finally {
      if (saved === undefined) delete process.env.SOLIPSEC_RUN_DIR
      else process.env.SOLIPSEC_RUN_DIR = saved
    }
  }
  return {
    netns,
    folder,
    runDir,
    command,
    /** Runs a command that must succeed, and gives its output. */
    ok: async (argv: string, stdin = '') => {
      const { code, out, err } = await command(argv, stdin)
      if (code !== 0) throw new Error(`ipsecconf ${argv}: ${code}\n${err}`)
      return out
    },
    file: (name: string, content: string) => {
      const path = join(folder, name)
      writeFileSync(path, content)
      return path
    },
    ip: (line: string) => execFileSync('ip', ['-n', netns, ...words(line)], { encoding: 'utf8' }),
    policies: () => {
      const connection = XfrmConnection.open({ netns })
      const all = connection.policies()
      connection.close()
      return {
        ours: all.filter(({ body }) => isOurPolicyIndex(body.index)),
        foreign: all.filter(({ body }) => !isOurPolicyIndex(body.index)),
      }
    },
    environment: { ...process.env, SOLIPSEC_RUN_DIR: runDir },
  }
}

export type Place = ReturnType<typeof makePlace>

/** The folder of the place's namespace, once something was loaded there. */
export function stateFolder({ runDir }: Place): string {
  const [folder = ''] = readdirSync(runDir).filter((name) => name.startsWith('netns-'))
  return join(runDir, folder)
}

/** A file of rules of several kinds. */
export const RULES = `# a comment
{laddr 192.0.2.1 raddr 198.51.100.0/24 ulp tcp rport 23} ipsec {encr_algs aes(256) encr_auth_algs sha256 sa shared}
{ulp tcp lport 22 dir both} bypass {}
{raddr 203.0.113.0/24 dir in} drop {}
{raddr 198.51.100.7}
  ipsec {auth_algs sha256}
`

function words(line: string): string[] {
  return line.split(' ').filter((word) => word !== '')
}

/** The index numbers of a listing, in its order. */
export function indices(listing: string): string[] {
  return [...listing.matchAll(/^#INDEX (\S+)$/gm)].map(([, index = '']) => index)
}
