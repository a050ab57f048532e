/**
 * Who looks after pinned connections once a command has ended: a program of ours, one for each network namespace, which ends
 * with the last pin.
 *
 * @module
 */
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { LATCH_HOLDER_NAME } from '../../../agent/latch/connections.ts'
import type { PolicyState } from '../../../agent/reconcile/policy-state.ts'

/** Sees to it that somebody does, where there is something to look after. */
export function keepLatches({ pins }: Pick<PolicyState, 'pins'>): void {
  if (!pins.some(({ isEnded }) => !isEnded)) return
  const program = fileURLToPath(new URL('./latch-holder.js', import.meta.url))
  const { PATH, SOLIPSEC_RUN_DIR, SOLIPSEC_STATE_DIR } = process.env
  const child = spawn(process.execPath, [program], {
    argv0: LATCH_HOLDER_NAME,
    cwd: '/',
    detached: true,
    env: {
      ...(PATH && { PATH }),
      ...(SOLIPSEC_RUN_DIR && { SOLIPSEC_RUN_DIR }),
      ...(SOLIPSEC_STATE_DIR && { SOLIPSEC_STATE_DIR }),
    },
    stdio: 'ignore',
  })
  // Without a listener the event, which comes after we have thrown, would end the process.
  child.on('error', () => {})
  if (child.pid === undefined) throw new Error(`cannot start ${process.execPath} to look after connections`)
  child.unref()
}
