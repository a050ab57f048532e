/**
 * Texts of very many pieces: the time that a parser takes grows as they do, and no number of errors is too large for it. A
 * part of a parser's name as argument takes that one alone, and so does a part of a text's name as the second one. `SOLIPSEC_FUZZ`
 * is the longer mode.
 */
import t from 'tap'
import { parseRequest } from '../../../agent/daemon/control/protocol.ts'
import type { Diagnostic } from '../../../agent/model/diagnostic.ts'
import { decodeState } from '../../../agent/reconcile/policy-state.ts'
import { SERVICES } from '../../../compat/commands/services/catalogue.ts'
import { decodeSnapshots, encodeSnapshots } from '../../../compat/commands/services/snapshot.ts'
import { readAssignment } from '../../../compat/commands/svccfg/assignment.ts'
import { tokens } from '../../../compat/commands/svccfg/words.ts'
import { toJson, toSolaris } from '../../../compat/configuration/convert.ts'
import { type FileKind, recognise } from '../../../compat/configuration/kind.ts'
import { duplicatesIn, otherThanAdd } from '../../../compat/configuration/read/files.ts'
import { plainDiagnostics, renderDiagnostics } from '../../../compat/diagnostics.ts'
import { toForeign } from '../../../compat/foreign/index.ts'
import { FOREIGN_KINDS } from '../../../compat/foreign/kinds.ts'
import { readForeignInput } from '../../../compat/foreign/read.ts'
import { parseAlgorithmFile, printAlgorithmFile, tableOf } from '../../../compat/solaris/ipsecalgs/file.ts'
import { parsePolicy } from '../../../compat/solaris/ipsecconf/index.ts'
import { parseInteractive, parseKeyFile } from '../../../compat/solaris/ipseckey/parser.ts'
import { parseFilter } from '../../../compat/solaris/snoop/filter/index.ts'
import { crowd, growth } from '../../support/hostile.ts'
import { environment, read } from '../configuration/support.ts'
import { hostWith } from '../foreign/support.ts'
import * as growing from './growing.ts'

interface Parser {
  readonly texts: growing.Growing
  /** Has the parser take a text, and shows what it says as the commands do. */
  readonly take: (text: string) => void
  /** It says that a text is wrong by an exception. */
  readonly throws?: boolean
}

function show(diagnostics: readonly Diagnostic[]): void {
  renderDiagnostics(diagnostics)
  JSON.stringify(plainDiagnostics(diagnostics))
}

const SOLARIS_KINDS = ['ipsecinit.conf', 'ipseckeys', 'ipsecalgs'] as const
const TEXTS: Readonly<Record<FileKind, growing.Growing>> = {
  json: growing.DOCUMENTS,
  'ipsecinit.conf': growing.POLICIES,
  ipseckeys: growing.KEY_FILES,
  ipsecalgs: growing.TABLES,
}

const readers: Readonly<Record<FileKind, (text: string) => void>> = {
  json: (text) => show(read(text).diagnostics),
  'ipsecinit.conf': (text) => show(parsePolicy(text, 'ipsecinit.conf', environment).diagnostics),
  ipseckeys: (text) => {
    const parsed = parseKeyFile(text, 'ipseckeys', environment)
    show([...parsed.diagnostics, ...duplicatesIn(parsed, 'ipseckeys'), ...otherThanAdd(parsed, 'ipseckeys')])
  },
  ipsecalgs: (text) => {
    const { file, diagnostics } = parseAlgorithmFile(text, 'ipsecalgs')
    show(diagnostics)
    if (!file) return
    tableOf(file)
    printAlgorithmFile(file)
  },
}

/** The texts in which nothing is wrong: only these come to the end of a conversion that begins with reading and checking. */
function right(kind: FileKind): growing.Growing {
  const names = ['rules', 'rules that protect', 'SAs', 'policies', 'policies that protect', 'algorithms']
  return Object.fromEntries(Object.entries(TEXTS[kind]).filter(([name]) => names.includes(name)))
}

/** Conversion to JSON looks nothing up and holds no SA against another. */
const CHECKED = ['SAs about unknown hosts', 'SAs that are there twice', 'SAs with a pair', 'the same SA']

function unchecked(kind: FileKind): growing.Growing {
  return Object.fromEntries(Object.entries(TEXTS[kind]).filter(([name]) => !CHECKED.includes(name)))
}

function convert(kind: FileKind, text: string, to: (typeof FOREIGN_KINDS)[number]): void {
  const read = readForeignInput([{ name: 'file', kind, text, files: environment.files }], environment)
  if ('problem' in read) return
  show(read.diagnostics)
  toForeign(to, read.input, hostWith(['tun0']), [])
}

const [service] = SERVICES.filter(({ properties }) => properties.length > 0)

const parsers: Readonly<Record<string, Parser>> = {
  ...Object.fromEntries(
    ([...SOLARIS_KINDS, 'json'] as const).flatMap((kind): [string, Parser][] => [
      [kind, { texts: TEXTS[kind], take: readers[kind] }],
      [`kind of a file: ${kind}`, { texts: TEXTS[kind], take: (text) => void recognise(text, 'file') }],
    ]),
  ),
  ...Object.fromEntries(
    SOLARIS_KINDS.flatMap((kind): [string, Parser][] => [
      [
        `${kind} to json`,
        { texts: unchecked(kind), take: (text) => show(toJson([{ kind, text, file: 'file' }]).diagnostics) },
      ],
      [
        `json to ${kind}`,
        { texts: right('json'), take: (text) => show(toSolaris(text, 'file', kind, true).diagnostics) },
      ],
    ]),
  ),
  ...Object.fromEntries(
    (['ipsecinit.conf', 'ipseckeys'] as const).flatMap((kind) =>
      FOREIGN_KINDS.map((to): [string, Parser] => [
        `${kind} to ${to}`,
        { texts: right(kind), take: (text) => convert(kind, text, to) },
      ]),
    ),
  ),
  'ipseckey, lines from a terminal': {
    texts: right('ipseckeys'),
    take: (text) => show(parseInteractive(text, environment).diagnostics),
  },
  'filter of snoop': { texts: growing.FILTERS, take: parseFilter, throws: true },
  'request to the agent': { texts: growing.REQUESTS, take: parseRequest, throws: true },
  'line of svccfg': {
    texts: growing.COMMAND_LINES,
    take: (text) => {
      const found = tokens(text)
      if (!('error' in found)) readAssignment(found.slice(1))
    },
  },
  'properties of a service': {
    texts: growing.PROPERTIES,
    take: (text) => {
      const snapshots = service && decodeSnapshots(service, text)
      if (!snapshots) throw new Error('they are right')
      encodeSnapshots(snapshots)
    },
  },
  'state file': { texts: growing.STATES, take: decodeState },
}

t.setTimeout(0)
const isLong = process.env.SOLIPSEC_FUZZ !== undefined
const [wantedParser = '', wantedText = ''] = process.argv.slice(2)
for (const [name, { take, texts, throws = false }] of Object.entries(parsers)) {
  if (!name.includes(wantedParser)) continue
  t.test(name, async (t) => {
    const attempt = (text: string): void => {
      try {
        take(text)
      } catch (error) {
        if (!throws || error instanceof RangeError) throw error
      }
    }
    let hasCrowd = false
    for (const [what, make] of Object.entries(texts)) {
      if (!what.includes(wantedText)) continue
      // One crowd takes as long as all else: in the longer mode, each text has its own.
      const taken: number | undefined = hasCrowd && !isLong ? undefined : crowd(make, attempt)
      hasCrowd ||= taken !== undefined
      const times = [growth(make, attempt), taken ?? []].flat()
      t.pass(`${what}: ${times.map((time) => `${time.toFixed(0)} ms`).join(', ')}`)
    }
  })
}
