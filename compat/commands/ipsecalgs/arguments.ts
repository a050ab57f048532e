/**
 * From the options of ipsecalgs(8) to what is asked for. Pure: names of protocols are looked up later, in the
 * file that is edited.
 *
 * @module
 */
import type { Algorithm, ExecutionMode, KeySizes } from '../../../agent/model/algorithm.ts'
import type { Reading } from '../../solaris/ipsecalgs/fields.ts'
import {
  isKeyword,
  isWord,
  keyList,
  keyRange,
  MAX_NUMBER,
  readBlockSizes,
  readFlags,
  readMechanism,
  readMode,
  readNames,
  readNumber,
} from '../../solaris/ipsecalgs/fields.ts'
import type { OptionTable, ParsedOption } from '../support/getopt.ts'

export const optionTable: OptionTable = {
  short: 'aflrRsb:p:P:i:k:K:m:n:N:e:S:M:I:F:',
  long: { json: 'flag', 'dry-run': 'flag', netns: 'value' },
}

/** A protocol by its number, its name, or both. */
export interface ProtocolReference {
  readonly number?: number
  readonly name?: string
}

export type Edit =
  | {
      readonly kind: 'add-algorithm'
      readonly protocol: ProtocolReference
      readonly algorithm: Omit<Algorithm, 'protocol'>
      readonly replace: boolean
    }
  | {
      readonly kind: 'add-protocol'
      readonly number: number
      readonly name: string
      readonly mode: ExecutionMode
    }
  | {
      readonly kind: 'remove-algorithm'
      readonly protocol: ProtocolReference
      readonly which: number | string
    }
  | { readonly kind: 'remove-protocol'; readonly protocol: ProtocolReference }
  | { readonly kind: 'set-mode'; readonly protocol: ProtocolReference; readonly mode: ExecutionMode }

export interface Request {
  readonly edit?: Edit
  readonly synchronise: boolean
  readonly listKernel: boolean
  readonly json: boolean
  readonly dryRun: boolean
  readonly netns?: string
}

/** What the options ask for; `usage` where they do not go together, `error` where a value is missing or bad. */
export type Interpretation =
  | { readonly request: Request }
  | { readonly usage: string }
  | { readonly error: string }

/** Options that say what to add or remove; without an action they mean nothing. */
const DETAILS = 'bpPikKmnNeSMIFf'

export function interpret(options: readonly ParsedOption[], operands: readonly string[]): Interpretation {
  if (operands.length > 0) return { usage: `unexpected operand '${operands[0]}'` }
  const given = new Map(options.map(({ name, value }) => [name, value ?? '']))
  const actions = ['a', 'r', 'R', 'l'].filter((name) => given.has(name))
  if (actions.length > 1) return { usage: 'Multiple commands specified' }
  if (given.has('l') && given.has('s')) return { usage: '-l and -s do not go together' }
  const action = actions[0] ?? (given.has('e') ? 'e' : undefined)
  const stray = [...DETAILS].find((name) => given.has(name))
  if ((action === undefined || action === 'l') && stray) return { usage: `-${stray} needs -a, -r, -R or -e` }
  const base = {
    synchronise: given.has('s'),
    listKernel: given.has('l'),
    json: given.has('json'),
    dryRun: given.has('dry-run'),
    ...(given.has('netns') && { netns: given.get('netns') ?? '' }),
  }
  if (
    base.json &&
    (action === 'a' || action === 'r' || action === 'R' || action === 'e' || base.synchronise)
  ) {
    return { usage: '--json is for listings' }
  }
  if (base.dryRun && (action === undefined || action === 'l') && !base.synchronise) {
    return { usage: '--dry-run is for changes' }
  }
  if (action === undefined || action === 'l') return { request: base }
  const edit = readEdit(action, given)
  return 'error' in edit ? edit : { request: { ...base, edit: edit.value } }
}

type Given = ReadonlyMap<string, string>

function readEdit(action: string, given: Given): Reading<Edit> {
  const protocol = readProtocol(given)
  if ('error' in protocol) return protocol
  if (action === 'a') {
    const describesAlgorithm = [...'nNmbkKiSMIF'].some((name) => given.has(name))
    return describesAlgorithm ? readAlgorithm(given, protocol.value) : readNewProtocol(given, protocol.value)
  }
  if (action === 'R') return { value: { kind: 'remove-protocol', protocol: protocol.value } }
  if (action === 'e') {
    const mode = readMode(given.get('e') ?? '')
    return mode
      ? { value: { kind: 'set-mode', protocol: protocol.value, mode } }
      : { error: 'Invalid execution mode value.' }
  }
  const which = readWhich(given)
  return 'error' in which
    ? which
    : { value: { kind: 'remove-algorithm', protocol: protocol.value, which: which.value } }
}

function readProtocol(given: Given): Reading<ProtocolReference> {
  const name = given.get('P')
  const text = given.get('p')
  const number = text === undefined ? undefined : readNumber(text, MAX_NUMBER)
  if (text !== undefined && number === undefined) return { error: 'Invalid protocol number value.' }
  if (name !== undefined && !isWord(name)) return { error: 'Invalid protocol name value.' }
  if (name === undefined && number === undefined) return { error: 'Missing protocol number.' }
  return { value: { ...(name !== undefined && { name }), ...(number !== undefined && { number }) } }
}

function readNewProtocol(given: Given, { name, number }: ProtocolReference): Reading<Edit> {
  if (number === undefined) return { error: 'Missing protocol number.' }
  if (name === undefined) return { error: 'Missing protocol name.' }
  const mode = readMode(given.get('e') ?? 'sync')
  return mode
    ? { value: { kind: 'add-protocol', number, name, mode } }
    : { error: 'Invalid execution mode value.' }
}

function readWhich(given: Given): Reading<number | string> {
  const name = given.get('n')
  if (name !== undefined) {
    return name.includes(',') ? { error: 'Invalid algorithm name value.' } : { value: name }
  }
  return readAlgorithmNumber(given)
}

function readAlgorithmNumber(given: Given): Reading<number> {
  const text = given.get('N')
  if (text === undefined) return { error: 'Missing algorithm number.' }
  const value = readNumber(text, MAX_NUMBER)
  // 0 is what `any` is in a policy.
  return value ? { value } : { error: 'Invalid algorithm number value.' }
}

function readAlgorithm(given: Given, protocol: ProtocolReference): Reading<Edit> {
  const number = readAlgorithmNumber(given)
  if ('error' in number) return number
  const keySizes = readKeyOptions(given)
  if ('error' in keySizes) return keySizes
  const names = required(given, 'n', 'Missing algorithm name(s).', readNames)
  if ('error' in names) return names
  if (names.value.some(isKeyword)) return { error: 'Invalid algorithm name(s) value.' }
  const blocks = required(given, 'b', 'Missing block/MAC lengths', readBlockSizes)
  if ('error' in blocks) return blocks
  const mechanism = required(given, 'm', 'Missing mechanism name.', readMechanism)
  if ('error' in mechanism) return mechanism
  const parameters = readParameters(given)
  if (parameters && 'error' in parameters) return parameters
  const flags: Reading<number> = given.has('F') ? readFlags(given.get('F') ?? '') : { value: 0 }
  if ('error' in flags) return flags
  const algorithm = {
    number: number.value,
    names: names.value,
    mechanism: mechanism.value,
    keySizes: keySizes.value,
    blockOrMacSizes: blocks.value,
    ...(parameters && { parameters: parameters.value }),
    flags: flags.value,
  }
  return { value: { kind: 'add-algorithm', protocol, algorithm, replace: given.has('f') } }
}

function required<T>(
  given: Given,
  name: string,
  missing: string,
  read: (text: string) => Reading<T>,
): Reading<T> {
  const text = given.get(name)
  return text === undefined ? { error: missing } : read(text)
}

/** `-k [DEFAULT/]128,192`, or `-k [DEFAULT/]MIN-MAX -i STEP`; `-K DEFAULT` with either. */
function readKeyOptions(given: Given): Reading<KeySizes> {
  const text = given.get('k')
  if (text === undefined) return { error: 'Missing key size(s).' }
  const step = given.get('i')
  const [, written, sizes = ''] = /^(?:([^/]*)\/)?(.*)$/.exec(text) ?? []
  const usual = given.get('K') ?? written
  if (written !== undefined && usual !== written) {
    return { error: 'Default key size not consistent with key size range' }
  }
  const range = /^([^-]*)-(.*)$/.exec(sizes)
  if (!range) {
    return step === undefined
      ? keyList(usual, sizes)
      : { error: 'Key increment must not be specified with key sizes enumeration' }
  }
  if (step === undefined) return { error: 'Missing key increment' }
  const [, min = '', max = ''] = range
  return keyRange(usual ?? min, min, max, step)
}

function readParameters(given: Given): Reading<NonNullable<Algorithm['parameters']>> | undefined {
  if (![...'IMS'].some((name) => given.has(name))) return undefined
  const read = (name: string): number | undefined => readNumber(given.get(name) ?? '0', MAX_NUMBER)
  const [iv, icv, salt] = [read('I'), read('M'), read('S')]
  if (iv === undefined) return { error: 'Invalid IV length value.' }
  if (icv === undefined) return { error: 'Invalid MAC length value.' }
  if (salt === undefined) return { error: 'Invalid salt length value.' }
  return { value: { iv, icv, salt } }
}
