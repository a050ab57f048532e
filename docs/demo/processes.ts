/**
 * Other programs that the demo runs.
 *
 * @module
 */
import { type ChildProcess, spawn } from 'node:child_process'

const running = new Set<ChildProcess>()

/** Starts a program that {@link stopAll} will stop if nothing else does. */
export function start(command: string, words: readonly string[], env = process.env) {
  const child = spawn(command, words, { env, stdio: ['ignore', 'pipe', 'pipe'] })
  running.add(child)
  child.once('close', () => running.delete(child))
  return child
}

export interface Outcome {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** Runs a program to its end. */
export function run(command: string, words: readonly string[], env = process.env): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const child = start(command, words, env)
    let stdout = ''
    let stderr = ''
    child.stdout.setEncoding('utf8').on('data', (text) => {
      stdout += text
    })
    child.stderr.setEncoding('utf8').on('data', (text) => {
      stderr += text
    })
    child.once('error', reject)
    child.once('close', (code, signal) =>
      resolve({ code: code ?? 1, stdout, stderr: stderr || (signal ?? '') }),
    )
  })
}

/** Runs a program that must succeed. @returns what it printed */
export async function mustRun(command: string, words: readonly string[], env = process.env): Promise<string> {
  const { code, stdout, stderr } = await run(command, words, env)
  if (code !== 0) throw new Error(`${[command, ...words].join(' ')} failed (${code}):\n${stdout}${stderr}`)
  return stdout
}

export function stopAll(): void {
  for (const child of running) child.kill('SIGTERM')
}
