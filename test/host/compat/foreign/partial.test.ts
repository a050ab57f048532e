/**
 * `solipsec convert --to` the language of another tool: one way to refuse, one list, one `--partial`, and files with keys
 * for their owner alone, whatever the language is.
 */
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { FOREIGN_KINDS } from '../../../../compat/foreign/kinds.ts'
import { KEY_128 } from '../../../compat/configuration/support.ts'
import { convertedFor } from '../../../support/batch.ts'
import { makePlace } from '../../../support/ipsecconf-place.ts'
import { skip } from '../../netlink/namespace.ts'

const ESP = 'encr_algs aes(128) encr_auth_algs sha1'
/** Line 2 has words in no language, line 3 only in that of ip. */
const RULES = `{laddr 192.0.2.1 raddr 192.0.2.2 ulp tcp} ipsec {${ESP}}
{tunnel tun9 negotiate tunnel laddr 10.1.0.0/16 raddr 10.2.0.0/16} ipsec {${ESP}}
{ulp icmp type 0 code 0-200 dir in} ipsec {${ESP}} or pass {} # \u001b[31m
`
const KEYS = `# ${KEY_128}
add esp spi 0x1001 src 192.0.2.2 dst 192.0.2.1 encr_alg aes encrkey ${KEY_128} auth_alg sha1 authkey ${KEY_128}00000000
add esp spi 0x1002 src 192.0.2.2 dst 192.0.2.1 encr_alg aes encrkey ${KEY_128} auth_alg sha1 authkey ${KEY_128}00000000 idle_addtime 5
`

for (const language of FOREIGN_KINDS) {
  t.test(language, { skip }, async (t) => {
    const place = makePlace(t)
    execFileSync('ip', ['-n', place.netns, 'addr', 'add', '192.0.2.1/24', 'dev', 'lo'])
    const [rules, keys] = [place.file('policy', RULES), place.file('keys', KEYS)]
    const output = join(place.folder, 'output')
    const convert = (...argv: string[]) => convertedFor(place.netns, language, ...argv, rules, keys)

    const refused = convert('-o', output)
    t.match(refused, { status: 1, stdout: '' })
    t.match(refused.stderr, /cannot say \d things; nothing was written \(--partial /)
    t.notOk(existsSync(output))
    t.match(convert(), { status: 1, stdout: '' })

    const partial = convert('--partial', '-o', output)
    t.match(partial, { status: 0, stdout: '' })
    t.equal(statSync(output).mode & 0o777, 0o600)
    const text = readFileSync(output, 'utf8')
    const list = partial.stderr
      .slice(partial.stderr.search(/^.*: not said: /m))
      .trimEnd()
      .split('\n')
    t.ok(text.includes(['Not all could be said:', ...list].map((line) => `# ${line}\n`).join('')), 'one list')
    t.match(text, new RegExp(`^# ${rules}:2: not said: .`, 'm'))
    t.equal(text.includes(`# ${rules}:3: not said: `), language !== 'iproute2')
    t.match(text, new RegExp(`^# ${keys}:3: not said: .`, 'm'), 'an SA of which something is left out')
    t.notMatch(text, '\u001b')
    t.notMatch(partial.stderr + refused.stderr, KEY_128.slice(0, 8))
    t.equal(text.includes(`0x${KEY_128}`), language !== 'swanctl.conf')
    t.equal(convert('--partial').stdout, text, 'standard output, where no file is named')

    writeFileSync(join(place.folder, 'elsewhere'), 'as it was')
    symlinkSync('elsewhere', join(place.folder, 'link'))
    t.match(convert('--partial', '-o', join(place.folder, 'link')), { status: 1 })
    t.equal(readFileSync(join(place.folder, 'elsewhere'), 'utf8'), 'as it was')
  })
}
