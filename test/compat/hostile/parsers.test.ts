/**
 * Every parser of text that comes from outside, under attack: none throws what it should not, takes a second for one input,
 * or keeps memory: its long inputs have 200,000 characters. `SOLIPSEC_FUZZ=N` multiplies the number of inputs by N: 700 makes a million and more for each. A part of
 * a parser's name as argument takes that one alone.
 */
import assert from 'node:assert/strict'
import t from 'tap'
import { ControlError, parseRequest } from '../../../agent/daemon/control/protocol.ts'
import { decodeJournal } from '../../../agent/reconcile/association-journal.ts'
import { decodeNotes } from '../../../agent/reconcile/association-notes.ts'
import { decodeState, encodeState } from '../../../agent/reconcile/policy-state.ts'
import { SERVICES } from '../../../compat/commands/services/catalogue.ts'
import { composed, decodeSnapshots, encodeSnapshots } from '../../../compat/commands/services/snapshot.ts'
import { readAssignment } from '../../../compat/commands/svccfg/assignment.ts'
import { tokens } from '../../../compat/commands/svccfg/words.ts'
import { toJson, toSolaris } from '../../../compat/configuration/convert.ts'
import { recognise } from '../../../compat/configuration/kind.ts'
import { renderDiagnostics } from '../../../compat/diagnostics.ts'
import { toForeign } from '../../../compat/foreign/index.ts'
import { FOREIGN_KINDS } from '../../../compat/foreign/kinds.ts'
import { type ForeignSource, readForeignInput } from '../../../compat/foreign/read.ts'
import { parseAlgorithmFile, printAlgorithmFile, tableOf } from '../../../compat/solaris/ipsecalgs/file.ts'
import { parsePolicy } from '../../../compat/solaris/ipsecconf/index.ts'
import { parseCommandLine, parseInteractive, parseKeyFile } from '../../../compat/solaris/ipseckey/parser.ts'
import { FilterError, parseFilter } from '../../../compat/solaris/snoop/filter/index.ts'
import { times } from '../../support/fuzz.ts'
import { type Attack, attack } from '../../support/hostile.ts'
import { environment, KEY_128, KEY_256, read } from '../configuration/support.ts'
import { hostWith } from '../foreign/support.ts'
import * as samples from './samples.ts'

const { files } = environment
/** Pieces of keys that no message may show: six bytes of one, in any notation of ours. */
const PIECES = [KEY_128, KEY_256].flatMap((key) => [key.slice(0, 12), key.slice(-12)])

function checkShown(diagnostics: Parameters<typeof renderDiagnostics>[0]): void {
  const shown = renderDiagnostics(diagnostics).toLowerCase()
  for (const piece of PIECES) assert.ok(!shown.includes(piece), 'a piece of a key is shown')
}

/** By turns, so that each input has a little done to it. */
let turn = 0
const next = (count: number): number => turn++ % count

function convert(source: Omit<ForeignSource, 'files'>): void {
  const read = readForeignInput([{ ...source, files }], environment)
  if ('problem' in read) return
  const kind = FOREIGN_KINDS[next(FOREIGN_KINDS.length)] ?? 'setkey'
  toForeign(kind, read.input, hostWith(['tun0']), [])
}

/** For files that root alone writes: those who read them take an exception for damage. */
function attempt(decode: () => unknown): void {
  try {
    decode()
  } catch (error) {
    assert.ok(error instanceof Error)
  }
}

const attacks: Readonly<Record<string, Attack>> = {
  'ipsecinit.conf': {
    seeds: samples.POLICIES,
    words: samples.POLICY_WORDS,
    take: (text) => {
      renderDiagnostics(parsePolicy(text, 'ipsecinit.conf', environment).diagnostics, { color: true })
    },
  },
  ipseckeys: {
    seeds: samples.KEY_FILES,
    words: samples.KEY_WORDS,
    take: (text) => {
      const which = next(8)
      if (which === 0) checkShown(parseInteractive(text, environment).diagnostics)
      else if (which === 1) checkShown(parseCommandLine(text.split(/\s+/), environment).diagnostics)
      else checkShown(parseKeyFile(text, 'ipseckeys', environment).diagnostics)
    },
  },
  ipsecalgs: {
    seeds: samples.TABLES,
    words: samples.TABLE_WORDS,
    take: (text) => {
      const { file, diagnostics } = parseAlgorithmFile(text, 'ipsecalgs')
      renderDiagnostics(diagnostics)
      if (!file) return
      tableOf(file)
      assert.deepEqual(parseAlgorithmFile(printAlgorithmFile(file), 'again').diagnostics, [])
    },
  },
  'JSON document': {
    seeds: samples.DOCUMENTS,
    words: samples.DOCUMENT_WORDS,
    take: (text) => checkShown(read(text).diagnostics),
  },
  'conversion of JSON': {
    seeds: samples.DOCUMENTS,
    words: samples.DOCUMENT_WORDS,
    take: (text) => {
      const kind = (['ipsecinit.conf', 'ipseckeys', 'ipsecalgs'] as const)[next(3)] ?? 'ipseckeys'
      if (next(2) === 0) checkShown(toSolaris(text, 'solipsec.json', kind, true).diagnostics)
      else convert({ name: 'solipsec.json', kind: 'json', text })
    },
  },
  'conversion of policy': {
    seeds: samples.POLICIES,
    words: samples.POLICY_WORDS,
    take: (text) => {
      const source = { name: 'ipsecinit.conf', kind: 'ipsecinit.conf', text } as const
      if (next(2) === 0) toJson([{ ...source, file: source.name }])
      else convert(source)
    },
  },
  'conversion of keys': {
    seeds: samples.KEY_FILES,
    words: samples.KEY_WORDS,
    take: (text) => {
      const source = { name: 'ipseckeys', kind: 'ipseckeys', text } as const
      if (next(2) === 0) checkShown(toJson([{ ...source, file: source.name }]).diagnostics)
      else convert(source)
    },
  },
  'kind of a file': {
    seeds: [...samples.POLICIES, ...samples.KEY_FILES, ...samples.DOCUMENTS, ...samples.TABLES],
    words: ['#', '\n', ' '],
    take: (text) => void recognise(text, text.slice(0, 20)),
  },
  'filter of snoop': {
    seeds: samples.FILTERS,
    words: samples.FILTER_WORDS,
    take: (text) => {
      try {
        parseFilter(text)
      } catch (error) {
        if (!(error instanceof FilterError)) throw error
      }
    },
  },
  'request to the agent': {
    seeds: samples.REQUESTS,
    words: samples.REQUEST_WORDS,
    take: (text) => {
      try {
        parseRequest(text)
      } catch (error) {
        if (!(error instanceof ControlError)) throw error
      }
    },
  },
  'state files': {
    seeds: [
      '[["esp 192.0.2.1 4096",{"idle":{"addTime":"1","useTime":"2"}}]]',
      `\x14\0\0\0\x10${'\0'.repeat(15)}\x18\0\0\0\x14${'\0'.repeat(19)}`,
    ],
    words: ['"natLocal":', '"softAllocations":', '\0', '\x10'],
    take: (text) => {
      attempt(() => decodeNotes(text))
      attempt(() => decodeJournal(Buffer.from(text, 'latin1')))
    },
  },
  'state of policy': {
    seeds: samples.STATES,
    words: samples.STATE_WORDS,
    take: (text) => attempt(() => encodeState(decodeState(text))),
  },
  'properties of services': {
    seeds: samples.PROPERTIES,
    words: samples.PROPERTY_WORDS,
    take: (text) => {
      for (const service of SERVICES) {
        const snapshots = decodeSnapshots(service, text)
        if (!snapshots) continue
        composed(service, snapshots.editing)
        assert.deepEqual(decodeSnapshots(service, encodeSnapshots(snapshots)), snapshots)
      }
    },
  },
  'line of svccfg': {
    seeds: [
      'setprop config/config_file = astring: "/etc/a b" # x',
      'addpropvalue a/b count: (1 2 "3")',
      'list *',
    ],
    words: ['=', '(', ')', '"', 'astring:', 'config/', '\\', 'delpropvalue'],
    take: (text) => {
      const found = tokens(text)
      if (!('error' in found)) readAssignment(found.slice(1))
    },
  },
}

t.setTimeout(0)
const { numRuns, seed = Date.now() } = times(1500)
const wanted = process.argv[2] ?? ''
for (const [name, one] of Object.entries(attacks)) {
  if (!name.includes(wanted)) continue
  t.test(name, async (t) => {
    const { inputs, longest, slowest, kept, peak } = attack(one, numRuns, seed)
    const [keptMb, peakMb] = [kept, peak].map((bytes) => (bytes / 2 ** 20).toFixed(1))
    t.comment(
      `${inputs} inputs of at most ${longest} characters: slowest ${slowest.toFixed(0)} ms, ${keptMb} MB kept, ${peakMb} MB at most`,
    )
    t.ok(kept < 16 * 2 ** 20, `${keptMb} MB kept`)
    t.ok(peak < 768 * 2 ** 20, `${peakMb} MB at most`)
  })
}
