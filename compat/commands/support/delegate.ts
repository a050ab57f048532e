/**
 * Commands that only show what is loaded, run by the agent for those who may ask it but are not root.
 *
 * @module
 */
import type { Io, Run } from './io.ts'

/** A command that says of its arguments whether they only show something. */
export interface ShowingRun extends Run {
  /** True for arguments that change nothing, read no file, show no key, and come to an end. */
  readonly shows: (argv: readonly string[]) => boolean
}

/** What the agent answers with. */
export interface Shown {
  readonly code: number
  readonly out: string
  readonly err: string
}

/** The agent's method. */
export const SHOW_METHOD = 'command.show'

/**
 * Has the agent run the command, where the caller is not root and the agent can be asked.
 *
 * @param command as in `ipsecconf` or `solipsec status`
 * @returns the exit code; `undefined` where the command has to do it itself
 */
export async function delegate(
  command: string,
  argv: readonly string[],
  io: Io,
): Promise<number | undefined> {
  if (process.geteuid?.() === 0) return undefined
  const [{ callAgent, NoAgentError }, { controlPath }] = await Promise.all([
    import('../../../agent/daemon/control/client.ts'),
    import('../../../agent/runtime/agent-sockets.ts'),
  ])
  try {
    const { code, out, err } = (await callAgent(controlPath(), SHOW_METHOD, { command, argv })) as Shown
    io.stdout.write(out)
    io.stderr.write(err)
    return code
  } catch (error) {
    if (error instanceof NoAgentError) return undefined
    io.stderr.write(`${command}: the agent says: ${(error as Error).message}\n`)
    return 1
  }
}
