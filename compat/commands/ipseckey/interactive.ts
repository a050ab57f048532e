/**
 * The prompt of ipseckey(8): commands line by line, with history and completion on a terminal.
 *
 * @module
 */
import { createInterface, type Interface } from 'node:readline'
import type { AlgorithmTable } from '../../../agent/model/algorithm.ts'
import { hasErrors } from '../../../agent/model/diagnostic.ts'
import * as systemResolver from '../../../netlink/libc/names.ts'
import { complete } from '../../solaris/ipseckey/completion.ts'
import { isContinued } from '../../solaris/ipseckey/lexer.ts'
import { parseInteractive } from '../../solaris/ipseckey/parser.ts'
import { holdsSecret } from '../../solaris/ipseckey/redact.ts'
import { algorithmTable } from '../support/algorithms.ts'
import { CommandError } from '../support/exit.ts'
import { explain } from '../support/explain.ts'
import type { Io } from '../support/io.ts'
import { report } from '../support/report.ts'
import type { Request } from './arguments.ts'
import { execute } from './execute.ts'

const PROMPT = 'ipseckey> '
const CONTINUATION = '> '

/** Reads and carries out commands until `quit` or the end of the input. Errors do not end it. */
export async function interact(request: Request, io: Io): Promise<void> {
  const algorithms = await algorithmTable(io)
  const lines = openLines(algorithms, io)
  const dialogue = new Dialogue(request, algorithms, io)
  // On a terminal Ctrl-C comes as a key press: it ends a monitor, or throws away what was typed.
  lines.on('SIGINT', () => {
    if (dialogue.interrupt()) return
    io.stdout.stream().write('^C\n')
    lines.write(null, { ctrl: true, name: 'e' })
    lines.write(null, { ctrl: true, name: 'u' })
    prompt(lines, PROMPT)
  })
  // A signal from outside: what is under way is finished, and nothing more is read.
  io.interrupted.addEventListener('abort', () => lines.close(), { once: true })
  try {
    prompt(lines, PROMPT)
    for await (const line of lines) {
      const next = await dialogue.take(line)
      if (next === 'end' || io.interrupted.aborted) break
      prompt(lines, next === 'more' ? CONTINUATION : PROMPT)
    }
  } finally {
    lines.close()
  }
  if (io.interrupted.aborted) throw new CommandError('Interrupted.')
}

function openLines(algorithms: AlgorithmTable, io: Io): Interface {
  const terminal = io.stdin.isTTY && io.stdout.isTTY
  const lines = createInterface({
    input: io.stdin.stream(),
    // Text that comes from a file or a pipe has no use for prompts among the output.
    ...(terminal && { output: io.stdout.stream() }),
    terminal,
    completer: (line: string) => complete(line, algorithms),
    historySize: terminal ? 100 : 0,
    removeHistoryDuplicates: true,
  })
  // A key does not stay in memory, for anyone with the arrow keys to find.
  lines.on('history', (history) => {
    if (history[0] !== undefined && holdsSecret(history[0])) history.shift()
  })
  return lines
}

function prompt(lines: Interface, text: string): void {
  lines.setPrompt(text)
  lines.prompt()
}

/** What has been typed, and the command under way. */
class Dialogue {
  readonly #request: Request
  readonly #algorithms: AlgorithmTable
  readonly #io: Io
  #pending = ''
  #running: AbortController | undefined

  constructor(request: Request, algorithms: AlgorithmTable, io: Io) {
    this.#request = request
    this.#algorithms = algorithms
    this.#io = io
  }

  /** Takes a line. `more`: the command goes on in the next one. */
  async take(line: string): Promise<'more' | 'done' | 'end'> {
    const text = this.#pending + line
    const more = isContinued(text)
    this.#pending = more ? `${text}\n` : ''
    if (more) return 'more'
    const { numeric } = this.#request
    const options = { algorithms: this.#algorithms, resolver: systemResolver, numeric }
    const { commands, entries, diagnostics } = parseInteractive(text, options)
    await report(diagnostics, this.#io)
    if (commands.some(({ kind }) => kind === 'quit')) return 'end'
    if (!hasErrors(diagnostics)) await this.#run((interrupted) => this.#execute(entries, interrupted))
    this.#io.stdout.flush()
    return 'done'
  }

  /** Ends the command under way, or else forgets the lines typed so far. True where there was a command. */
  interrupt(): boolean {
    this.#pending = ''
    this.#running?.abort()
    return this.#running !== undefined
  }

  #execute(entries: Parameters<typeof execute>[0], interrupted: AbortSignal): Promise<void> {
    const algorithms = this.#algorithms
    return execute(entries, {
      algorithms,
      request: this.#request,
      io: this.#io,
      flushFirst: false,
      interrupted,
    })
  }

  async #run(work: (interrupted: AbortSignal) => Promise<void>): Promise<void> {
    this.#running = new AbortController()
    try {
      await work(AbortSignal.any([this.#running.signal, this.#io.interrupted]))
    } catch (error) {
      const failure = error instanceof CommandError ? error : explain(error)
      if (!failure) throw error
      if (failure.message !== '') this.#io.stderr.write(`${failure.message}\n`)
    } finally {
      this.#running = undefined
    }
  }
}
