/**
 * Namespaces, files and commands of the measurements.
 *
 * @module
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { PlainPolicy } from '../../compat/commands/support/policy-text.ts'
import { type CommandLine, output, run } from './execute.ts'

/** Where a part of the benchmark works: gone without a trace when it is done. */
export class Workplace {
  readonly #folder = mkdtempSync(join(tmpdir(), 'solipsec-bench-'))
  readonly #namespaces = new Set<string>()

  constructor() {
    // Every command that is measured keeps its state here, away from the host's own policy.
    process.env.SOLIPSEC_DATAPATH = 'kernel'
    process.env.SOLIPSEC_RUN_DIR = join(this.#folder, 'run')
    process.env.SOLIPSEC_STATE_DIR = join(this.#folder, 'lib')
  }

  /** Writes a file and returns its path. Readable by its owner only, as key files must be. */
  file(name: string, text: string): string {
    const path = join(this.#folder, name)
    writeFileSync(path, text, { mode: 0o600 })
    return path
  }

  /** Makes a network namespace, or makes it anew, and returns its full name: no policies, no SAs, no state. */
  freshNamespace(name: string): string {
    const full = `solipsec-bench-${process.pid}-${name}`
    if (this.#namespaces.has(full)) remove(full)
    run(['ip', 'netns', 'add', full])
    this.#namespaces.add(full)
    return full
  }

  [Symbol.dispose](): void {
    for (const name of this.#namespaces) remove(name)
    rmSync(this.#folder, { recursive: true })
  }
}

/** Empties a namespace before it goes: else the kernel does that later, in the middle of the next measurement. */
function remove(name: string): void {
  run(['ip', '-n', name, 'xfrm', 'policy', 'flush'])
  run(['ip', '-n', name, 'xfrm', 'state', 'flush'])
  run(['ip', 'netns', 'delete', name])
}

/** One of our commands, as an administrator starts it. */
export function ours(command: 'ipsecconf' | 'ipseckey', ...args: readonly string[]): CommandLine {
  return [fileURLToPath(new URL(`../../../bin/${command}`, import.meta.url)), ...args]
}

/** The kernel policies that a policy file makes of an empty namespace, by the command's own plan. */
export function plannedPolicies(place: Workplace, file: string): readonly PlainPolicy[] {
  const netns = place.freshNamespace('plan')
  const plan = output(ours('ipsecconf', '-q', '--netns', netns, '--dry-run', '--json', '-a', file))
  return (JSON.parse(plan) as { add: PlainPolicy[] }).add
}
