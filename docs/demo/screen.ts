/**
 * What the demo prints: headings, commands, their output, packets.
 *
 * @module
 */
import { setTimeout as sleep } from 'node:timers/promises'

const { env, stdout } = process

/** Set for a demo inside of a virtual machine whose output goes to a terminal outside. */
export const TERMINAL_VARIABLE = 'SOLIPSEC_DEMO_TERMINAL'

export const onTerminal = stdout.isTTY || env[TERMINAL_VARIABLE] === '1'

/** https://no-color.org */
const coloured = !env.NO_COLOR && (onTerminal || (env.FORCE_COLOR ?? '0') !== '0')

const STYLES = { bold: '1', dim: '2', red: '31', green: '32', yellow: '33', cyan: '36' } as const

export function paint(style: keyof typeof STYLES, text: string): string {
  return coloured ? `\x1b[${STYLES[style]}m${text}\x1b[0m` : text
}

export function print(text = ''): void {
  stdout.write(`${text}\n`)
}

export function heading(text: string): void {
  print(`\n${paint('bold', `── ${text} ${'─'.repeat(Math.max(0, 74 - text.length))}`)}`)
}

/** A command as one would type it. */
export function showCommand(words: readonly string[]): void {
  print(paint('cyan', `$ ${words.join(' ')}`))
}

/** Output of a command, or a file; lines that `dimmed` matches step back. */
export function showText(text: string, dimmed?: RegExp): void {
  for (const line of text.trimEnd().split('\n')) print(`  ${dimmed?.test(line) ? paint('dim', line) : line}`)
}

/** Something that was checked and found true. */
export function showFact(text: string): void {
  print(`${paint('green', '✔')} ${text}`)
}

/** Shows on a terminal that something is under way, and for how long. */
export async function waitingFor<T>(what: string, work: Promise<T>): Promise<T> {
  if (!onTerminal) return work
  const start = Date.now()
  const stop = new AbortController()
  const show = () => {
    const seconds = Math.round((Date.now() - start) / 1000)
    stdout.write(`\r\x1b[K${paint('dim', `… ${what}${seconds > 1 ? ` (${seconds} s)` : ''}`)}`)
  }
  const ticking = (async () => {
    await sleep(200, undefined, { signal: stop.signal })
    for (;;) {
      show()
      await sleep(1000, undefined, { signal: stop.signal })
    }
  })().catch(() => stdout.write('\r\x1b[K'))
  try {
    return await work
  } finally {
    stop.abort()
    await ticking
  }
}

const ROW = 16

/** A packet as numbers and as text; occurrences of `secret` stand out. */
export function showPacket(packet: Buffer, secret: string): void {
  const found = packet.indexOf(secret)
  const isSecret = (at: number) => found >= 0 && at >= found && at < found + secret.length
  for (let row = 0; row < packet.length; row += ROW) {
    const cells = [...packet.subarray(row, row + ROW)].map((byte, i) => {
      const character = byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '.'
      const mark = (text: string) => (isSecret(row + i) ? paint('red', text) : text)
      return { hex: mark(byte.toString(16).padStart(2, '0')), character: mark(character) }
    })
    const gap = '   '.repeat(ROW - cells.length)
    const hex = cells.map((cell) => cell.hex).join(' ')
    const text = cells.map((cell) => cell.character).join('')
    print(`  ${paint('dim', row.toString(16).padStart(4, '0'))}  ${hex}${gap}  ${text}`)
  }
}
