/**
 * Where the demo can run: here, or in a virtual machine with a stock kernel.
 *
 * @module
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { lackingProtocols } from '../../agent/datapath/kernel/probe.ts'
import { hasNft } from '../../agent/reconcile/netfilter.ts'
import { onTerminal, print, TERMINAL_VARIABLE, waitingFor } from './screen.ts'

/** Seconds after which the machine is given up, if nobody says otherwise. */
const PATIENCE = '180'

/** The checkout: the built file is in `dist/docs/demo/`. */
export const ROOT = fileURLToPath(new URL('../../../', import.meta.url))

export type Place = { readonly virtual: false } | { readonly virtual: true; readonly reason: string }

export function whereToRun(): Place {
  if (process.env.SOLIPSEC_VM === 'guest') return { virtual: false }
  if (process.geteuid?.() !== 0) return { virtual: true, reason: 'You are not root' }
  const lacking = whatIsLacking()
  return lacking === undefined ? { virtual: false } : { virtual: true, reason: lacking }
}

/** With ESP in the kernel nothing is; without, the software data path needs two things of it. */
function whatIsLacking(): string | undefined {
  try {
    if (lackingProtocols(['esp']).length === 0) return undefined
  } catch {
    return 'Network namespaces cannot be made here'
  }
  if (!existsSync('/dev/net/tun')) return "This machine's kernel has no ESP and no TUN devices"
  return hasNft()
    ? undefined
    : "This machine's kernel has no ESP, and there is no nft for the software data path"
}

/** Runs this program in a virtual machine and hands its output through. @returns its exit code */
export async function runInVirtualMachine(reason: string): Promise<number> {
  print(`${reason}, so this runs in a virtual machine with a stock Debian kernel.`)
  const env = {
    SOLIPSEC_VM_TIMEOUT: PATIENCE,
    ...process.env,
    [TERMINAL_VARIABLE]: onTerminal ? '1' : '',
  }
  const command = [process.execPath, fileURLToPath(new URL('main.js', import.meta.url))]
  const machine = spawn(`${ROOT}test/vm/run`, ['--', ...command], {
    env,
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  // The machine is told to end, and the demo ends when it has.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.on(signal, () => machine.kill(signal))
  const closed = once(machine, 'close')
  await waitingFor('the machine starts', Promise.race([once(machine.stdout, 'readable'), closed]))
  machine.stdout.pipe(process.stdout)
  const [code] = await closed
  return code ?? 1
}
