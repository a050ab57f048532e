/**
 * Reads the extensions of one command into typed slots.
 *
 * @module
 */
import type { Address, Prefix } from '../../../agent/model/address.ts'
import { type Algorithm, PROTOCOL_AH, PROTOCOL_ESP } from '../../../agent/model/algorithm.ts'
import type { Identity, SaState } from '../../../agent/model/association.ts'
import { nearest } from '../../nearest.ts'
import type { EntryReader } from './entry.ts'
import {
  type AddressesSlot,
  type AlgorithmSlot,
  type CounterSlot,
  EXTENSION_NAMES,
  EXTENSIONS,
  type ExtensionName,
  type FlagSlot,
  type IdentitySlot,
  type KeySlot,
  type NatAddressSlot,
  type NumberSlot,
  type PortSlot,
  type PrefixSlot,
  type ProtocolSlot,
  REFUSED_EXTENSIONS,
  type Slot,
  TARGET_SLOTS,
} from './extension-names.ts'
import type { RawKey } from './keys.ts'
import type { Token } from './lexer.ts'
import {
  didYouMean,
  type Given,
  type NamedAddresses,
  readAddress,
  readAddresses,
  readAlgorithm,
  readBigNumber,
  readEncapsulation,
  readIdentity,
  readKey,
  readNumber,
  readPort,
  readPrefix,
  readProtocol,
  readState,
} from './values.ts'

type SlotValues = Record<NumberSlot | PortSlot | ProtocolSlot, number> &
  Record<CounterSlot, bigint> &
  Record<AddressesSlot, NamedAddresses> &
  Record<PrefixSlot, Prefix> &
  Record<NatAddressSlot, Address> &
  Record<AlgorithmSlot, Algorithm> &
  Record<KeySlot, RawKey> &
  Record<IdentitySlot, Identity> &
  Record<FlagSlot | 'encapsulation', true> & { state: SaState }

/** What one command gave, by slot. */
export type Fields = { [S in Slot]?: Given<SlotValues[S]> }

const MAX_SPI = 0xffff_ffff
const MAX_UINT32 = 0xffff_ffffn
const MAX_UINT64 = 0xffff_ffff_ffff_ffffn
/** The largest anti-replay window that the kernel keeps. Solaris stops at 255, and cuts larger numbers. */
const MAX_REPLAY_WINDOW = 4096

/** Reads extensions up to the end of the entry. `command` is the word that they belong to, for messages. */
export function readExtensions(reader: EntryReader, command: string, onlyTarget: boolean): Fields {
  const fields: Fields = {}
  for (let name = reader.take(); name; name = reader.take()) {
    const known = EXTENSIONS.get(name.text)
    const refused = REFUSED_EXTENSIONS.get(name.text)
    if (known && (!onlyTarget || TARGET_SLOTS.has(known.slot))) {
      readExtension(reader, name, known, fields)
    } else if (known || refused) {
      const use = onlyTarget ? `'${command}' command` : 'add/update'
      reader.error(`Don't use extension ${name.text} for ${use}.`, name, undefined, refused)
      skipValue(reader)
    } else {
      unknownExtension(reader, name)
      skipValue(reader)
    }
  }
  return fields
}

function readExtension(reader: EntryReader, name: Token, known: ExtensionName, fields: Fields): void {
  const isSecond = fields[known.slot] !== undefined
  const target: Fields = isSecond ? {} : fields
  readSlot(reader, name, known, target)
  if (isSecond) {
    const hint = 'Synonyms count as the same extension.'
    reader.error(`Can only specify single ${name.text}.`, name, undefined, hint)
  }
}

function skipValue(reader: EntryReader): void {
  for (let token = reader.peek(); token && !EXTENSION_NAMES.has(token.text); token = reader.peek())
    reader.take()
}

function unknownExtension(reader: EntryReader, name: Token): void {
  const hint = strayWordHint(name.text) ?? didYouMean(nearest(name.text, EXTENSION_NAMES))
  reader.error(`Unknown extension field ${reader.quote(name)}`, name, 'the name of an extension', hint)
}

function strayWordHint(word: string): string | undefined {
  if (word.startsWith('#'))
    return 'A comment needs a line of its own: "#" must be the first character of a command.'
  if (word === '\\')
    return 'A backslash joins lines only where the newline follows it directly, without blank or CR.'
  return undefined
}

/** `READERS` ties each slot to its type; an assignment through a union of slots is beyond the type checker. */
function readSlot(reader: EntryReader, name: Token, known: ExtensionName, fields: Fields): void {
  const given = READERS[known.slot](reader, name, known)
  if (given) (fields as Record<Slot, unknown>)[known.slot] = given
}

type SlotReader<S extends Slot> = (
  reader: EntryReader,
  name: Token,
  known: ExtensionName,
) => Given<SlotValues[S]> | undefined

const spi = (reader: EntryReader, name: Token) => readSpi(reader, name)
const allocations = (reader: EntryReader) => readBigNumber(reader, MAX_UINT32)
const counter = (reader: EntryReader) => readBigNumber(reader, MAX_UINT64)
const addresses = (reader: EntryReader, _: Token, known: ExtensionName) =>
  readAddresses(reader, known.onlyInet6)
const prefix = (reader: EntryReader, _: Token, known: ExtensionName) => readPrefix(reader, known.onlyInet6)
const port = (reader: EntryReader) => readPort(reader, 0)
const natPort = (reader: EntryReader) => readPort(reader, 1)
const flag = (_: EntryReader, name: Token): Given<true> => ({ value: true, token: name })

const READERS: { readonly [S in Slot]: SlotReader<S> } = {
  spi,
  pairSpi: spi,
  replayWindow: (reader) => readNumber(reader, 0, MAX_REPLAY_WINDOW),
  replayValue: counter,
  state: readState,
  authAlgorithm: (reader) => readAlgorithm(reader, PROTOCOL_AH),
  encrAlgorithm: (reader) => readAlgorithm(reader, PROTOCOL_ESP),
  softBytes: counter,
  hardBytes: counter,
  softAddTime: counter,
  hardAddTime: counter,
  softUseTime: counter,
  hardUseTime: counter,
  softAllocations: allocations,
  hardAllocations: allocations,
  idleAddTime: counter,
  idleUseTime: counter,
  source: addresses,
  destination: addresses,
  innerSource: prefix,
  innerDestination: prefix,
  sourcePort: port,
  destinationPort: port,
  innerSourcePort: port,
  innerDestinationPort: port,
  upperProtocol: readProtocol,
  innerProtocol: readProtocol,
  authKey: (reader) => readKey(reader, 'authentication'),
  encrKey: (reader) => readKey(reader, 'encryption'),
  sourceIdentity: readIdentity,
  destinationIdentity: readIdentity,
  natLocal: readAddress,
  natRemote: readAddress,
  natLocalPort: natPort,
  natRemotePort: natPort,
  encapsulation: readEncapsulation,
  inbound: flag,
  outbound: flag,
  saltBits: (reader) => readNumber(reader, 0, 255),
}

function readSpi(reader: EntryReader, name: Token): Given<number> | undefined {
  const given = readNumber(reader, 0, MAX_SPI)
  if (given?.value !== 0) return given
  reader.error('Invalid SPI value "0" .', given.token, `an SPI from 256 to ${MAX_SPI}`, spiHint(name.text))
  return undefined
}

function spiHint(name: string): string | undefined {
  return name === 'pair-spi' ? 'A pair cannot be undone by 0: delete the SA and add it again.' : undefined
}
