/**
 * What every command does first: take its arguments apart, answer `--help` and `--version`, refuse bad usage.
 *
 * @module
 */
import { readFileSync } from 'node:fs'
import { conclude } from './exit.ts'
import type { OptionTable, ParsedOption } from './getopt.ts'
import { getopt, standardLongOptions } from './getopt.ts'
import type { Io } from './io.ts'
import { PACKAGE_ROOT } from './package-root.ts'

export interface StartedCommand {
  readonly options: readonly ParsedOption[]
  readonly operands: readonly string[]
}

/**
 * @param table the command's own options; `--help` and `--version` are added
 * @returns the arguments, or the exit code where there is nothing left to do
 */
export async function start(
  command: string,
  table: OptionTable,
  argv: readonly string[],
  io: Io,
): Promise<StartedCommand | number> {
  const parsed = getopt(argv, { short: table.short, long: { ...table.long, ...standardLongOptions } })
  if (parsed.options.some((option) => option.name === 'help')) {
    const { helpText } = await import('./manual/help.ts')
    io.stdout.write(helpText(command))
    return 0
  }
  if (parsed.options.some((option) => option.name === 'version')) {
    io.stdout.write(`${command} (solipsec) ${packageVersion()}\n`)
    return 0
  }
  if (parsed.error !== undefined) return usageError(command, parsed.error, io)
  return parsed
}

/**
 * Says what is wrong with the command line, then how it should look (not to a service's log).
 *
 * @returns the exit code
 */
export async function usageError(command: string, message: string, io: Io): Promise<number> {
  io.stderr.write(`${command}: ${message}\n`)
  if (!io.service) {
    const { synopsisText } = await import('./manual/help.ts')
    io.stderr.write(synopsisText(command))
  }
  return io.service ? conclude('fatal', io) : 1
}

/** The version of solipsec. */
export function packageVersion(): string {
  const text = readFileSync(new URL('package.json', PACKAGE_ROOT), 'utf8')
  return (JSON.parse(text) as { version: string }).version
}
