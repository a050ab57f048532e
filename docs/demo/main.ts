/**
 * `npm run demo`: Solaris's policy and keys on two hosts, and what becomes of their packets. Runs here, with the software
 * data path where the kernel has no ESP, or in a virtual machine where that is not possible either. Everything that is told is checked; the exit code says whether it held.
 *
 * @module
 */
import { runInVirtualMachine, whereToRun } from './place.ts'
import { heading, paint, print, waitingFor } from './screen.ts'
import { Stage } from './stage.ts'
import { steps } from './steps.ts'

const SIGNALS = { SIGINT: 2, SIGTERM: 15, SIGHUP: 1 } as const

const place = whereToRun()
process.exitCode = place.virtual ? await runInVirtualMachine(place.reason) : await demonstrate()

async function demonstrate(): Promise<number> {
  const stage = await waitingFor('two hosts are made', Stage.open())
  for (const [signal, number] of Object.entries(SIGNALS)) {
    process.once(signal, () => void stage.close().finally(() => process.exit(128 + number)))
  }
  try {
    for (const [i, { title, show }] of steps.entries()) {
      heading(`${i + 1}. ${title}`)
      await show(stage)
    }
    print(`\n${paint('green', 'All of it happened as told.')}`)
    print('To do the same with your own files: "From a Solaris host to Linux in five minutes" in README.md.')
    return 0
  } catch (error) {
    process.stderr.write(`\n${paint('red', 'The demo failed:')} ${(error as Error).message}\n`)
    return 1
  } finally {
    await stage.close()
  }
}
