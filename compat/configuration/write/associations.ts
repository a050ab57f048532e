/**
 * Entries of `ipseckeys` as JSON. Names stay names, nothing is looked up; keys go over as their digits.
 *
 * @module
 */
import { defaultAlgorithmTable } from '../../../agent/model/default-algorithms.ts'
import type { Diagnostic } from '../../../agent/model/diagnostic.ts'
import { append } from '../../../agent/model/lists.ts'
import type { Association } from '../../../schemas/generated/configuration.ts'
import { EntryReader, Parsing, type Range } from '../../solaris/ipseckey/entry.ts'
import { EXTENSIONS, type ExtensionName, type Slot } from '../../solaris/ipseckey/extension-names.ts'
import { type LexedEntry, lex, SourceText, type Token } from '../../solaris/ipseckey/lexer.ts'
import { reportLexicalProblems } from '../../solaris/ipseckey/parser.ts'
import { COMMANDS, saType } from '../../solaris/ipseckey/words.ts'
import { commentOf, textOfComment } from '../comments.ts'
import { memberOf } from '../vocabulary.ts'
import { attach, type PlacedComment } from './attach.ts'
import { complaints, Places, scalarOf } from './places.ts'

export interface AssociationsFromSolaris {
  readonly associations: readonly Association[]
  readonly diagnostics: readonly Diagnostic[]
}

/** Converting looks nothing up. */
const OPTIONS = {
  algorithms: defaultAlgorithmTable,
  resolver: {
    addresses: () => [],
    network: () => undefined,
    service: () => undefined,
    protocol: () => undefined,
    hostName: () => undefined,
    serviceName: () => undefined,
    protocolName: () => undefined,
  },
}

/** A key file as the section `associations`. Use it only where no diagnostic is an error. */
export function associationsFromSolaris(text: string, file: string): AssociationsFromSolaris {
  const parsing = new Parsing(new SourceText(text, file), OPTIONS)
  const entries = [...lex(text)].filter(({ tokens }) => tokens.length > 0)
  const attached = attach(commentsBetween(parsing, entries), entries)
  const associations: Association[] = []
  const diagnostics: Diagnostic[] = []
  let [hasAny, hasQuit] = [false, false]
  for (const [index, { standing, own }] of attached.entries()) {
    for (const block of standing) associations.push({ comment: commentOf(block) ?? '' })
    const comment = commentOf(own)
    const lexed = hasQuit ? undefined : entries[index]
    const reader = lexed && new EntryReader(parsing, lexed)
    const converter = reader && new Converter(reader)
    const association = converter?.entry(!hasAny)
    hasAny ||= association !== undefined
    if (converter?.hasQuit) {
      hasQuit = true
      if (index < entries.length - 1) reader?.warn('Nothing after this line is read.', lexed?.tokens[0])
    }
    if (reader) append(diagnostics, reader.diagnostics)
    if (association) associations.push(comment === undefined ? association : { comment, ...association })
    else if (comment !== undefined) associations.push({ comment })
  }
  return { associations, diagnostics }
}

function commentsBetween({ source }: Parsing, entries: readonly LexedEntry[]): PlacedComment[] {
  const comments: PlacedComment[] = []
  let from = 0
  for (const { start, end } of [...entries, { start: source.text.length, end: source.text.length }]) {
    for (const { 0: line, index } of source.text.slice(from, start).matchAll(/[^\n]+/g)) {
      const at = from + index
      if (line.trim() !== '')
        comments.push({ text: textOfComment(line), start: at, line: source.position(at).line })
    }
    from = end
  }
  return comments
}

class Converter {
  hasQuit = false
  readonly #reader: EntryReader
  readonly #places = new Places<Range>()
  readonly #slots = new Map<Slot, Token>()

  constructor(reader: EntryReader) {
    this.#reader = reader
  }

  /** The SA of an `add`; `undefined` where the entry is none, or is wrong. */
  entry(isFirst: boolean): Association | undefined {
    const reader = this.#reader
    reportLexicalProblems(reader)
    const command = reader.take()
    if (!command || reader.failed) return undefined
    const kind = COMMANDS.get(command.text)?.kind
    this.hasQuit = kind === 'quit'
    if (this.hasQuit) return undefined
    if (kind === 'add') return this.#add(command)
    if (kind === 'flush' && isFirst) {
      reader.warn('flush is left out: a configuration says all that is to be there', command)
    } else if (kind) {
      const hint = 'Write down what is to be there in the end, or keep this file for ipseckey -f.'
      reader.error(`${command.text} cannot be part of a configuration`, command, '"add"', hint)
    } else reader.error(`Unknown command (${reader.quote(command)}).`, command, '"add"')
    return undefined
  }

  #add(command: Token): Association | undefined {
    const reader = this.#reader
    const type = reader.take()
    const protocol = type && saType(type.text)
    if (protocol !== 'ah' && protocol !== 'esp') {
      reader.error('Must specify a specific SA type.', type ?? command, '"ah" or "esp"')
      return undefined
    }
    const association: { protocol: 'ah' | 'esp'; spi?: Association['spi'] } = { protocol }
    for (let name = reader.take(); name; name = reader.take()) this.#extension(name, association)
    this.#checkEncapsulation()
    if (reader.failed) return undefined
    const document = { associations: [association] }
    for (const { path, message, expected } of complaints(document)) {
      reader.error(message, this.#places.find(document, path) ?? command, expected)
    }
    const { spi } = association
    return reader.failed || spi === undefined ? undefined : { ...association, spi }
  }

  #extension(name: Token, association: object): void {
    const known = EXTENSIONS.get(name.text)
    const reader = this.#reader
    if (!known) {
      reader.error(`Unknown extension field ${reader.quote(name)}`, name, 'the name of an extension')
      return
    }
    if (this.#slots.has(known.slot)) reader.error(`Can only specify single ${name.text}.`, name)
    this.#slots.set(known.slot, name)
    this.#value(name, known, association)
  }

  #value(name: Token, { slot }: ExtensionName, association: object): void {
    const path = memberOf(name.text) ?? []
    if (slot === 'inbound' || slot === 'outbound') {
      this.#places.set(association, ['direction'], slot === 'inbound' ? 'in' : 'out', name)
      return
    }
    const value = this.#take(name)
    if (!value) return
    if (slot === 'sourceIdentity' || slot === 'destinationIdentity') {
      this.#places.set(association, [...path, 'type'], scalarOf(value.text), value)
      const second = this.#take(name)
      if (second) this.#places.set(association, [...path, 'value'], second.text, second)
    } else if (slot === 'encapsulation') {
      if (!value.text.startsWith('udp'))
        this.#reader.error('Can only specify udp encapsulation.', value, '"udp"')
    } else {
      const word = TEXTS.has(slot) ? value.text : scalarOf(value.text)
      this.#places.set(association, path, slot === 'state' ? value.text.toLowerCase() : word, value)
    }
  }

  #take(name: Token): Token | undefined {
    const value = this.#reader.take()
    if (!value) this.#reader.error(`Unexpected end of command line, was expecting a value for ${name.text}.`)
    return value
  }

  #checkEncapsulation(): void {
    const slots = this.#slots
    const nat = NAT.flatMap((slot) => slots.get(slot) ?? []).at(0)
    const encap = slots.get('encapsulation')
    if (nat && !encap) this.#reader.error("Must specify 'encap udp' with any NAT-T address or port.", nat)
    if (encap && !nat) {
      this.#reader.error('Must specify NAT-T remote or local address for UDP encapsulation.', encap)
    }
    const [inbound, outbound] = [slots.get('inbound'), slots.get('outbound')]
    if (inbound && outbound) this.#reader.error('An SA is either inbound or outbound', outbound)
  }
}

const NAT = ['natLocal', 'natRemote', 'natLocalPort', 'natRemotePort'] as const

/** Values that are text whatever they look like. */
const TEXTS: ReadonlySet<Slot> = new Set<Slot>([
  ...(['source', 'destination', 'innerSource', 'innerDestination', 'natLocal', 'natRemote'] as const),
  ...(['authKey', 'encrKey', 'state'] as const),
])
