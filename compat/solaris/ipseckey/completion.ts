/**
 * Tab completion at the prompt, in the form that `node:readline` takes.
 *
 * @module
 */
import { type AlgorithmTable, PROTOCOL_AH, PROTOCOL_ESP } from '../../../agent/model/algorithm.ts'
import { EXTENSIONS, type Slot, TARGET_SLOTS } from './extension-names.ts'
import { COMMANDS, type CommandWord, IDENTITY_TYPES, SA_STATES, SA_TYPE_WORDS } from './words.ts'

/** Words that may come next, and the part of the line that they complete. */
export type Completion = [words: string[], typed: string]

/** Completes commands, SA types, extension names and the values that are fixed words. */
export function complete(line: string, algorithms: AlgorithmTable): Completion {
  const words = line.trimStart().split(/\s+/)
  const typed = words.pop() ?? ''
  const candidates = candidatesAfter(words, algorithms)
  return [candidates.filter((word) => word.startsWith(typed)).sort(), typed]
}

function candidatesAfter(words: readonly string[], algorithms: AlgorithmTable): string[] {
  const [name, ...operands] = words
  if (name === undefined) return [...COMMANDS.keys()]
  const command = COMMANDS.get(name)
  if (!command) return []
  if (command.operands === 'none') return []
  if (command.operands === 'help') return operands.length === 0 ? [...COMMANDS.keys()] : []
  if (operands.length === 0) return saTypesFor(command)
  if (command.operands === 'type' || command.operands === 'save') return []
  return extensionOrValue(command, operands.slice(1), algorithms)
}

function saTypesFor({ operands }: CommandWord): string[] {
  const takesAll = operands === 'type' || operands === 'save'
  return SA_TYPE_WORDS.filter((word) => takesAll || word !== 'all')
}

/** Walks over what is there already, to know whether a name or a value comes next. */
function extensionOrValue(
  command: CommandWord,
  words: readonly string[],
  algorithms: AlgorithmTable,
): string[] {
  const given = new Set<Slot>()
  let at = 0
  while (at < words.length) {
    const known = EXTENSIONS.get(words[at] ?? '')
    if (!known) return []
    given.add(known.slot)
    const end = at + 1 + valueCount(known.slot)
    if (end > words.length) return valueWords(known.slot, words.length - at - 1, algorithms)
    at = end
  }
  const allowed = [...EXTENSIONS].filter(
    ([, { slot }]) => !given.has(slot) && (command.operands === 'association' || TARGET_SLOTS.has(slot)),
  )
  return allowed.map(([word]) => word)
}

function valueCount(slot: Slot): number {
  if (slot === 'inbound' || slot === 'outbound') return 0
  return slot === 'sourceIdentity' || slot === 'destinationIdentity' ? 2 : 1
}

function valueWords(slot: Slot, position: number, algorithms: AlgorithmTable): string[] {
  switch (slot) {
    case 'authAlgorithm':
      return algorithmNames(algorithms, PROTOCOL_AH)
    case 'encrAlgorithm':
      return algorithmNames(algorithms, PROTOCOL_ESP)
    case 'state':
      return SA_STATES.filter((state) => state !== 'larval')
    case 'encapsulation':
      return ['udp']
    case 'sourceIdentity':
    case 'destinationIdentity':
      return position === 0 ? [...IDENTITY_TYPES.keys()] : []
    default:
      return []
  }
}

function algorithmNames({ algorithms }: AlgorithmTable, protocol: number): string[] {
  return algorithms.flatMap((entry) => (entry.protocol === protocol && entry.number !== 0 ? entry.names : []))
}
