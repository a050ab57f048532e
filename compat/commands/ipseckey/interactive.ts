/**
 * The prompt of ipseckey(8): commands line by line, with history and completion on a terminal.
 *
 * @module
 */
import { createInterface } from 'node:readline'
import { hasErrors } from '../../../agent/model/diagnostic.ts'
import * as systemResolver from '../../../netlink/libc/names.ts'
import { complete } from '../../solaris/ipseckey/completion.ts'
import { isContinued } from '../../solaris/ipseckey/lexer.ts'
import { parseInteractive } from '../../solaris/ipseckey/parser.ts'
import { algorithmTable, report } from '../ipsecconf/read-policy.ts'
import { CommandError } from '../support/exit.ts'
import { explain } from '../support/explain.ts'
import type { Io } from '../support/io.ts'
import type { Request } from './arguments.ts'
import { execute } from './execute.ts'

const PROMPT = 'ipseckey> '

/** Reads and carries out commands until `quit` or the end of the input. Errors do not end it. */
export async function interact(request: Request, io: Io): Promise<void> {
  const algorithms = await algorithmTable(io)
  const terminal = io.stdin.isTTY && io.stdout.isTTY
  const lines = createInterface({
    input: io.stdin.stream(),
    output: io.stdout.stream(),
    terminal,
    prompt: PROMPT,
    completer: (line: string) => complete(line, algorithms),
    // A history of keys would outlive the wish to have them on screen.
    historySize: terminal ? 100 : 0,
    removeHistoryDuplicates: true,
  })
  let pending = ''
  lines.prompt()
  for await (const line of lines) {
    pending += `${line}\n`
    if (isContinued(pending)) continue
    const parsed = parseInteractive(pending, {
      algorithms,
      resolver: systemResolver,
      numeric: request.numeric,
    })
    pending = ''
    await report(parsed.diagnostics, io)
    if (parsed.commands.some(({ kind }) => kind === 'quit')) break
    if (!hasErrors(parsed.diagnostics))
      await attempt(() => execute(parsed.entries, { algorithms, request, io, flushFirst: false }), io)
    io.stdout.flush()
    lines.prompt()
  }
  lines.close()
}

async function attempt(work: () => Promise<void>, io: Io): Promise<void> {
  try {
    await work()
  } catch (error) {
    const failure = error instanceof CommandError ? error : explain(error)
    if (!failure) throw error
    io.stderr.write(`${failure.message}\n`)
    io.stderr.flush()
  }
}
