/**
 * `svccfg(8)`: changes properties of the services of solipsec.
 *
 * @module
 */
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { EXIT, Misuse, messageOf, Refusal, serviceCommand } from './services/frame.ts'
import type { World } from './services/world.ts'
import type { ParsedOption } from './support/getopt.ts'
import type { Io } from './support/io.ts'
import { Session } from './svccfg/session.ts'

const NAME = 'svccfg'

export const optionTable = { short: 'vs:f:', long: {} } as const

export const run = serviceCommand({ name: NAME, options: optionTable, carryOut })

async function carryOut(
  options: readonly ParsedOption[],
  operands: readonly string[],
  io: Io,
  world: World,
): Promise<number> {
  const session = new Session(io, world)
  const [file, ...files] = options.flatMap(({ name, value = '' }) => (name === 'f' ? [value] : []))
  if (files.length > 0) throw new Misuse('-f given twice')
  if (file !== undefined && operands.length > 0) throw new Misuse('no subcommand may follow -f FILE')
  for (const { name, value = '' } of options) if (name === 's') session.select(value)
  if (operands.length > 0) {
    session.run(operands.join(' '))
    return EXIT.ok
  }
  if (file !== undefined && file !== '-') return batch(session, readFileSync(file, 'utf8'), file, io)
  if (file === undefined && io.stdin.isTTY) return interact(session, io)
  return batch(session, await io.stdin.text(), '<standard input>', io)
}

/** A file of subcommands ends at the first that fails; what was done before it stays done, as on Solaris. */
function batch(session: Session, text: string, name: string, io: Io): number {
  for (const [index, line] of text.split('\n').entries()) {
    try {
      session.run(line)
    } catch (error) {
      const message = messageOf(error)
      if (message === undefined) throw error
      io.stderr.write(`${NAME} (${name}, line ${index + 1}): ${message}\n`)
      return error instanceof Refusal ? error.code : EXIT.failure
    }
    if (session.isOver) break
  }
  return EXIT.ok
}

async function interact(session: Session, io: Io): Promise<number> {
  const lines = createInterface({ input: io.stdin.stream(), output: io.stdout.stream(), terminal: true })
  lines.setPrompt(session.prompt)
  lines.prompt()
  for await (const line of lines) {
    try {
      session.run(line)
    } catch (error) {
      const message = messageOf(error)
      if (message === undefined) throw error
      io.stderr.write(`${message}\n`)
    }
    io.stdout.flush()
    if (session.isOver) break
    lines.setPrompt(session.prompt)
    lines.prompt()
  }
  lines.close()
  return EXIT.ok
}
