/**
 * nft(8): the table that steers packets, put into force and read.
 *
 * @module
 */
import { spawnSync } from 'node:child_process'
import { delimiter } from 'node:path'
import type { Counter } from '../../state/statistics.ts'
import { RequestError } from '../../xfrm/request-error.ts'
import { removalScript, STEERING_TABLE, type Steering, steeringScript } from './table.ts'

/** Under which names the table's counters go into the statistics. */
const MEANINGS: Readonly<Record<string, Counter>> = {
  refused_out: 'XfrmOutPolBlock',
  escaped: 'XfrmOutError',
  clear_in: 'XfrmInTmplMismatch',
  refused_in: 'XfrmInPolBlock',
}

/** Puts the table into force, in one transaction. @returns who did it: the sender of its announcements. @throws RequestError */
export function applySteering(steering: Steering): number {
  return run(['-f', '-'], steeringScript(steering)).pid
}

/** Takes the table away. @throws RequestError */
export function removeSteeringTable(): void {
  run(['-f', '-'], removalScript())
}

/** Whether the table is there. */
export function isSteering(): boolean {
  try {
    return presentTable() !== undefined
  } catch (error) {
    if (error instanceof RequestError) return false
    throw error
  }
}

/** What the table has refused, of which the program itself never hears. Nothing where it cannot be read. */
export function refusedBySteering(): ReadonlyMap<Counter, number> {
  const refused = new Map<Counter, number>()
  try {
    for (const [, name = '', packets] of (presentTable() ?? '').matchAll(
      /counter (\w+) \{\s+packets (\d+)/g,
    )) {
      const counter = MEANINGS[name]
      if (counter) refused.set(counter, (refused.get(counter) ?? 0) + Number(packets))
    }
  } catch (error) {
    if (!(error instanceof RequestError)) throw error
  }
  return refused
}

/**
 * The table without the elements of its sets, of which there may be 100,000. Asked for anything less than all tables, nft reads
 * them all the same (1.0.6).
 */
function presentTable(): string | undefined {
  const tables = run(['--terse', 'list', 'ruleset', 'inet'], '').stdout.split(/^(?=table )/m)
  return tables.find((table) => table.startsWith(`table inet ${STEERING_TABLE} {`))
}

function run(args: readonly string[], input: string): { readonly stdout: string; readonly pid: number } {
  const { error, status, stdout, stderr, pid } = spawnSync('nft', args, {
    input,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
    env: { ...process.env, PATH: `${process.env.PATH ?? ''}${delimiter}/usr/sbin${delimiter}/sbin` },
  })
  if (error) {
    throw new RequestError(
      'EIO',
      `nft, which leads packets to the software data path: ${error.message} (install the package nftables)`,
    )
  }
  if (status !== 0) throw new RequestError('EIO', `nft: ${stderr.trim().split('\n')[0] ?? `exit ${status}`}`)
  return { stdout, pid }
}
