/**
 * `npm run demo`: Solaris's policy and keys on two hosts, and what becomes of their packets. Runs here where the
 * kernel has ESP, else in a virtual machine. Everything that is told is checked; the exit code says whether it held.
 *
 * @module
 */
import { rmSync } from 'node:fs'
import { connectHosts, removeHosts } from './hosts.ts'
import { runInVirtualMachine, whereToRun } from './place.ts'
import { stopAll } from './processes.ts'
import { heading, paint, print } from './screen.ts'
import { makeStage, type Stage, steps } from './steps.ts'

const place = whereToRun()
process.exitCode = place.virtual ? await runInVirtualMachine(place.reason) : await demonstrate()

async function demonstrate(): Promise<number> {
  const start = Date.now()
  let stage: Stage | undefined
  const takeDown = () => {
    stopAll()
    stage?.server?.stop()
    removeHosts()
    if (stage) rmSync(stage.folder, { recursive: true, force: true })
  }
  for (const [signal, number] of [
    ['SIGINT', 2],
    ['SIGTERM', 15],
    ['SIGHUP', 1],
  ] as const) {
    process.once(signal, () => {
      takeDown()
      process.exit(128 + number)
    })
  }
  try {
    await connectHosts()
    stage = await makeStage()
    for (const [i, { title, show }] of steps.entries()) {
      heading(`${i + 1}. ${title}`)
      await show(stage)
    }
    print(
      `\n${paint('green', `All of it happened as told, in ${Math.round((Date.now() - start) / 1000)} s.`)}`,
    )
    return 0
  } catch (error) {
    process.stderr.write(`\n${paint('red', 'The demo failed:')} ${(error as Error).message}\n`)
    return 1
  } finally {
    takeDown()
  }
}
