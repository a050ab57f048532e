/**
 * Programs of ours that live on after the command that starts them.
 *
 * @module
 */
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/** Their names in process lists: at most 15 characters. */
export const helperName = {
  /** Holds UDP sockets for ESP. */
  encap: 'solipsec-encap',
  /** Is the software data path. */
  path: 'solipsec-path',
  /** Watches pinned connections. */
  latch: 'solipsec-latch',
} as const

export interface Helper {
  readonly name: (typeof helperName)[keyof typeof helperName]
  /** The built file to run. */
  readonly program: URL
  readonly argv?: readonly string[]
  /** It has them as 3, 4, … */
  readonly descriptors?: readonly number[]
}

/**
 * Starts one in the network namespace of the calling thread.
 *
 * @returns the number of its process; `undefined` where it cannot be started
 */
export function startHelper({ name, program, argv = [], descriptors = [] }: Helper): number | undefined {
  const child = spawn(process.execPath, [fileURLToPath(program), ...argv], {
    argv0: name,
    cwd: '/',
    detached: true,
    env: environment(),
    stdio: ['ignore', 'ignore', 'ignore', ...descriptors],
  })
  // Without a listener the event, which comes after our caller has thrown, would end the process.
  child.on('error', () => {})
  child.unref()
  return child.pid
}

/** What they may know of ours. */
function environment(): NodeJS.ProcessEnv {
  const { PATH, SOLIPSEC_RUN_DIR, SOLIPSEC_STATE_DIR } = process.env
  return {
    ...(PATH && { PATH }),
    ...(SOLIPSEC_RUN_DIR && { SOLIPSEC_RUN_DIR }),
    ...(SOLIPSEC_STATE_DIR && { SOLIPSEC_STATE_DIR }),
  }
}
