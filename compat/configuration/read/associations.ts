/**
 * SAs of a JSON document as the words that the parser of `ipseckeys` reads: whatever holds for an entry of Solaris holds
 * for one of JSON.
 *
 * @module
 */
import type { AlgorithmTable } from '../../../agent/model/algorithm.ts'
import type { LexedEntry, Token } from '../../solaris/ipseckey/lexer.ts'
import { looksLikeKey } from '../../solaris/ipseckey/redact.ts'
import type { JsonDocument } from '../document.ts'
import type { ConfigurationFiles } from '../environment.ts'
import type { JsonArray, JsonMember, JsonNode, JsonObject, Range } from '../json/tree.ts'
import type { Flaws } from '../validate.ts'
import { extensionOf } from '../vocabulary.ts'
import { standInKey } from './stand-in-key.ts'

/** An SA and the entry made of it. */
export interface AssociationSyntax {
  readonly node: JsonObject
  readonly entry: LexedEntry
  /** A key of it cannot be read here. The entry has another in its place, so that all the rest can be checked. */
  readonly isKeyless: boolean
}

/** Gives the digits of a key that stands elsewhere; reports why it cannot, and gives nothing. */
export type KeyReader = (reference: JsonObject) => string | undefined

/** The SAs of a list; those that the schema refuses and mere comments are left out. @param algorithms what their names mean */
export function associationSyntax(
  document: JsonDocument,
  items: JsonArray,
  pointer: string,
  flaws: Flaws,
  readKey: KeyReader,
  algorithms: AlgorithmTable,
): AssociationSyntax[] {
  return items.items.flatMap((node, index) => {
    if (node.kind !== 'object' || flaws.within(`${pointer}/${index}`)) return []
    if (!node.members.has('spi')) return []
    const protocol = node.members.get('protocol')?.value ?? node
    const writer = new Writer(document, readKey, algorithms)
    writer.word({ start: node.start, end: node.start + 1 }, 'add')
    writer.word(protocol, wordOf(document, protocol))
    writer.members(node, '')
    return [{ node, entry: entryOf(document, node, writer.tokens), isKeyless: writer.isKeyless }]
  })
}

/** The physical lines of an SA, as the lexer of key files gives them. */
function entryOf(document: JsonDocument, node: JsonObject, tokens: Token[]): LexedEntry {
  return {
    tokens,
    problems: [],
    firstLine: document.line(node.start),
    lastLine: document.line(node.end),
    ...document.lines(node),
  }
}

class Writer {
  isKeyless = false
  readonly tokens: Token[] = []
  readonly #document: JsonDocument
  readonly #readKey: KeyReader
  readonly #algorithms: AlgorithmTable

  constructor(document: JsonDocument, readKey: KeyReader, algorithms: AlgorithmTable) {
    this.#document = document
    this.#readKey = readKey
    this.#algorithms = algorithms
  }

  /** In the order of the document: places must rise with the words. */
  members(node: JsonObject, prefix: string): void {
    for (const [name, member] of node.members) {
      const path = prefix + name
      const { value } = member
      const extension = extensionOf(path)
      if (path === 'direction')
        this.word(member.name, wordOf(this.#document, value) === 'in' ? 'inbound' : 'outbound')
      else if (extension !== undefined) this.#extension(extension, member, node)
      else if (value.kind === 'object') {
        if (path === 'encapsulation') {
          this.word(member.name, 'encap')
          this.word(member.name, 'udp')
        }
        this.members(value, `${path}.`)
      }
    }
  }

  /** @param owner the object that has it as a member */
  #extension(extension: string, { name, value }: JsonMember, owner: JsonObject): void {
    this.word(name, extension)
    if (value.kind === 'scalar') this.word(value, wordOf(this.#document, value))
    else if (value.kind === 'object') {
      if (extension.endsWith('key')) this.#reference(value, extension === 'encrkey', owner)
      else this.#identity(value)
    }
  }

  #reference(reference: JsonObject, isCipher: boolean, owner: JsonObject): void {
    const digits = this.#readKey(reference)
    if (digits === undefined) this.isKeyless = true
    const algorithm = owner.members.get('algorithm')?.value ?? owner
    const standIn = () => standInKey(this.#algorithms, isCipher, wordOf(this.#document, algorithm))
    this.word({ start: reference.start, end: reference.start + 1 }, digits ?? standIn())
  }

  #identity(identity: JsonObject): void {
    for (const part of ['type', 'value']) {
      const value = identity.members.get(part)?.value
      if (value) this.word(value, wordOf(this.#document, value))
    }
  }

  word(place: Range, text: string): void {
    this.tokens.push(token(this.#document, place, text))
  }
}

function wordOf(document: JsonDocument, node: JsonNode): string {
  return node.kind === 'scalar' ? document.word(node) : ''
}

function token(document: JsonDocument, range: Range, text: string): Token {
  const { start, text: shown } = document.token(range)
  return { text, start, end: start + shown.length }
}

/** Reads keys from where they are; says what is wrong with files, and with keys in a document that others can read. */
export function keyReader(document: JsonDocument, files: ConfigurationFiles): KeyReader {
  return (reference) => {
    const [[kind, member] = []] = reference.members
    if (member?.value.kind !== 'scalar') return undefined
    const at = document.token(member.value)
    const name = document.word(member.value)
    const found = kind === 'file' ? files.read(name, 'key') : files.credential(name)
    if ('problem' in found) {
      if (found.isUnknown) document.report.warning(at, found.problem)
      else document.report.error(at, found.problem)
      return undefined
    }
    if (found.isExposed && kind === 'file') warnOfExposure(document, member.value, found.name)
    const digits = found.text.trim()
    if (/^[^\s]+$/.test(digits)) return digits
    const expected = 'a file with the hexadecimal digits of one key and nothing else'
    document.report.error(at, `${found.name} does not hold a key`, { expected })
    return undefined
  }
}

function warnOfExposure(document: JsonDocument, place: Range, file: string): void {
  document.report.warning(document.token(place), `${file} has insecure permissions`, {
    hint: 'It should belong to root, mode 0600 or 0400.',
  })
}

/** A document with keys in it must be for root alone, as a key file. */
export function warnOfExposedKeys(document: JsonDocument, items: JsonArray): void {
  const first = items.items.flatMap((item) => inlineKeys(item)).at(0)
  if (!first) return
  document.report.warning(document.token(first), `${document.file} holds keys and has insecure permissions`, {
    hint: 'It should belong to root, mode 0600 or 0400. Keys may stand elsewhere: { "file": … }, { "credential": … }.',
  })
}

/** Keys, and comments with what may be keys: an SA that was taken out. */
function inlineKeys(node: JsonNode, name = ''): JsonNode[] {
  if (node.kind === 'array') return node.items.flatMap((item) => inlineKeys(item, name))
  if (node.kind === 'object') {
    return [...node.members].flatMap(([member, { value }]) => inlineKeys(value, member))
  }
  const isKey = name === 'key' || (name === 'comment' && String(node.value).split(/\s+/).some(looksLikeKey))
  return isKey ? [node] : []
}
