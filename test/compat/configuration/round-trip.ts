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
  return json.text
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
