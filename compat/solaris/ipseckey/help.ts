/**
 * The text of the `help` command.
 *
 * @module
 */
import { nearest } from '../../nearest.ts'
import { COMMANDS } from './words.ts'

interface Topic {
  readonly usage: string
  readonly summary: string
  readonly detail: string
}

const NAMING =
  'spi NUMBER, dst ADDRESS; and where that is not enough src, proto, sport, dport, inbound or outbound'

const TOPICS: Readonly<Record<string, Topic>> = {
  add: {
    usage: 'add ah|esp EXTENSION VALUE …',
    summary: 'add a security association',
    detail: `Needs spi, dst, an algorithm and its key:
  spi NUMBER                256 or above
  src, dst ADDRESS|NAME     src6 and dst6 take IPv6 addresses only
  auth_alg, encr_alg NAME   as "ipsecalgs" lists them
  authkey, encrkey HEX[/BITS]
  reserved_bits NUMBER      the last bits of encrkey that are salt
May have:
  proto, sport, dport       the traffic of a transport mode SA
  isrc, idst ADDRESS[/LEN], isport, idport, iproto
                            the traffic inside a tunnel mode SA
  {soft,hard}_{bytes,addtime,usetime,alloc}, idle_{addtime,usetime}
  replay, replay_value      anti-replay window and counter
  pair-spi NUMBER           the SA of the other direction
  encap udp, nat_loc, nat_rem, nat_lport, nat_rport
  srcidtype, dstidtype TYPE VALUE
  inbound | outbound, state mature`,
  },
  update: {
    usage: 'update ah|esp EXTENSION VALUE …',
    summary: 'change lifetimes, state, pair or replay counter of an SA',
    detail: 'Names the SA by spi and dst. Keys and algorithms of an SA cannot be changed.',
  },
  'update-pair': {
    usage: 'update-pair ah|esp EXTENSION VALUE …',
    summary: 'the same for both SAs of a pair',
    detail: 'Names one of the two by spi and dst.',
  },
  delete: {
    usage: 'delete ah|esp EXTENSION VALUE …',
    summary: 'delete an SA',
    detail: `Named by ${NAMING}.`,
  },
  'delete-pair': {
    usage: 'delete-pair ah|esp EXTENSION VALUE …',
    summary: 'delete an SA and its pair',
    detail: `Named by ${NAMING}.`,
  },
  get: { usage: 'get ah|esp EXTENSION VALUE …', summary: 'show an SA', detail: `Named by ${NAMING}.` },
  flush: { usage: 'flush [ah|esp|all]', summary: 'delete all SAs', detail: 'Without a type: all of them.' },
  dump: {
    usage: 'dump [ah|esp|all]',
    summary: 'show all SAs',
    detail: 'Shows keys, unless started with -p.',
  },
  save: {
    usage: 'save ah|esp|all [FILE]',
    summary: 'write all SAs as a key file',
    detail: 'Without FILE, or with "-": standard output. Load the file again with "ipseckey -f FILE".',
  },
  monitor: {
    usage: 'monitor',
    summary: 'show events until interrupted',
    detail: 'Shows every message, those of other programs included.',
  },
  passive_monitor: {
    usage: 'passive_monitor, pmonitor',
    summary: 'the same, only messages for all listeners',
    detail: 'Shows what any key management daemon is told.',
  },
  help: { usage: 'help, ? [COMMAND]', summary: 'this text', detail: 'With a command: what it takes.' },
  quit: { usage: 'quit, exit', summary: 'leave', detail: 'In a file: the rest is not read.' },
}

const SYNONYMS: Readonly<Record<string, string>> = {
  pmonitor: 'passive_monitor',
  '?': 'help',
  exit: 'quit',
}

/** Help on everything, or on one command. */
export function helpText(topic?: string): string {
  if (topic === undefined) return overview()
  const found = TOPICS[SYNONYMS[topic] ?? topic]
  if (found) return `${found.usage}\n    ${found.summary}\n\n${found.detail}\n`
  const near = nearest(topic, COMMANDS.keys())
  const hint = near === undefined ? '' : ` Did you mean "${near}"?`
  return `There is no such command.${hint}\n\n${overview()}`
}

function overview(): string {
  const topics = Object.values(TOPICS)
  const width = Math.max(...topics.map(({ usage }) => usage.length))
  const lines = topics.map(({ usage, summary }) => `  ${usage.padEnd(width)}  ${summary}`)
  return `Commands:\n${lines.join('\n')}\n\nA number is decimal, 0x hexadecimal or 0 octal.\n`
}
