/**
 * The manual holds what the commands hold: every option and keyword is explained, every example is right.
 */
import { readdirSync, readFileSync } from 'node:fs'
import t from 'tap'
import { optionTable as ipadm } from '../../compat/commands/ipadm/arguments.ts'
import { optionTable as ipsecalgs } from '../../compat/commands/ipsecalgs/arguments.ts'
import { optionTable as ipsecconf } from '../../compat/commands/ipsecconf/arguments.ts'
import { optionTable as ipseckey } from '../../compat/commands/ipseckey/arguments.ts'
import { optionTable as ndd } from '../../compat/commands/ndd.ts'
import { optionTable as agent } from '../../compat/commands/solipsec/agent/arguments.ts'
import {
  applyOptions as apply,
  diffOptions as diff,
  planOptions as plan,
} from '../../compat/commands/solipsec/change/arguments.ts'
import { optionTable as check } from '../../compat/commands/solipsec/check/arguments.ts'
import { optionTable as convert } from '../../compat/commands/solipsec/convert/arguments.ts'
import { optionTable as doctor } from '../../compat/commands/solipsec/doctor/arguments.ts'
import { optionTable as explain } from '../../compat/commands/solipsec/explain/arguments.ts'
import { optionTable as kstat } from '../../compat/commands/solipsec/kstat/arguments.ts'
import { optionTable as listen } from '../../compat/commands/solipsec/listen/arguments.ts'
import { optionTable as monitor } from '../../compat/commands/solipsec/monitor/arguments.ts'
import { optionTable as picture } from '../../compat/commands/solipsec/picture/arguments.ts'
import { optionTable as snoop } from '../../compat/commands/solipsec/snoop/arguments.ts'
import { optionTable as status } from '../../compat/commands/solipsec/status/arguments.ts'
import { optionTable as solipsec, subcommandNames } from '../../compat/commands/solipsec.ts'
import type { OptionTable } from '../../compat/commands/support/getopt.ts'
import { MANUAL_SOURCES } from '../../compat/commands/support/manual/help.ts'
import { type Block, parseManual } from '../../compat/commands/support/manual/parse.ts'
import { section } from '../../compat/commands/support/manual/text.ts'
import { optionTable as svcadm, VERB_OPTIONS } from '../../compat/commands/svcadm/arguments.ts'
import { optionTable as svccfg } from '../../compat/commands/svccfg.ts'
import { optionTable as svcprop } from '../../compat/commands/svcprop/arguments.ts'
import { optionTable as svcs } from '../../compat/commands/svcs/arguments.ts'
import { parsePolicy } from '../../compat/solaris/ipsecconf/index.ts'
import { ACTIONS, PATTERN_KEYWORDS, PROPERTY_KEYWORDS } from '../../compat/solaris/ipsecconf/vocabulary.ts'
import { EXTENSIONS } from '../../compat/solaris/ipseckey/extension-names.ts'
import { parseKeyFile } from '../../compat/solaris/ipseckey/parser.ts'
import { COMMANDS } from '../../compat/solaris/ipseckey/words.ts'
import { read } from '../compat/configuration/support.ts'
import { algorithms, resolver } from '../compat/solaris/ipseckey/support.ts'
import { reference } from './reference.ts'

const ROOT = new URL('../../', MANUAL_SOURCES)

const page = (name: string): Block[] => parseManual(readFileSync(new URL(name, MANUAL_SOURCES), 'utf8'))

const codeOf = (blocks: readonly Block[]): string[] =>
  blocks.flatMap((block) => (block.kind === 'code' ? [block.lines.join('\n')] : []))

t.test('every option is explained, and no other', async (t) => {
  for (const [name, table] of Object.entries({
    ipadm,
    ipsecalgs,
    ipsecconf,
    ipseckey,
    ndd,
    solipsec,
    'solipsec-agent': agent,
    'solipsec-apply': apply,
    'solipsec-check': check,
    'solipsec-convert': convert,
    'solipsec-diff': diff,
    'solipsec-doctor': doctor,
    'solipsec-explain': explain,
    'solipsec-kstat': kstat,
    'solipsec-listen': listen,
    'solipsec-monitor': monitor,
    'solipsec-picture': picture,
    'solipsec-plan': plan,
    'solipsec-snoop': snoop,
    'solipsec-status': status,
    svcadm: { ...svcadm, short: [svcadm, ...Object.values(VERB_OPTIONS)].map(({ short }) => short).join('') },
    svccfg,
    svcprop: { section: 1, ...svcprop },
    svcs: { section: 1, ...svcs },
  } satisfies Record<string, OptionTable & { readonly section?: number }>)) {
    const number = 'section' in table ? table.section : 8
    const terms = section(page(`${name}.${number}.md`), 'OPTIONS').flatMap((block) =>
      block.kind === 'term' ? block.term.split(' ').filter((word) => word.startsWith('-')) : [],
    )
    const short = table.short.replaceAll(':', '').split('')
    const options = [
      ...short.map((letter) => `-${letter}`),
      ...Object.keys(table.long).map((word) => `--${word}`),
    ]
    t.same([...new Set(terms)].sort(), [...new Set([...options, '--help', '--version'])].sort(), name)
  }
})

t.test('every subcommand is explained', async (t) => {
  const terms = section(page('solipsec.8.md'), 'COMMANDS').flatMap((block) =>
    block.kind === 'term' ? [block.term] : [],
  )
  t.same(terms.sort(), [...subcommandNames, 'help'].sort())
})

t.test('every word of the languages is in their syntax', async (t) => {
  const wordsOf = (file: string) => {
    const [syntax = ''] = codeOf(section(page(file), 'SYNTAX'))
    return new Set([...syntax.matchAll(/"([\w-]+)"/g)].map(([, word]) => word))
  }
  const policy = wordsOf('ipsecinit.conf.5.md')
  for (const words of [PATTERN_KEYWORDS, PROPERTY_KEYWORDS, ACTIONS]) {
    for (const word of words.keys()) t.ok(policy.has(word), word)
  }
  const keys = wordsOf('ipseckeys.5.md')
  for (const word of EXTENSIONS.keys()) {
    const [, prefix = '', rest = word] = /^(soft_|hard_)(.*)$/.exec(word) ?? []
    t.ok(keys.has(word) || keys.has(word.replace(/6$/, '')) || (keys.has(prefix) && keys.has(rest)), word)
  }
  for (const [word, { allowedInFile }] of COMMANDS) t.equal(keys.has(word), allowedInFile, word)
})

t.test('the reference of documents is what the schema says', async (t) => {
  const text = readFileSync(new URL('solipsec.json.5.md', MANUAL_SOURCES), 'utf8')
  const [, found = ''] = /## REFERENCE\n\n(.*?)\n\n## /s.exec(text) ?? []
  t.equal(found, reference())
})

t.test('every example is right', async (t) => {
  const files = readdirSync(MANUAL_SOURCES).map((name) => new URL(name, MANUAL_SOURCES))
  for (const file of [...files, new URL('README.md', ROOT)]) {
    for (const code of codeOf(parseManual(readFileSync(file, 'utf8')))) {
      if (/^\{\s*"/.test(code)) {
        const { configuration, diagnostics } = read(code)
        t.same(diagnostics, [], code)
        t.ok(configuration, code)
      } else if (/^(#.*\n)*\{(?!pattern)/.test(code)) {
        const { rules, diagnostics } = parsePolicy(code, 'example', { algorithms, resolver })
        t.same(diagnostics, [], code)
        t.ok(rules.length > 0, code)
      }
      if (/^(#.*\n)*(flush\n)?add /.test(code)) {
        const text = code
          .replace(/KEY auth_alg/, `${'a'.repeat(31)}b auth_alg`)
          .replace(/authkey KEY/, `authkey ${'a'.repeat(63)}b`)
        const { commands, diagnostics } = parseKeyFile(text, 'example', {
          algorithms,
          resolver,
          numeric: false,
        })
        t.same(
          diagnostics.filter(({ severity }) => severity === 'error'),
          [],
          code,
        )
        t.ok(commands.length > 0, code)
      }
    }
  }
})

t.test('the files of the demo are right', async (t) => {
  const read = (name: string) => readFileSync(new URL(`docs/demo/${name}`, ROOT), 'utf8')
  const policy = parsePolicy(read('ipsecinit.conf'), 'ipsecinit.conf', { algorithms, resolver })
  t.same([policy.rules.length, policy.diagnostics], [3, []])
  const keys = parseKeyFile(read('ipseckeys'), 'ipseckeys', { algorithms, resolver, numeric: true })
  t.same([keys.commands.length, keys.diagnostics], [2, []])
})
