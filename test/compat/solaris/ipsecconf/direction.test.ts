import t from 'tap'
import { messages, ruleOf } from './support.ts'

const ALGS = 'auth_algs sha256'

/** The table of directions in ipsecconf(8): pattern, action with properties, direction, warnings. */
const RULES: readonly (readonly [string, string, string, readonly string[]])[] = [
  ['laddr alpha', `apply {${ALGS}}`, 'out', []],
  ['saddr alpha', `apply {${ALGS}}`, 'out', []],
  ['saddr alpha', `apply {${ALGS} dir out}`, 'out', []],
  ['laddr alpha dir out', `apply {${ALGS}}`, 'out', []],
  ['laddr alpha dir in', `apply {${ALGS}}`, 'out', ['Direction in conflict with action: it is ignored']],
  ['laddr alpha dir both', `apply {${ALGS}}`, 'out', ['Direction in conflict with action: it is ignored']],
  ['laddr alpha', `permit {${ALGS}}`, 'in', []],
  ['saddr alpha', `permit {${ALGS} dir in}`, 'in', []],
  ['laddr alpha dir both', `permit {${ALGS}}`, 'in', ['Direction in conflict with action: it is ignored']],
  ['', `ipsec {${ALGS}}`, 'both', []],
  ['laddr alpha', `ipsec {${ALGS}}`, 'both', []],
  ['laddr alpha dir in', `ipsec {${ALGS}}`, 'in', []],
  ['laddr alpha dir out', `ipsec {${ALGS}}`, 'out', []],
  ['laddr alpha dir both', `ipsec {${ALGS}}`, 'both', []],
  ['dir both', `ipsec {${ALGS}}`, 'both', []],
  ['saddr alpha dir in', `ipsec {${ALGS}}`, 'in', []],
  ['saddr alpha dir out', `ipsec {${ALGS}}`, 'out', []],
  ['laddr alpha dir in', 'bypass {}', 'in', []],
  ['laddr alpha dir out', 'pass {}', 'out', []],
  ['laddr alpha dir both', 'drop {}', 'both', []],
  ['saddr alpha dir in', 'drop {}', 'in', []],
  ['saddr alpha', 'drop {dir in}', 'in', []],
  ['saddr alpha', 'bypass {dir out}', 'out', []],
  ['ulp tcp', 'bypass {dir out}', 'out', []],
  ['laddr alpha', 'bypass {}', 'both', ['dir string not found for bypass policy']],
  ['', 'drop {}', 'both', ['dir string not found for bypass policy']],
  ['laddr alpha', `ipsec {${ALGS}} or pass {}`, 'both', []],
  ['laddr alpha', `apply {${ALGS}} or pass {}`, 'out', []],
]
for (const [pattern, action, direction, warnings] of RULES) {
  const text = `{${pattern}} ${action}`
  t.test(text, async (t) => {
    t.equal(ruleOf(text).direction, direction)
    t.same(messages(text, 'warning'), warnings)
  })
}

const CONFLICT = 'Direction in conflict with action'
const ERRORS: readonly (readonly [string, string])[] = [
  [`{saddr alpha} ipsec {${ALGS}}`, 'Requires Direction on line: 1'],
  [`{saddr alpha} ipsec {${ALGS} dir out}`, 'Requires Direction on line: 1'],
  ['{saddr alpha} drop {}', 'Requires Direction on line: 1'],
  [`{saddr alpha} apply {${ALGS} dir in}`, CONFLICT],
  [`{saddr alpha} permit {${ALGS} dir out}`, CONFLICT],
  [`{laddr alpha} apply {${ALGS}} or permit {${ALGS}}`, CONFLICT],
  [`{laddr alpha} ipsec {${ALGS}} or apply {${ALGS}}`, CONFLICT],
  [`{laddr alpha} ipsec {${ALGS} dir in}`, 'Bad Direction on line: 1'],
  [`{saddr alpha dir in} ipsec {${ALGS} dir in}`, 'Duplicate Direction on line: 1'],
  ['{laddr alpha} bypass {dir both}', 'Bad Direction on line: 1'],
  ['{laddr alpha} drop {dir in}', 'Bad Direction on line: 1'],
  ['{ulp tcp} drop {dir both}', 'Bad Direction on line: 1'],
  ['{laddr alpha dir inbound} drop {}', 'Bad Direction on line: 1'],
  ['{laddr alpha dir outXXX} drop {}', 'Bad Direction on line: 1'],
  ['{laddr alpha dir IN} drop {}', 'Bad Direction on line: 1'],
  [`{saddr alpha dir out} ipsec {${ALGS}} or pass {}`, "or's only with new style"],
]
for (const [text, expected] of ERRORS) {
  t.test(`refused: ${text}`, async (t) => {
    t.same(messages(text), [expected])
    t.same(messages(text, 'warning'), [], 'and nothing else is said')
  })
}

t.test('old style names packet ends, which change sides inbound', async (t) => {
  const selector = (text: string): object => ruleOf(text).selector
  const newStyle = 'laddr 192.0.2.1/24 lport 1 raddr 198.51.100.2 rport 2 ulp tcp'
  const ends = 'saddr 192.0.2.1 smask 255.255.255.0 sport 1 dst 198.51.100.2 dport 2 ulp tcp'
  const swapped = 'dstaddr 192.0.2.1 dmask 0xffffff00 dport 1 srcaddr 198.51.100.2 sport 2 ulp tcp'
  const wanted = selector(`{${newStyle} dir in} drop {}`)
  t.same(selector(`{${ends} dir out} drop {}`), wanted)
  t.same(selector(`{${ends}} apply {${ALGS}}`), wanted)
  t.same(selector(`{${swapped} dir in} drop {}`), wanted)
  t.same(selector(`{${swapped}} permit {${ALGS}}`), wanted)
  t.same(selector(`{${ends} dir in} apply {${ALGS}}`), wanted, 'an ignored `dir` swaps nothing')
})
