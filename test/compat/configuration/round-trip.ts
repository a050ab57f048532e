/**
 * Files of Solaris to JSON and back, with everything that must hold on the way. Throws where something does not.
 *
 * @module
 */
import assert from 'node:assert/strict'
import { defaultAlgorithmTable } from '../../../agent/model/default-algorithms.ts'
import { type SolarisKind, toJson, toSolaris } from '../../../compat/configuration/convert.ts'
import { parseAlgorithmFile, tableOf } from '../../../compat/solaris/ipsecalgs/file.ts'
import { parsePolicy } from '../../../compat/solaris/ipsecconf/index.ts'
import { parseRules, type Setting } from '../../../compat/solaris/ipsecconf/syntax/parser.ts'
import { Report } from '../../../compat/solaris/ipsecconf/syntax/report.ts'
import { ACTIONS } from '../../../compat/solaris/ipsecconf/vocabulary.ts'
import { parseKeyFile } from '../../../compat/solaris/ipseckey/parser.ts'
import { contents, meaning, read, resolver } from './support.ts'

/** Converts there, back, and there again. @returns the document */
export function roundTrip(kind: SolarisKind, text: string): string {
  const json = toJson([{ kind, text, file: 'solaris' }])
  assert.deepEqual(errorsOf(json.diagnostics), [], text)
  assert.ok(json.text !== undefined)
  const solaris = toSolaris(json.text, 'json', kind, false)
  assert.deepEqual(solaris.diagnostics, [], text)
  assert.ok(solaris.text !== undefined)
  const again = toJson([{ kind, text: solaris.text, file: 'solaris' }])
  assert.equal(again.text, json.text, `${text}\nbecame\n${solaris.text}`)
  compare(kind, text, solaris.text, json.text)
  assert.deepEqual(commentsIn(kind, solaris.text).sort(), commentsIn(kind, text).sort(), text)
  return json.text
}

/** The lines of all comments, without the sign in front, found by other means than the conversion's own. */
function commentsIn(kind: SolarisKind, text: string): string[] {
  const found: string[] = []
  let [isEntry, isComment] = [false, false]
  for (const line of text.replace(/^\ufeff/, '').split('\n')) {
    const begins = kind === 'ipsecinit.conf' ? line.includes('#') : line.trimStart().startsWith('#')
    if (isComment || (begins && !isEntry)) found.push(line.slice(line.indexOf('#') + 1).trim())
    // A key file joins lines, those of comments too.
    const isJoined = kind === 'ipseckeys' && line.endsWith('\\')
    isComment = isJoined && (isComment || (begins && !isEntry))
    isEntry = isJoined && !isComment
  }
  return found.filter((one) => one !== '')
}

/** Converts each section that is not a file of its own there, and back. @returns how many there were */
export function roundTripDocument(text: string): number {
  const document = JSON.parse(text) as Record<string, unknown>
  let count = 0
  for (const [kind, section] of SECTIONS) {
    const value = document[section]
    if (!value || (typeof value === 'object' && 'file' in value)) continue
    const solaris = toSolaris(text, 'json', kind, true)
    // What a file of Solaris cannot say is refused in words.
    if (solaris.text === undefined) {
      assert.match(
        errorsOf(solaris.diagnostics).join('\n'),
        /A key file of Solaris holds the keys themselves/,
        text,
      )
      continue
    }
    const json = toJson([{ kind, text: solaris.text, file: 'solaris' }])
    assert.deepEqual(errorsOf(json.diagnostics), [], `${text}\nbecame\n${solaris.text}`)
    const [before, after] = [text, json.text ?? ''].map((one) => read(one).configuration)
    const environment = { algorithms: defaultAlgorithmTable, resolver }
    if (kind === 'ipsecinit.conf') {
      assert.deepEqual(meaning(after?.rules), meaning(before?.rules))
      assert.deepEqual(meaning(parsePolicy(solaris.text, 'x', environment).rules), meaning(before?.rules))
    } else if (kind === 'ipseckeys')
      assert.deepEqual(contents(after?.associations), contents(before?.associations))
    else assert.deepEqual(after?.algorithms, before?.algorithms)
    const parts = [document.comment, value]
    const back = (JSON.parse(json.text ?? '') as Record<string, unknown>)[section]
    assert.deepEqual(commentsOf(back).sort(), commentsOf(parts).sort(), solaris.text)
    count++
  }
  return count
}

const SECTIONS = [
  ['ipsecinit.conf', 'policies'],
  ['ipseckeys', 'associations'],
  ['ipsecalgs', 'algorithms'],
] as const

/** The lines of every member `comment`, wherever it stands; a text alone is a comment, too. */
function commentsOf(value: unknown): string[] {
  if (typeof value === 'string') return value.split('\n').map((line) => line.trim())
  if (Array.isArray(value)) return value.flatMap(commentsOf)
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([name, member]) => {
    if (name === 'comment') return commentsOf(member)
    return typeof member === 'object' && member !== null ? commentsOf(objectsIn(member)) : []
  })
}

/** Of a list, its objects: texts in it are no comments. */
function objectsIn(value: object): unknown[] {
  return [value].flat().filter((item) => typeof item === 'object')
}

function errorsOf(diagnostics: readonly { readonly severity: string; readonly message: string }[]): string[] {
  return diagnostics.filter(({ severity }) => severity === 'error').map(({ message }) => message)
}

/** The same meaning from all three. */
function compare(kind: SolarisKind, before: string, after: string, json: string): void {
  const environment = { algorithms: defaultAlgorithmTable, resolver }
  const document = read(json).configuration
  if (kind === 'ipsecinit.conf') {
    const expected = meaning(parsePolicy(before, 'x', environment).rules)
    assert.deepEqual(meaning(parsePolicy(after, 'x', environment).rules), expected)
    assert.deepEqual(meaning(document?.rules), expected)
    assert.deepEqual(syntaxOf(after), syntaxOf(before))
  } else if (kind === 'ipseckeys') {
    const [one, other] = [before, after].map((text) =>
      parseKeyFile(text, 'x', environment).commands.flatMap((command) =>
        command.kind === 'add' ? [command.association] : [],
      ),
    )
    assert.deepEqual(contents(other), contents(one))
    assert.deepEqual(contents(document?.associations), contents(one))
  } else {
    const [one, other] = [before, after].map((text) => {
      const { file } = parseAlgorithmFile(text, 'x')
      const table = file && tableOf(file)
      // Files may have the algorithms of one protocol among those of another.
      const sorted = [...(table?.algorithms ?? [])].sort((a, b) => a.protocol - b.protocol)
      return { protocols: table?.protocols, algorithms: sorted }
    })
    assert.deepEqual(other, one)
    if (document?.hasAlgorithms) assert.deepEqual(document.algorithms.protocols, one?.protocols)
  }
}

/** Rules as written, in the form that they are converted to: one word for each meaning, and a direction that is said. */
function syntaxOf(text: string): unknown[] {
  return [...parseRules(text, new Report(text, 'x'))].map(({ pattern, actions }) => {
    const settings = (list: readonly Setting[]) =>
      list
        .filter(({ field }) => field !== 'direction')
        .map(({ field, style, value }) => `${field} ${style} ${value.text}`)
        .sort()
    const said = [...pattern, ...actions.flatMap(({ properties }) => properties)].find(
      ({ field }) => field === 'direction',
    )
    const forced = actions.map(({ word }) => ACTIONS.get(word.text)?.direction).find((direction) => direction)
    return {
      pattern: settings(pattern),
      direction: forced ?? said?.value.text,
      actions: actions.map(({ word, properties }) => {
        const kind = ACTIONS.get(word.text)?.kind
        return { kind, properties: kind === 'protect' ? settings(properties) : [] }
      }),
    }
  })
}
