/**
 * `svcadm(8)`: enables, disables, refreshes and mends the services of solipsec.
 *
 * @module
 */
import { EXIT, Misuse, messageOf, Refusal, serviceCommand } from './services/frame.ts'
import { select } from './services/select.ts'
import type { Io } from './support/io.ts'
import { act } from './svcadm/act.ts'
import { interpret, optionTable } from './svcadm/arguments.ts'

const NAME = 'svcadm'

export const run = serviceCommand({
  name: NAME,
  options: optionTable,
  async carryOut(options, operands, io, world) {
    const asked = interpret(options, operands)
    if ('usage' in asked) throw new Misuse(asked.usage)
    if ('help' in asked) {
      const { helpText } = await import('./support/manual/help.ts')
      io.stdout.write(helpText(NAME))
      return EXIT.ok
    }
    const { request } = asked
    let code: number = EXIT.ok
    // One that fails does not keep the others from their turn.
    for (const word of request.words) {
      const worst = await attempt(io, async () => {
        for (const service of select(word)) {
          if (!world.isRoot) throw new Refusal(`${service.fmri}: Permission denied.`)
          const done = await act(request, service, world, io)
          if (request.verbose && done !== '') io.stdout.write(`${done}\n`)
        }
      })
      code = Math.max(code, worst)
    }
    return code
  },
})

/** @returns the exit code of the error, which is told */
async function attempt(io: Io, work: () => Promise<void>): Promise<number> {
  try {
    await work()
    return EXIT.ok
  } catch (error) {
    const message = messageOf(error)
    if (message === undefined) throw error
    io.stderr.write(`${NAME}: ${message}\n`)
    return error instanceof Refusal ? error.code : EXIT.failure
  }
}
