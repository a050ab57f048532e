/**
 * The fixed words of the key language other than extension names, and the PF_KEY numbers that they stand for.
 * Parser, printers and completion read the same tables.
 *
 * @module
 */
import type { SaProtocol, SaState } from '../../../agent/model/association.ts'
import { PROTOCOLS_WITH_PORTS as MODEL_PROTOCOLS_WITH_PORTS } from '../../../agent/model/policy.ts'
import type { KeyCommandKind } from './command.ts'
import { parseNumber } from './numbers.ts'

/** What follows the command word. */
export type Operands = 'association' | 'target' | 'type' | 'save' | 'help' | 'none'

export interface CommandWord {
  readonly kind: KeyCommandKind
  readonly operands: Operands
  readonly allowedInFile: boolean
  /** Commands that carry keys would show them in process lists. */
  readonly allowedAsOperands: boolean
}

function command(
  kind: KeyCommandKind,
  operands: Operands,
  allowedInFile = true,
  allowedAsOperands = true,
): CommandWord {
  return { kind, operands, allowedInFile, allowedAsOperands }
}

/** Command words; case counts. */
export const COMMANDS: ReadonlyMap<string, CommandWord> = new Map([
  ['add', command('add', 'association', true, false)],
  ['update', command('update', 'association')],
  ['update-pair', command('update-pair', 'association')],
  ['delete', command('delete', 'target')],
  ['delete-pair', command('delete-pair', 'target')],
  ['get', command('get', 'target')],
  ['flush', command('flush', 'type')],
  ['dump', command('dump', 'type', false)],
  ['monitor', command('monitor', 'none', false)],
  ['passive_monitor', command('monitor', 'none', false)],
  ['pmonitor', command('monitor', 'none', false)],
  ['save', command('save', 'save', false)],
  ['help', command('help', 'help', false)],
  ['?', command('help', 'help', false)],
  ['quit', command('quit', 'none')],
  ['exit', command('quit', 'none')],
])

/** SA types by word, any case. */
export const SA_TYPE_WORDS = ['ah', 'esp', 'all'] as const

/** PF_KEY numbers of the SA types (RFC 2367). */
export const SA_TYPE_NUMBERS: Readonly<Record<SaProtocol | 'all', number>> = { all: 0, ah: 2, esp: 3 }

/** An SA type by word (any case) or PF_KEY number. */
export function saType(word: string): SaProtocol | 'all' | undefined {
  const lower = word.toLowerCase()
  const number = parseNumber(word)
  return SA_TYPE_WORDS.find((type) => type === lower || SA_TYPE_NUMBERS[type] === number)
}

export const SA_STATES: readonly SaState[] = ['larval', 'mature', 'dying', 'dead']

/** Words for PF_KEY identity types. The first word for a number is the one that is printed. */
export const IDENTITY_TYPES: ReadonlyMap<string, number> = new Map([
  ['prefix', 1],
  ['fqdn', 2],
  ['domain', 2],
  ['domainname', 2],
  ['user_fqdn', 3],
  ['mailbox', 3],
  ['der_dn', 4],
  ['der_gn', 5],
])

/** The word for an identity type, or its number. */
export function identityTypeWord(type: number): string {
  for (const [word, number] of IDENTITY_TYPES) if (number === type) return word
  return String(type)
}

/** Upper protocols that have ports: tcp, udp, dccp, sctp, udplite; and 0, any. */
export const PROTOCOLS_WITH_PORTS: ReadonlySet<number> = new Set([0, ...MODEL_PROTOCOLS_WITH_PORTS])

export const IPPROTO_IPIP = 4
export const IPPROTO_IPV6 = 41

/** RFC 3947 section 4. */
export const NAT_T_PORT = 4500
