import t from 'tap'
import { complete } from '../../../../compat/solaris/ipseckey/completion.ts'
import { helpText } from '../../../../compat/solaris/ipseckey/help.ts'
import { COMMANDS } from '../../../../compat/solaris/ipseckey/words.ts'
import { algorithms } from './support.ts'

const CASES: [line: string, words: string[], typed: string][] = [
  ['up', ['update', 'update-pair'], 'up'],
  ['  del', ['delete', 'delete-pair'], 'del'],
  ['add ', ['ah', 'esp'], ''],
  ['flush a', ['ah', 'all'], 'a'],
  ['save e', ['esp'], 'e'],
  ['flush esp ', [], ''],
  ['quit ', [], ''],
  ['nosuch ', [], ''],
  ['help mon', ['monitor'], 'mon'],
  ['add esp hard', ['hard_addtime', 'hard_alloc', 'hard_bytes', 'hard_usetime'], 'hard'],
  ['delete esp hard', [], 'hard'],
  ['delete esp s', ['saddr', 'saddr6', 'spi', 'sport', 'src', 'src6', 'srcaddr', 'srcaddr6'], 's'],
  ['delete esp spi 1 src x s', ['sport'], 's'],
  ['add esp auth_alg hmac-sha3', ['hmac-sha384'], 'hmac-sha3'],
  ['add esp encr_alg aes-gcm', ['aes-gcm', 'aes-gcm12', 'aes-gcm16', 'aes-gcm8'], 'aes-gcm'],
  ['add esp inbound state m', ['mature'], 'm'],
  ['add esp encap ', ['udp'], ''],
  ['add esp srcidtype d', ['der_dn', 'der_gn', 'domain', 'domainname'], 'd'],
  ['add esp srcidtype fqdn d', [], 'd'],
  ['add esp spi ', [], ''],
  ['add esp nosuch x s', [], 's'],
]
for (const [line, words, typed] of CASES) {
  t.test(JSON.stringify(line), (t) => {
    t.same(complete(line, algorithms), [words, typed])
    t.end()
  })
}

t.test('there is help on every command', (t) => {
  const overview = helpText()
  for (const word of COMMANDS.keys()) {
    t.notMatch(helpText(word), /no such command/, word)
    t.match(overview, ` ${word}`, word)
  }
  t.match(helpText('updat'), /no such command\. Did you mean "update"\?/)
  t.end()
})
