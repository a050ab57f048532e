/**
 * The command line of `solipsec listen`.
 *
 * @module
 */

import { parseAddress } from '../../../../agent/model/address.ts'
import type { Place } from '../../../../agent/sockets/client/open.ts'
import { LONGEST_WAIT } from '../../../../agent/sockets/message.ts'
import type { ParsedOption } from '../../support/getopt.ts'

export const optionTable = {
  short: '',
  long: {
    policy: 'value',
    address: 'value',
    port: 'value',
    udp: 'flag',
    wait: 'value',
    name: 'value',
    netns: 'value',
  },
} as const

export interface Request {
  /** JSON, or the name of a file with it; absent: what the configuration says for the unit that this runs in. */
  readonly policy?: string
  readonly place: Place
  readonly type: 'tcp' | 'udp'
  /** Seconds. */
  readonly wait: number
  /** For `LISTEN_FDNAMES`. */
  readonly name?: string
  readonly program: string
  /** All words of the command, its own name included. */
  readonly argv: readonly string[]
  readonly netns?: string
}

type Interpreted = { readonly request: Request } | { readonly usage: string }

export function interpret(options: readonly ParsedOption[], operands: readonly string[]): Interpreted {
  const value = (wanted: string): string | undefined => options.findLast(({ name }) => name === wanted)?.value
  const policy = value('policy')
  const address = value('address') ?? '0.0.0.0'
  if (!parseAddress(address)) return { usage: `--address: '${address}' is not an IP address` }
  const portText = value('port')
  if (portText === undefined) return { usage: '--port is missing' }
  const port = integer(portText, 65535)
  if (port === undefined) return { usage: `--port: '${portText}' is not a port number` }
  const waitText = value('wait') ?? '0'
  const wait = integer(waitText, LONGEST_WAIT)
  if (wait === undefined)
    return { usage: `--wait: '${waitText}' is not a number of seconds up to ${LONGEST_WAIT}` }
  const name = value('name')
  if (name !== undefined && !/^[\x20-\x39\x3b-\x7e]{1,255}$/.test(name)) {
    return { usage: '--name: a name has up to 255 characters, without control characters and colons' }
  }
  const [program] = operands
  if (program === undefined) return { usage: 'a command is missing' }
  const netns = value('netns')
  const type = options.some((option) => option.name === 'udp') ? 'udp' : 'tcp'
  const optional = {
    ...(policy !== undefined && { policy }),
    ...(name !== undefined && { name }),
    ...(netns !== undefined && { netns }),
  }
  return { request: { place: { address, port }, type, wait, ...optional, program, argv: operands } }
}

function integer(text: string, largest: number): number | undefined {
  return /^[0-9]{1,5}$/.test(text) && Number(text) <= largest ? Number(text) : undefined
}
